"""Holds the Slack of tests/fakes against Slack's own framework: `make honest`.

    python tests/official/slack/honest.py

What @slack/bolt, unmodified, cannot use is not Slack. It is used over Socket Mode and over HTTP: a
mention, an edit, a stream with a task card, a button, a command, a modal, App Home, a redelivery.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.fakes.slack import FakeSlack, Post  # noqa: E402 - found by the line above
from tests.official.npm import installed, running  # noqa: E402 - the same

TASK = {"type": "task_update", "id": "1", "title": "model-a", "status": "complete"}


async def mention(slack: FakeSlack) -> None:
    """A mention is answered with an edit and a stream, and its button works."""
    said = slack.mention("C1", "U1", "Why is the sky blue?")
    await said.acked()
    await slack.until(lambda: len(answers(slack, said.ts)) == 2)
    edited, streamed = answers(slack, said.ts)
    assert (edited.shown, edited.before) == ("Done", ["Thinking"]), edited
    assert (streamed.shown, streamed.tasks) == ("The sky is blue.", {"1": TASK}), streamed
    await slack.click(edited, "again").acked()
    await slack.until(lambda: bool(slack.private("U1")))
    assert [post.shown for post in slack.private("U1")] == ["Once more"]


def answers(slack: FakeSlack, ts: str) -> list[Post]:
    """The app's posts in the thread that will not change any more."""
    posts = slack.thread("C1", ts)[1:]
    return [post for post in posts if post.edits or (post.stream and not post.streaming)]


async def command(slack: FakeSlack) -> None:
    """A command's ack is shown to its person, and opens a modal, which says what is wrong in it."""
    asked = slack.slash("C1", "U2", "strategy")
    await asked.acked()
    assert [post.shown for post in slack.private("U2")] == ["You said strategy"]
    await slack.until(lambda: bool(slack.views))
    view = slack.views[0]
    await slack.submit(view, {"name": "wrong"}).acked()
    assert (view.open, view.errors) == (True, {"strategy": "No"})
    await slack.submit(view, {"name": "vote"}).acked()
    assert not view.open
    await slack.until(lambda: bool(slack.posts("DU2")))
    assert [post.shown for post in slack.posts("DU2")] == ["Strategy vote"]


async def home(slack: FakeSlack) -> None:
    """Opening the App Home fills it."""
    await slack.open_home("U1").acked()
    await slack.until(lambda: slack.home("U1") is not None)


async def redelivered(slack: FakeSlack) -> None:
    """An event that nobody acked in time comes again, at once and after a minute."""
    if not slack.sockets.open:
        return
    silent = slack.sockets.open[0]
    silent.frozen = True
    asked = slack.say("C1", "U1", "Anybody?")
    await slack.until(lambda: bool(silent.waiting))
    slack.clock.leap(3.5)
    await slack.until(lambda: len(asked.tries) == 1 and bool(silent.waiting))
    silent.frozen = False
    slack.clock.leap(3.5)
    await slack.until(lambda: len(asked.tries) == 2)
    slack.clock.leap(61)
    await asked.acked()
    assert [each.failed for each in asked.tries] == ["timeout", "timeout", ""]


def environment(slack: FakeSlack, mode: str) -> dict[str, str]:
    """What the app is told."""
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "MODE": mode,
    }


async def over(mode: str) -> int:
    """Use the app as people do; the number of its Web API calls."""
    async with FakeSlack(request_url="later" if mode == "http" else "") as slack:
        async with running(HERE / "app.cjs", environment(slack, mode)) as ready:
            assert ready.startswith("ready"), ready
            if mode == "http":
                slack.requests.url = f"http://127.0.0.1:{ready.split()[1]}/slack/events"
                assert await slack.requests.verify()
            else:
                await slack.until(lambda: bool(slack.sockets.open))
            for act in (mention, command, home, redelivered):
                await act(slack)
            await slack.post_office.quiet()
            assert slack.refused == [], slack.refused
        return len(slack.calls)


async def honest() -> None:
    """Both ways in."""
    installed(HERE / "package.json")
    for mode in ("socket", "http"):
        began = time.perf_counter()
        async with asyncio.timeout(60):
            calls = await over(mode)
        print(f"@slack/bolt over {mode}: {calls} calls, {time.perf_counter() - began:.1f} s")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(honest())
