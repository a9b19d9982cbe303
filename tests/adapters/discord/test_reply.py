"""One answer's messages, in virtual time and on a place that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import discord
import pytest
from tests.adapters.discord.test_sending import refusal

from moabot.channels import NO_WISH
from moabot.contract import Answer, Message
from moabot.errors import MoabotError, PlatformError
from moabot.journal import Entry
from moabot_platforms.discord.layout import Page
from moabot_platforms.discord.marks import mark
from moabot_platforms.discord.places import Right
from moabot_platforms.discord.reply import DiscordReply, Room
from moabot_platforms.discord.sending import Doors

pytestmark = pytest.mark.virtual_time
ANSWER = Answer("It scatters.", "mixture", "thorough")
LONG = Answer("\n\n".join(f"Paragraph {n}. " * 100 for n in range(6)), "single")


@dataclass
class Board:
    """A place: `posts` are what stands there, by id; `errors` are raised first, one a request.

    Posts whose numbers are `unheard` stand, but who posted them is not told, and their nonces are
    forgotten at once.
    """

    channel: int = 1
    pages: int = 5
    right: Right = "write"
    posts: dict[int, str] = field(default_factory=dict[int, str])
    marks: dict[int, int] = field(default_factory=dict[int, int])
    nonces: dict[str, int] = field(default_factory=dict[str, int])
    errors: list[discord.HTTPException] = field(default_factory=list[discord.HTTPException])
    unheard: set[int] = field(default_factory=set[int])
    edits: list[float] = field(default_factory=list[float])
    typed: list[float] = field(default_factory=list[float])

    def receipt(self, message: int) -> str:
        """Channel and message."""
        return f"{self.channel}/{message}"

    async def post(self, page: Page, *, nonce: str) -> int:
        """The same nonce gives the same message, whose text stays."""
        await self._work()
        if nonce not in self.nonces:
            number = len(self.posts)
            self.nonces[nonce] = 100 * self.channel + number
            self.posts[self.nonces[nonce]] = _text(page)
            self.marks |= dict.fromkeys(_marks(page), self.nonces[nonce])
            if number in self.unheard:
                del self.nonces[nonce]
                raise refusal(504)
        return self.nonces[nonce]

    async def edit(self, message: int, page: Page) -> None:
        """Put a page there."""
        await self._work()
        self.edits.append(asyncio.get_running_loop().time())
        if message not in self.posts:
            raise refusal(404, 10008)
        self.posts[message] = _text(page)

    async def type(self) -> None:
        """Note it."""
        self.typed.append(asyncio.get_running_loop().time())

    async def find(self, after: int) -> Mapping[int, int]:
        """What was posted, and what a test says that stands there."""
        await self._work()
        return self.marks

    async def _work(self) -> None:
        await asyncio.sleep(0.1)
        if self.errors:
            raise self.errors.pop(0)


def _texts(page: Page) -> list[discord.ui.TextDisplay[discord.ui.LayoutView]]:
    parts = page.view().walk_children()
    return [part for part in parts if isinstance(part, discord.ui.TextDisplay)]


def _text(page: Page) -> str:
    return "\n".join(part.content for part in _texts(page))


def _marks(page: Page) -> list[int]:
    return [part.id for part in _texts(page) if part.id is not None]


@dataclass
class Told:
    """A reply on a board, and the receipts that it kept."""

    reply: DiscordReply
    receipts: list[str]


@asynccontextmanager
async def replying(room: Room, *, receipt: str = "", event: str = "7") -> AsyncGenerator[Told]:
    """A reply that lives inside the block."""
    message = Message("discord", "1", "1", "ada", "Why?", event, thread="7")
    doors = Doors(asyncio.get_running_loop().time)
    doors.there.set()
    receipts: list[str] = []

    async def posted(entry: Entry, word: str) -> None:
        receipts.append(word)

    async def shows_cost(entry: Entry) -> bool:
        return True

    entry = Entry(message, NO_WISH, b"", receipt=receipt)
    reply = DiscordReply(entry, room, posted=posted, shows_cost=shows_cost, doors=doors)
    async with asyncio.TaskGroup() as group:
        group.create_task(reply.live())
        yield Told(reply, receipts)
        await reply.closed()


async def test_the_sign_is_kept_before_anything_is_edited_into_it() -> None:
    """After a crash nobody else knows which message is to become the answer."""
    board = Board()
    async with replying(Room(board)) as told:
        await asyncio.sleep(5)
        kept = list(told.receipts)
        await told.reply.finish(ANSWER)

    assert kept == ["1/100"]
    assert list(board.posts) == [100]
    assert "It scatters." in board.posts[100]


async def test_the_bot_is_seen_typing_until_the_answer_is_there() -> None:
    """Discord shows it for ten seconds each time, and below the newest message."""
    board = Board()
    async with replying(Room(board)) as told:
        await asyncio.sleep(60)
        await told.reply.finish(ANSWER)
        await asyncio.sleep(60)

    assert all(5 < b - a < 10 for a, b in pairwise(board.typed))
    assert 50 < board.typed[-1] < 61


async def test_an_answer_that_comes_at_once_still_stands_in_one_message() -> None:
    """From the cache, say: the sign is not even posted when the text is there."""
    board = Board()
    async with replying(Room(board)) as told:
        await told.reply.finish(ANSWER)
        await asyncio.sleep(10)

    assert len(board.posts) == 1
    assert "It scatters." in board.posts[100]


async def test_edits_keep_their_distance_however_fast_a_model_writes() -> None:
    """Discord allows five in five seconds, and the last of them is for the end."""
    board = Board()
    async with replying(Room(board)) as told:
        for number in range(3000):
            told.reply.wrote(f"word{number} ")
            await asyncio.sleep(0.01)
        await told.reply.finish(ANSWER)

    assert all(sum(at <= edit < at + 5 for edit in board.edits) <= 5 for at in board.edits)
    assert len(board.edits) >= 20


async def test_a_message_that_was_deleted_is_posted_anew() -> None:
    """A moderator's slip must not cost the answer."""
    board = Board()
    async with replying(Room(board)) as told:
        await asyncio.sleep(1)
        board.posts.clear()
        await told.reply.finish(ANSWER)

    assert ["It scatters." in text for text in board.posts.values()] == [True]


