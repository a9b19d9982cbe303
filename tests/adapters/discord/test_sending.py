"""Requests to Discord: what is hopeless is not repeated, what may work later is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import aiohttp
import discord
import pytest

from moabot.errors import PlatformError
from moabot_platforms.discord.sending import Doors, Forbidden, Gone, persist
from moabot_platforms.edits import TryLater

pytestmark = pytest.mark.virtual_time


@dataclass(frozen=True, slots=True)
class Status:
    """As much of an HTTP response as discord.py's errors look at."""

    status: int
    reason: str = "because"


def refusal(status: int, code: int = 0) -> discord.HTTPException:
    """An error of discord.py."""
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    return kind(Status(status), {"code": code, "message": "no"})  # type: ignore[arg-type] # a fake


@dataclass(slots=True)
class Requests:
    """Raises what `errors` holds, one each, then succeeds; notes when it was called."""

    errors: list[BaseException] = field(default_factory=list[BaseException])
    at: list[float] = field(default_factory=list[float])

    async def __call__(self) -> str:
        """One request."""
        self.at.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
async def doors() -> Doors:
    """Doors on the clock of the loop, logged in."""
    doors = Doors(asyncio.get_running_loop().time)
    doors.there.set()
    return doors


async def test_nothing_is_sent_before_the_client_is_logged_in() -> None:
    """What an earlier process left is answered while the new one still connects."""
    doors, request = Doors(asyncio.get_running_loop().time), Requests()
    asyncio.get_running_loop().call_later(5, doors.there.set)

    assert await doors.sent(1, request) == "done"
    assert request.at == [5]


async def test_a_channel_that_forbids_is_left_alone_for_ten_minutes(doors: Doors) -> None:
    """10,000 such requests in ten minutes ban the whole address."""
    request = Requests([refusal(403, 50013)])
    for _ in range(1000):
        with pytest.raises(Forbidden):
            await doors.sent(1, request)
    assert len(request.at) == 1
    assert await doors.sent(2, request) == "done"

    await asyncio.sleep(601)

    assert await doors.sent(1, request) == "done"


async def test_who_opens_direct_messages_too_fast_waits_for_half_a_minute(doors: Doors) -> None:
    """Discord says 403 to it, but to no purpose of the person's: they must get their answer."""
    request = Requests([refusal(403, 40003)] * 3)

    assert await persist(lambda: doors.sent(1, request)) == "done"
    assert request.at == [0, 30, 60, 90]


async def test_a_revoked_token_ends_all_requests(doors: Doors) -> None:
    """Three 401s are all that reliability allows; one is enough to know."""
    request = Requests([refusal(401)])
    for channel in range(100):
        with pytest.raises(Forbidden, match="token"):
            await doors.sent(channel, request)

    assert len(request.at) == 1
    assert doors.revoked.is_set()


async def test_a_dead_interaction_is_gone_and_no_revoked_token(doors: Doors) -> None:
    """Discord says 401 to it as well, and nobody else must suffer from that."""
    with pytest.raises(Gone):
        await doors.sent(1, Requests([refusal(401, 50027)]))

    assert doors.are_open(1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal(404, 10008), Gone),
        (refusal(400, 50035), PlatformError),
        (refusal(429), TryLater),
        (refusal(503), TryLater),
        (refusal(403, 40003), TryLater),
        (aiohttp.ServerDisconnectedError(), TryLater),
        (ConnectionResetError(), TryLater),
    ],
    ids=str,
)
async def test_each_error_of_discord_becomes_one_of_ours(
    doors: Doors, error: BaseException, kind: type[PlatformError]
) -> None:
    """The core knows no vendor; an error that it does not foresee is a traceback."""
    with pytest.raises(PlatformError) as told:
        await doors.sent(1, Requests([error]))

    assert type(told.value) is kind


async def test_a_request_that_never_returns_is_taken_for_lost(doors: Doors) -> None:
    """A half-open connection would hold an answer for ever."""
    with pytest.raises(TryLater):
        await doors.sent(1, asyncio.Event().wait)


async def test_what_may_work_later_is_repeated_for_minutes(doors: Doors) -> None:
    """A restart of Discord's gateway takes that long; the answer is paid for."""
    request = Requests([refusal(503)] * 7)

    assert await persist(lambda: doors.sent(1, request)) == "done"
    assert 60 < request.at[-1] < 200


async def test_what_is_hopeless_is_not_repeated(doors: Doors) -> None:
    """The fourth try of a message that Discord refuses is refused too."""
    request = Requests([refusal(400, 50035)])
    with pytest.raises(PlatformError):
        await persist(lambda: doors.sent(1, request))

    assert len(request.at) == 1


async def test_a_channel_is_edited_four_times_in_five_seconds(doors: Doors) -> None:
    """Discord takes five; the last belongs to an answer that is done."""
    taken: list[float] = []
    loop = asyncio.get_running_loop()
    while loop.time() < 60:
        try:
            doors.take_edit(1)
        except TryLater as later:
            await asyncio.sleep(later.retry_after_s)
        else:
            taken.append(loop.time())

    assert all(sum(at <= other < at + 5 for other in taken) <= 4 for at in taken)
    assert len(taken) >= 48
    doors.take_edit(2)
