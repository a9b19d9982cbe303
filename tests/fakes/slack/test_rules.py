"""The fake Slack keeps Slack's own rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from tests.fakes.slack import FakeSlack, Faults, Limits

Json = dict[str, Any]


@dataclass
class Talking:
    """Somebody with the bot's token, and a question in C1 that is to be answered."""

    slack: FakeSlack
    session: aiohttp.ClientSession
    ts: str
    wait_s: int = 0
    """What the last answer asked for by Retry-After."""

    async def call(self, method: str, **args: object) -> Json:
        """Any method, without retries, so that each test sees what Slack says."""
        given = {name: value for name, value in args.items() if value is not None}
        headers = {"Authorization": f"Bearer {self.slack.bot_token}"}
        url = f"{self.slack.api_url}{method}"
        async with self.session.post(url, json=given, headers=headers) as reply:
            self.wait_s = int(reply.headers.get("Retry-After", 0))
            said: Json = await reply.json()
            return said

    async def done(self, method: str, **args: object) -> Json:
        """A call that Slack takes."""
        said = await self.call(method, **args)
        assert said["ok"], said
        return said

    async def refused(self, method: str, **args: object) -> str:
        """What Slack refuses the call with."""
        return str((await self.call(method, **args))["error"])

    async def post(self, text: str = "Thinking") -> str:
        """Post in the thread; its ts."""
        posted = await self.done("chat.postMessage", channel="C1", thread_ts=self.ts, text=text)
        return str(posted["ts"])

    async def stream(self, text: str = "") -> str:
        """Start to stream in the thread; its ts."""
        started = await self.done(
            "chat.startStream",
            channel="C1",
            thread_ts=self.ts,
            markdown_text=text or None,
            recipient_team_id="T1",
            recipient_user_id="U1",
        )
        return str(started["ts"])


@asynccontextmanager
async def talking(
    limits: Limits | None = None, faults: Faults | None = None
) -> AsyncGenerator[Talking]:
    """A workspace in which somebody asks."""
    async with FakeSlack(limits=limits, faults=faults) as slack, aiohttp.ClientSession() as session:
        yield Talking(slack, session, slack.mention("C1", "U1", "Why?").ts)


async def test_an_edit_over_4000_characters_is_refused_though_a_post_takes_them() -> None:
    """The commonest reason for answers that are lost or posted twice."""
    async with talking() as at:
        ts = await at.post("a" * 5000)

        asking = at.refused("chat.update", channel="C1", ts=ts, text="a" * 4001)

        assert await asking == "msg_too_long"
        assert len(at.slack.thread("C1", at.ts)[1].shown) == 5000


async def test_an_edit_without_blocks_leaves_the_old_blocks_on_the_screen() -> None:
    """A Stop button that was not taken away stays below the answer."""
    async with talking() as at:
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Thinking"}}]
        posted = await at.done("chat.postMessage", channel="C1", text="-", blocks=blocks)

        await at.done("chat.update", channel="C1", ts=posted["ts"], text="Done")

        assert at.slack.posts("C1")[-1].shown == "Thinking"


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([{"type": "markdown", "text": "a" * 6700}] * 2, "msg_blocks_too_long"),
        ([{"type": "paragraph", "text": "a"}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}], "invalid_blocks"),
    ],
    ids=["51 blocks", "an empty section", "too long together", "no such type", "wrong text"],
)
async def test_blocks_of_a_wrong_shape_are_refused(blocks: list[object], error: str) -> None:
    """What Slack refuses in the field must fail here."""
    async with talking() as at:
        asking = at.refused("chat.postMessage", channel="C1", text="-", blocks=blocks)

        assert await asking == error


async def test_a_stream_to_a_channel_names_who_reads_it() -> None:
    """It needs no such name in a direct message."""
    async with talking() as at:
        asking = at.refused("chat.startStream", channel="C1", thread_ts=at.ts)
        assert await asking == "missing_recipient_team_id"

        direct = at.slack.direct("U1", "Why?")
        await at.done("chat.startStream", channel="DU1", thread_ts=direct.ts)