async def test_what_fails_for_a_minute_is_delivered_after_it() -> None:
    """The models are paid; a restart of Discord's gateway must not cost the answer."""
    board = Board(errors=[refusal(503)] * 3)
    async with replying(Room(board)) as told:
        board.errors += [refusal(503)] * 3
        await told.reply.finish(LONG)

    assert len(board.posts) == 3
    assert sum(text.count("Paragraph 5.") for text in board.posts.values()) == 100


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_post_that_we_were_not_told_of_is_not_made_again(number: int) -> None:
    """A nonce is forgotten within minutes; a second sign would wait beside the answer for ever."""
    board = Board(unheard={number})
    async with replying(Room(board)) as told:
        await asyncio.sleep(1)
        await told.reply.finish(LONG)

    assert len(board.posts) == 3
    assert sum(text.count("Paragraph") for text in board.posts.values()) == 600


async def test_a_private_reply_goes_on_in_direct_messages_when_its_time_is_up() -> None:
    """Discord forgets a command after fifteen minutes; an answer may take longer."""
    reply, direct = Board(channel=2, pages=1, posts={200: "thinking"}), Board(channel=3)

    async def later() -> Board:
        return direct

    room = Room(reply, message=200, lasts_s=840, later=later)
    async with replying(room, event="i7") as told:
        await asyncio.sleep(839)
        before = dict(direct.posts)
        await asyncio.sleep(10)
        moved = reply.posts[200]
        reply.errors = [refusal(401, 50027)] * 99
        await told.reply.finish(LONG)

    assert before == {}
    assert "longer than Discord lets a command wait" in moved
    assert len(direct.posts) == 3
    assert told.receipts == ["2/200", "3/300"]


