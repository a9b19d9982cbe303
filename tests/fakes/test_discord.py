"""The fake Discord refuses what Discord refuses, and counts what it counts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from tests.fakes.discord import FakeDiscord, Faults, Limits

LAYOUT = 1 << 15
SILENT = 1 << 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends requests as a bot does."""

    discord: FakeDiscord
    session: aiohttp.ClientSession

    async def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and body of an answer."""
        url = f"{self.discord.state.url}/api/v10{path}"
        headers = {"Authorization": f"Bot {self.discord.state.token}"}
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    @property
    def messages(self) -> str:
        """The path of the messages of a channel."""
        return f"/channels/{self.discord.state.channel('general').id}/messages"


@pytest.fixture
async def discord() -> AsyncGenerator[FakeDiscord]:
    """With Discord's own limits."""
    async with FakeDiscord(limits=Limits()) as fake:
        yield fake


@pytest.fixture
async def call(discord: FakeDiscord) -> AsyncGenerator[Caller]:
    """A bot without a gateway."""
    async with aiohttp.ClientSession() as session:
        yield Caller(discord, session)


def display(text: str) -> dict[str, Any]:
    """A text of a layout."""
    return {"type": 10, "content": text}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": "x" * 2001}, 50035),
        ({"content": ""}, 50006),
        ({"content": "x", "flags": LAYOUT, "components": [display("y")]}, 50035),
        ({"flags": LAYOUT, "components": [display("x" * 4001)]}, 50035),
        ({"flags": LAYOUT, "components": [display("x")] * 41}, 50035),
        ({"components": [display("x")]}, 50035),
        ({"content": "x", "nonce": "n" * 26}, 50035),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 50035),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
    ],
    ids="long empty both wide many unflagged nonce reference mentions".split(),
)
async def test_what_cannot_be_shown_is_refused(
    call: Caller, body: dict[str, Any], code: int
) -> None:
    """A fake that takes everything lets through what the real one throws away."""
    status, told = await call("POST", call.messages, body)

    assert (status, told["code"]) == (400, code)


async def test_the_same_nonce_makes_one_message_for_some_minutes(
    call: Caller, discord: FakeDiscord
) -> None:
    """On it rests that an answer is not posted twice after a crash."""
    body = {"content": "x", "nonce": "1", "enforce_nonce": True}
    first, second = await call("POST", call.messages, body), await call("POST", call.messages, body)
    discord.pass_time(181)
    third = await call("POST", call.messages, body)

    assert first[1]["id"] == second[1]["id"] != third[1]["id"]
    assert len(discord.seen()) == 2


async def test_the_sixth_message_in_five_seconds_must_wait(call: Caller) -> None:
    """The same bucket is what edits meet in a channel where much is going on."""
    answers = [await call("POST", call.messages, {"content": "x"}) for _ in range(6)]

    assert [status for status, _ in answers] == [200] * 5 + [429]
    assert 0 < answers[-1][1]["retry_after"] <= 5


async def test_a_layout_stays_one(call: Caller, discord: FakeDiscord) -> None:
    """An edit that forgets it would be refused by Discord, and the answer lost."""
    body = {"flags": LAYOUT, "components": [display("x")]}
    _, made = await call("POST", call.messages, body)
    status, _ = await call("PATCH", f"{call.messages}/{made['id']}", {"content": "y", "flags": 0})
    await call("PATCH", f"{call.messages}/{made['id']}", {"flags": SILENT})

    assert status == 400
    assert discord.seen()[0].flags == LAYOUT | SILENT


@pytest.mark.parametrize(
    ("allowed", "whom"),
    [
        (None, ["everyone", "7", "8"]),
        ({"parse": []}, []),
        ({"parse": ["everyone"]}, ["everyone"]),
        ({"parse": [], "users": ["7"]}, ["7"]),
    ],
    ids="unsaid none everyone user".split(),
)
async def test_mentions_ring_as_far_as_they_are_allowed(
    call: Caller, discord: FakeDiscord, allowed: object, whom: list[str]
) -> None:
    """Else a test could not tell that a model's text rings nobody."""
    body = {"content": "@everyone <@7> <@&8>", "allowed_mentions": allowed}
    await call("POST", call.messages, body if allowed is not None else {"content": body["content"]})

    assert [ping.whom for ping in discord.pings] == whom


async def test_links_are_fetched_unless_embeds_are_suppressed(
    call: Caller, discord: FakeDiscord
) -> None:
    """A link with what was said in it, fetched by Discord, is a leak without a click."""
    text = "https://a.example/x <https://b.example> `https://c.example`"
    await call("POST", call.messages, {"content": text})
    await call("POST", call.messages, {"content": text, "flags": SILENT})

    assert discord.fetched() == ["https://a.example/x"]


async def test_an_interaction_waits_three_seconds_and_its_token_a_quarter_of_an_hour(
    call: Caller, discord: FakeDiscord
) -> None:
    """Two ways to lose an answer, with a code of their own each."""
    discord.state.commands[""] = [{"id": "1", "name": "ask", "type": 1}]
    early, late = discord.slash("ask"), discord.slash("ask")
    hook = f"/webhooks/{discord.state.bot.id}/{early.token}"
    unanswered = await call("POST", hook, {"content": "x"})
    deferred = await call("POST", f"/interactions/{early.id}/{early.token}/callback", {"type": 5})
    again = await call("POST", f"/interactions/{early.id}/{early.token}/callback", {"type": 5})
    discord.pass_time(3.1)
    missed = await call("POST", f"/interactions/{late.id}/{late.token}/callback", {"type": 5})
    edited = await call("PATCH", f"{hook}/messages/@original", {"content": "x"})
    discord.pass_time(900)
    dead = await call("PATCH", f"{hook}/messages/@original", {"content": "y"})

    assert deferred == (204, None)
    assert [each[1]["code"] for each in (unanswered, again, missed, dead)] == [
        10015,
        40060,
        10062,
        50027,
    ]
    assert (edited[0], early.text, discord.state.invalid_requests) == (200, "x", 1)


async def test_refused_requests_are_counted_until_nobody_is_served(
    call: Caller, discord: FakeDiscord
) -> None:
    """Ten thousand in ten minutes, and Discord shuts out the address."""
    discord.forbid("general")
    forbidden = await call("POST", call.messages, {"content": "x"})
    discord.state.revoke()
    unknown = await call("GET", "/users/@me")

    assert (forbidden[0], forbidden[1]["code"], unknown[0]) == (403, 50013, 401)
    assert discord.state.invalid_requests == 2


async def test_a_lost_response_has_had_its_effect(call: Caller, discord: FakeDiscord) -> None:
    """What a retry without a nonce would double."""
    discord.state.faults = Faults(kinds=("lost",))
    discord.state.faults.coming.extend(["lost", "cut"])
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await call("POST", call.messages, {"content": "x"})

    assert [post.text for post in discord.seen()] == ["x"]
