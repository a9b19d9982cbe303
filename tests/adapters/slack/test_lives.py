"""How long it lives: status lines, HTTP mode, an app that is removed, a bot that stops."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.adapters.slack.conftest import running
from tests.adapters.slack.installing import free_port
from tests.fakes.loops import LoopbackTimeLoop
from tests.fakes.slack import FakeSlack, Faults

from moabot.errors import ConfigError, PlatformError
from moabot.testing import ScriptedProvider, says
from moabot_platforms.slack import open_slack
from moabot_platforms.slack.settings import SlackSettings

SLOW = {"deadline_s": 900.0, "call_timeout_s": 600.0, "proposers": [{"model": "a"}]}
ALONE = {"defaults": {"strategy": "single"}}


def test_the_status_line_stands_as_long_as_the_models_think(tmp_path: Path) -> None:
    """Slack takes it away after two minutes; nobody should think that the bot has died."""

    async def thinking() -> list[str]:
        provider = ScriptedProvider({"a": says("At last.", seconds=400)})
        async with (
            FakeSlack() as slack,
            running(slack, provider, tmp_path, panel=SLOW, tables=ALONE) as bot,
        ):
            asked = slack.mention("C1", "U1", "Why?")
            seen: list[str] = []
            for _ in range(35):
                await asyncio.sleep(10)
                seen.append(slack.status("C1", asked.ts))
            await bot.answered(asked.ts)
            return seen

    with asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner:
        seen = runner.run(thinking())

    assert all(seen)


async def test_an_app_that_is_removed_ends_the_platform(tmp_path: Path) -> None:
    """`moabot run` then says so and goes on with the other chats."""

    async def until_lost() -> None:
        async with FakeSlack() as slack, running(slack, ScriptedProvider(), tmp_path):
            slack.uninstall()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        await until_lost()

    lost, rest = raised.value.split(PlatformError)
    assert rest is None
    assert lost is not None


async def test_a_bot_that_stops_waits_for_no_busy_slack(tmp_path: Path) -> None:
    """Slack may ask for minutes; whoever restarts the bot has seconds, and it took no questions."""
    faults = Faults(busy=1.0, busy_s=600, of=frozenset({"chat.postMessage"}))
    provider = ScriptedProvider({"a": says("At last.", seconds=5)})
    async with FakeSlack(faults=faults) as slack:
        async with running(slack, provider, tmp_path, panel=SLOW, tables=ALONE):
            asked = slack.mention("C1", "U1", "Why?")
            await slack.until(lambda: any(c.method == "chat.postMessage" for c in slack.calls))
            faults.busy = 0.0
        left = slack.thread("C1", asked.ts)
        async with running(slack, provider, tmp_path, panel=SLOW, tables=ALONE) as bot:
            posts = await bot.answered(asked.ts)

    assert [post.ts for post in left] == [asked.ts]
    assert "At last." in posts[-1].shown


async def test_a_bot_that_stops_leaves_new_questions_unacknowledged(tmp_path: Path) -> None:
    """Slack delivers them again, to the next process."""
    async with FakeSlack() as slack, running(slack, ScriptedProvider(), tmp_path) as bot:
        await bot.platform.desk.close(within_s=0.01)
        heard = await bot.platform.hear(
            {
                "team_id": "T1",
                "event": {
                    "type": "app_mention",
                    "user": "U1",
                    "text": "<@UBOT> Why?",
                    "channel": "C1",
                    "ts": "1.000001",
                },
            }
        )

    assert not heard


async def test_http_mode_answers_as_socket_mode_does(tmp_path: Path) -> None:
    """Signed requests come to a port of ours."""
    port = free_port()
    secret = "signing-secret"
    url = f"http://127.0.0.1:{port}/slack/events"
    settings = {"mode": "http", "public_url": "https://bot.example", "port": port}
    provider = ScriptedProvider({"a": says("Over HTTP.")})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLACK_SIGNING_SECRET", secret)
        async with (
            FakeSlack(request_url=url, signing_secret=secret) as slack,
            running(slack, provider, tmp_path, settings=settings) as bot,
        ):
            asked = slack.mention("C1", "U1", "Why?")
            await asked.acked()
            (post,) = await bot.answered(asked.ts)
            helped = slack.slash("C1", "U1", "help")
            await helped.acked()

    assert "Over HTTP." in post.shown
    assert "strategy" in str(helped.answer)


async def test_what_happens_in_another_workspace_is_not_for_this_bot(tmp_path: Path) -> None:
    """One app may be installed in several: its removal there must not end the bot here."""
    provider = ScriptedProvider({"a": says("Here.")})
    async with FakeSlack() as slack, running(slack, provider, tmp_path, tables=ALONE) as bot:
        slack.add_team("T2")
        await slack.uninstall("T2").acked()
        elsewhere = slack.mention("CT2", "UT2", "Why there?")
        await elsewhere.acked()
        revoked = slack.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})
        await revoked.acked()
        asked = slack.mention("C1", "U1", "Why here?")
        await bot.answered(asked.ts)

    assert len({prompt.turns[-1].text for _, prompt in provider.prompts}) == 1


@pytest.mark.parametrize(
    "method", ["auth.test", "apps.connections.open"], ids=["who are we", "where to connect"]
)
@pytest.mark.parametrize("fault", ["cut", "broken", "busy"])
async def test_a_slack_that_is_down_at_the_start_is_waited_for(
    method: str, fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Other chats go on meanwhile, and nobody should have to start the bot again."""
    faults = Faults(of=frozenset({method}), busy_s=2)
    setattr(faults, fault, 1.0)
    provider = ScriptedProvider({"a": says("At last.")})
    async with FakeSlack(faults=faults) as slack, asyncio.TaskGroup() as group:

        async def mended() -> None:
            await slack.until(lambda: sum(c.method == method for c in slack.calls) >= 3)
            setattr(faults, fault, 0.0)

        if fault != "cut":  # of which the fake has nothing to tell
            group.create_task(mended())
        else:
            asyncio.get_running_loop().call_later(3, setattr, faults, fault, 0.0)
        async with running(slack, provider, tmp_path, tables=ALONE) as bot:
            asked = slack.mention("C1", "U1", "Why?")
            posts = await bot.answered(asked.ts)

    told = [record for record in caplog.records if record.getMessage() == "slack not reached"]
    assert "At last." in posts[-1].shown
    assert len(told) >= 2
    assert vars(told[-1])["call"] == method


async def test_a_token_that_turns_out_wrong_later_ends_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack was down when it could have been told at the start."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-wrong")
    faults = Faults(next=[("auth.test", "broken")])
    async with FakeSlack(faults=faults) as slack:
        with pytest.raises(ExceptionGroup) as raised:
            async with running(slack, ScriptedProvider(), tmp_path):
                pass

    assert raised.group_contains(ConfigError, match="SLACK_BOT_TOKEN")


async def test_check_tells_of_a_slack_that_is_down() -> None:
    """It does not wait for it."""
    faults = Faults(cut=1.0)
    async with (
        FakeSlack(faults=faults) as slack,
        open_slack(SlackSettings(api_url=slack.api_url)) as platform,
    ):
        found = await platform.check()

    assert [finding.state for finding in found] == ["error", "error"]