async def test_a_token_that_died_before_we_knew_does_not_cost_the_answer() -> None:
    """Clocks differ, and a process may have been away for an hour."""
    reply, direct = Board(channel=2, errors=[refusal(401, 50027)] * 99), Board(channel=3)

    async def later() -> Board:
        return direct

    for lasts_s in (0.0, 800.0):
        direct.posts.clear()
        room = Room(reply, message=200, lasts_s=lasts_s, later=later, search=True)
        async with replying(room, receipt="2/200/alone/token", event="i7") as told:
            await told.reply.finish(ANSWER)

        assert ["It scatters." in text for text in direct.posts.values()] == [True]
        direct.nonces.clear()


async def test_pages_that_an_earlier_process_posted_are_found_and_not_doubled() -> None:
    """Nonces are forgotten after minutes, marks are not."""
    stands = {100: "a sign", 101: "an older page"}
    board = Board(posts=dict(stands), marks={mark("7", 0): 100, mark("7", 1): 101})
    async with replying(Room(board, search=True)) as told:
        await told.reply.finish(LONG)

    assert list(board.posts) == [100, 101, 102]
    assert "Paragraph 0." in board.posts[100]
    assert "older" not in board.posts[101]
    assert told.receipts == ["1/100"]


async def test_a_search_that_fails_is_made_again() -> None:
    """The sign that an earlier process left has no other way to become the answer."""
    board = Board(posts={100: "a sign"}, marks={mark("7", 0): 100}, errors=[refusal(503)] * 3)
    async with replying(Room(board, search=True)) as told:
        await told.reply.finish(ANSWER)

    assert ["It scatters." in text for text in board.posts.values()] == [True]


async def test_a_search_that_is_forbidden_forbids_nothing_else() -> None:
    """Who may not read what was said can attach a file all the same."""
    board = Board(pages=1, errors=[refusal(504), refusal(403, 50013)])
    async with replying(Room(board)) as told:
        await told.reply.finish(LONG)

    assert len(board.posts) == 1


async def test_what_fails_for_good_is_given_up_after_two_minutes() -> None:
    """Searching before each try must not multiply the tries."""
    board = Board(errors=[refusal(503)] * 1000)
    begun = asyncio.get_running_loop().time()
    async with replying(Room(board, search=True)) as told:
        with pytest.raises(PlatformError, match="503"):
            await told.reply.finish(ANSWER)

    assert asyncio.get_running_loop().time() - begun < 200
    assert len(board.errors) > 970


async def test_an_answer_that_an_earlier_process_moved_is_found_where_it_went() -> None:
    """It died before it could tell that it had gone on in direct messages."""
    reply = Board(channel=2, errors=[refusal(401, 50027)] * 99)
    direct = Board(channel=3, posts={300: "a sign"}, marks={mark("i7", 0): 300})

    async def later() -> Board:
        return direct

    room = Room(reply, message=200, lasts_s=800.0, later=later, search=True)
    async with replying(room, receipt="2/200/alone/token", event="i7") as told:
        await told.reply.finish(ANSWER)

    assert ["It scatters." in text for text in direct.posts.values()] == [True]


async def test_where_an_answer_goes_on_is_searched_as_where_it_began() -> None:
    """An earlier process may have died in the middle of moving."""
    reply = Board(channel=2, pages=1)
    direct = Board(channel=3, posts={300: "a sign"}, marks={mark("i7", 0): 300})

    async def later() -> Board:
        return direct

    room = Room(reply, lasts_s=5.0, later=later, search=True)
    async with replying(room, event="i7") as told:
        await asyncio.sleep(10)
        await told.reply.finish(ANSWER)

    assert ["It scatters." in text for text in direct.posts.values()] == [True]


async def test_a_place_that_cannot_be_searched_is_posted_to() -> None:
    """Without the right to read the history, the nonce must do."""
    board = Board(errors=[refusal(403, 50013)])
    room = Room(board, search=True)
    async with replying(room) as told:
        await told.reply.finish(ANSWER)

    assert len(board.posts) == 1


async def test_an_apology_takes_the_place_of_the_sign() -> None:
    """Beside it, it would look as if an answer were still to come."""
    board = Board()
    async with replying(Room(board)) as told:
        await asyncio.sleep(1)
        error = MoabotError("The budget is spent.", fix="Ask tomorrow.")
        await told.reply.sorry(error, reference="abcd")

    assert list(board.posts.values()) == [
        "No answer. The budget is spent. Ask tomorrow. (reference abcd)"
    ]