@pytest.mark.parametrize("gap_s", [20.0, 301.0])
async def test_a_stream_ends_five_minutes_after_its_start_even_when_it_flows(gap_s: float) -> None:
    """Who does not roll it over loses the rest of the answer."""
    async with talking() as at:
        ts = await at.stream("The ")
        errors: list[str] = []
        for _ in range(302):
            await asyncio.sleep(gap_s)
            said = await at.call("chat.appendStream", channel="C1", ts=ts, markdown_text="sky ")
            if not said["ok"]:
                errors.append(said["error"])
                break

        assert errors == ["message_not_in_streaming_state"]
        assert not at.slack.thread("C1", at.ts)[1].streaming


async def test_nothing_is_edited_while_it_streams() -> None:
    """An edit and a stream of one message exclude each other."""
    async with talking() as at:
        ts = await at.stream("The sky")
        asking = at.refused("chat.update", channel="C1", ts=ts, text="Done")
        assert await asking == "streaming_state_conflict"

        await at.done("chat.stopStream", channel="C1", ts=ts, markdown_text=" is blue.")
        assert at.slack.thread("C1", at.ts)[1].shown == "The sky is blue."


async def test_text_and_chunks_do_not_go_together() -> None:
    """A stream keeps the kind it began with."""
    async with talking() as at:
        ts = await at.stream("The sky")
        chunks = [{"type": "markdown_text", "text": " is blue."}]

        asking = at.refused("chat.appendStream", channel="C1", ts=ts, chunks=chunks)

        assert await asking == "streaming_mode_mismatch"


async def test_a_status_is_gone_after_two_minutes_or_a_post() -> None:
    """Who thinks longer says it again."""
    async with talking() as at:
        for _ in range(2):
            await at.done(
                "assistant.threads.setStatus", channel_id="C1", thread_ts=at.ts, status="thinks"
            )
            assert at.slack.status("C1", at.ts) == "thinks"
            await asyncio.sleep(121)
            assert at.slack.status("C1", at.ts) == ""
        await at.done(
            "assistant.threads.setStatus", channel_id="C1", thread_ts=at.ts, status="thinks"
        )

        await at.post()

        assert at.slack.status("C1", at.ts) == ""


async def test_stop_ends_the_streams_and_leaves_the_session_to_the_app() -> None:
    """Slack stops its own streams when somebody presses stop, and only tells of the rest."""
    async with talking() as at:
        await at.done(
            "agents.sessions.setStatus", channel_id="C1", thread_ts=at.ts, status="processing"
        )
        ts = await at.stream("The sky")

        told = at.slack.stop("C1", "U1", at.ts)

        assert told.payload["event"]["streaming_message_ts"] == [ts]
        asking = at.refused("chat.appendStream", channel="C1", ts=ts, markdown_text="!")
        assert await asking == "message_not_in_streaming_state"
        assert at.slack.session("C1", at.ts) == "processing"


async def test_each_method_has_its_calls_a_minute() -> None:
    """The 21st stream within a minute waits, and is told for how long."""
    async with talking(Limits(tiers=True)) as at:
        for _ in range(20):
            await at.stream()
        assert await at.refused("chat.startStream", channel="C1") == "ratelimited"

        await asyncio.sleep(at.wait_s)

        await at.stream()


async def test_a_lost_answer_was_a_done_deed() -> None:
    """The caller cannot know; who posts once more posts twice."""
    async with talking(faults=Faults(next=[("chat.postMessage", "lost")])) as at:
        with pytest.raises(aiohttp.ClientError):
            await at.post("Thinking")

        assert [post.shown for post in at.slack.thread("C1", at.ts)][1:] == ["Thinking"]


async def test_a_token_without_a_scope_is_told_which_one_it_needs() -> None:
    """`moabot check` lives from that."""
    async with talking() as at:
        at.slack.team().scopes = ("chat:write",)

        said = await at.call("users.info", user="U1")

        assert (said["error"], said["needed"]) == ("missing_scope", "users:read")


