"""What events mean, and which files are fetched from where."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
import pytest
from aiohttp import web
from tests.fakes.slack import FakeSlack

from moabot_platforms.slack.files import Files
from moabot_platforms.slack.said import Amended, Said, happened, plain

BOT = "UBOT"


def _body(**event: object) -> Mapping[str, object]:
    said = {"type": "message", "channel": "C1", "user": "U1", "ts": "1.5", "text": "Hello."}
    return {"team_id": "T1", "event": {**said, **event}}


@pytest.mark.parametrize(
    "event",
    [
        {"bot_id": "B7"},
        {"user": BOT},
        {"user": ""},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"ts": ""},
        {"type": "reaction_added"},
        {"type": 7},
        {"text": None, "user": ["U1"]},
    ],
    ids=str,
)
def test_what_no_person_says_is_nothing(event: dict[str, object]) -> None:
    """Two bots in a thread would talk for ever; and Slack's own notices are no questions."""
    assert happened(_body(**event), bot=BOT) is None


def test_a_mention_and_its_message_have_one_name() -> None:
    """So the second of the two is known."""
    first = happened(_body(type="app_mention", text=f"<@{BOT}> Hi"), bot=BOT)
    second = happened(_body(text=f"<@{BOT}> Hi", channel_type="channel"), bot=BOT)

    assert isinstance(first, Said)
    assert isinstance(second, Said)
    assert (first.channel, first.ts) == (second.channel, second.ts)


def test_an_unfurled_link_is_no_edit() -> None:
    """Slack changes a message when it shows what a link leads to."""
    message = {"user": "U1", "ts": "1.5", "text": "See x"}
    event = {"subtype": "message_changed", "message": message}

    assert happened(_body(**event, previous_message=message), bot=BOT) is None
    before = {**message, "text": "See y"}
    assert happened(_body(**event, previous_message=before), bot=BOT) == Amended(
        "T1:C1:1.5", "See x"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"<@{BOT}> why &lt;b&gt; &amp; c?", "why <b> & c?"),
        ("ask <@U2|ann> in <#C9|general>", "ask @ann in @general"),
        ("see <https://a.example/x|the page>", "see the page (https://a.example/x)"),
        ("see <https://a.example/x>", "see https://a.example/x"),
        ("<!subteam^S1|@team> and <!here>", "@team and @here"),
    ],
)
def test_slack_s_marks_are_read_as_text(written: str, read: str) -> None:
    """Models know nothing of them."""
    assert plain(written, bot=BOT) == read


async def test_the_token_goes_to_slack_only() -> None:
    """A file's address is written by whoever sends the event."""
    seen: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response(body=b"x", content_type="image/png")

    application = web.Application()
    application.router.add_get("/{name}", elsewhere)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    urls = [
        f"http://127.0.0.1:{port}/a.png",
        f"http://files.slack.com.evil.example:{port}/a.png",
        "https://files.slack.com@evil.example/a.png",
        "https://evil.example/files.slack.com/a.png",
        "http://files.slack.com/a.png",
        "https://[bad/a.png",
        "file:///etc/passwd",
    ]
    async with FakeSlack() as slack, aiohttp.ClientSession() as session:
        files = Files(session, slack.bot_token, api_url=slack.api_url)
        fetched = [
            await files.fetch([{"name": "a.png", "mimetype": "image/png", "url_private": url}])
            for url in urls
        ]
    await runner.cleanup()

    assert seen == []
    assert [each.pictures for each in fetched] == [()] * len(urls)
    assert all("was not read" in each.words for each in fetched)


async def test_files_that_are_too_many_or_too_big_are_named() -> None:
    """They must not fill the memory, or the time in which a message is acknowledged."""
    async with FakeSlack() as slack, aiohttp.ClientSession() as session:
        files = Files(session, slack.bot_token, api_url=slack.api_url)
        big = slack.add_file("big.png", b"x" * 5_000_001, kind="image/png")
        small = slack.add_file("small.txt", b"small", kind="text/plain")
        sent = [slack.workspace.files[name][0] for name in [big, *[small] * 5]]
        fetched = await files.fetch(sent)

    assert "more than 5 MB" in fetched.words
    assert fetched.words.count("only 5 are read") == 1
    assert fetched.words.count("The file 'small.txt':") == 4
    await asyncio.sleep(0)