async def test_a_file_is_for_the_bot_s_token_only() -> None:
    """Others get a page that asks them to sign in, with status 200."""
    async with talking() as at, aiohttp.ClientSession() as session:
        name = at.slack.add_file("a.png", b"\x89PNG", kind="image/png")
        url = str((await at.done("files.info", file=name))["file"]["url_private"])
        for token, kind in (("", "text/html"), (at.slack.bot_token, "image/png")):
            async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as reply:
                assert (reply.status, reply.content_type) == (200, kind)


async def test_a_trigger_opens_one_view_within_three_seconds() -> None:
    """Who thinks before opening a modal opens none."""
    view: Json = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}
    async with talking() as at:
        at.slack.slash("C1", "U1", "strategy")
        trigger, late = str(list(at.slack.room.triggers)[-1]), 4.0
        await at.done("views.open", trigger_id=trigger, view=view)
        again = at.refused("views.open", trigger_id=trigger, view=view)
        assert await again == "exchanged_trigger_id"

        at.slack.slash("C1", "U1", "strategy")
        await asyncio.sleep(late)
        trigger = str(list(at.slack.room.triggers)[-1])
        assert await at.refused("views.open", trigger_id=trigger, view=view) == (
            "expired_trigger_id"
        )


async def test_a_response_url_works_five_times() -> None:
    """And not for longer than half an hour."""
    async with talking() as at, aiohttp.ClientSession() as session:
        url = str(at.slack.slash("C1", "U1", "help").payload["response_url"])
        seen: list[int] = []
        for _ in range(6):
            async with session.post(url, json={"text": "Help"}) as reply:
                seen.append(reply.status)

        assert seen == [200] * 5 + [404]


async def test_an_event_that_nobody_acks_comes_four_times() -> None:
    """At once, after one and after five minutes; then Slack gives up."""
    async with talking() as at:
        said = at.slack.say("C1", "U1", "Anybody?")

        await said.ended.wait()

        waits = [round(each.at - said.tries[0].at) for each in said.tries]
        assert (waits, said.failure) == ([0, 0, 60, 360], "no_connection")


async def test_a_command_that_nobody_acks_comes_once() -> None:
    """Its person is told that it timed out."""
    async with talking() as at:
        asked = at.slack.slash("C1", "U1", "help")

        await asked.ended.wait()

        assert (len(asked.tries), asked.was_acked) == (1, False)


async def test_a_cut_connection_loses_no_event() -> None:
    """The SDK connects anew, and Slack delivers again what was not acked."""
    async with talking() as at:
        app = AsyncApp(client=AsyncWebClient(at.slack.bot_token, base_url=at.slack.api_url))

        async def heard() -> None:
            pass

        app.event("message")(heard)  # pyright: ignore[reportUnknownMemberType] - half typed
        handler = AsyncSocketModeHandler(app, at.slack.app_token)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await at.slack.until(lambda: bool(at.slack.sockets.open))
        said = [at.slack.say("C1", "U1", str(number)) for number in range(20)]

        at.slack.cut()

        for each in said:
            await each.acked()
        assert at.slack.sockets.opened == 2
        await handler.close_async()  # type: ignore[no-untyped-call]


PINGS = ["<!channel>", "<!here|here>", "<@U1>", "<@U1|ann>", "<!subteam^S1>", "`<!everyone>`"]


@pytest.mark.parametrize("text", PINGS)
async def test_a_live_mention_is_seen_wherever_it_stands(text: str) -> None:
    """What this overlooks rings in a whole company."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    plain = {"type": "header", "text": {"type": "plain_text", "text": text}}
    async with talking() as at:
        await at.done("chat.postMessage", channel="C1", text=text)
        await at.done("chat.postMessage", channel="C1", markdown_text=text)
        await at.done("chat.postMessage", channel="C1", text="-", blocks=[section])
        await at.done("chat.postMessage", channel="C1", text="-", blocks=[plain])

        assert [bool(post.pings) for post in at.slack.posts("C1")[1:]] == [True] * 3 + [False]


async def test_a_name_rings_only_when_names_are_linked() -> None:
    """link_names turns each @name into a mention."""
    async with talking() as at:
        await at.done("chat.postMessage", channel="C1", text="@here")
        await at.done("chat.postMessage", channel="C1", text="@here", link_names=True)

        assert [bool(post.pings) for post in at.slack.posts("C1")[1:]] == [False, True]
