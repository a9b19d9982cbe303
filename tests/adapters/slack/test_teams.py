"""Workspaces beside each other: the trouble of one is its own, and its answers end well."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError
from tests.adapters.slack.conftest import Bot, is_final, running
from tests.adapters.slack.installing import KEY, PUBLIC, Place, kept_of, left_unanswered, told_in
from tests.fakes.slack import FakeSlack

from moabot.channels import NO_WISH
from moabot.contract import Asker, Message, Scope
from moabot.errors import MoabotError, PlatformError, StoreError
from moabot.installations import Installations
from moabot.journal import Entry
from moabot.store.rows import Installation
from moabot.testing import ScriptedProvider, says
from moabot_platforms.attached import Fetched
from moabot_platforms.refusals import MOST
from moabot_platforms.slack import blocks
from moabot_platforms.slack.checking import AT_ONCE, workspace_findings
from moabot_platforms.slack.files import Files
from moabot_platforms.slack.manifest import SCOPES
from moabot_platforms.slack.payload import Json
from moabot_platforms.slack.reply import Manners, SlackReply
from moabot_platforms.slack.sealing import Seal
from moabot_platforms.slack.settings import SlackSettings
from moabot_platforms.slack.web import Web
from moabot_platforms.slack.workspaces import FRESH_S, Many, Workspace


class Ill(Installations):
    """Installations on a disk that fails with the verbs in `failing`."""

    failing: frozenset[str] = frozenset()

    async def find(self, workspace: str) -> Installation | None:
        """Or fail."""
        self._try("find")
        return await super().find(workspace)

    async def forget(self, workspace: str, *, before: float) -> bool:
        """Or fail."""
        self._try("forget")
        return await super().forget(workspace, before=before)

    def _try(self, verb: str) -> None:
        if verb in self.failing:
            raise StoreError("The disk fails.", fix="Mend it.")


def ill(bot: Bot) -> Ill:
    """The installations of a bot, on a disk that can fail from now on."""
    assert bot.app.memory.store is not None
    assert isinstance(bot.platform.workspaces, Many)
    kept = Ill(bot.app.memory.store, "slack")
    bot.platform.workspaces.know(kept)
    return kept


async def test_an_answer_outlives_a_disk_that_fails_while_its_token_is_read_again(
    at: Place,
) -> None:
    """It was thought of and paid for; whoever asked sees a placeholder until it comes."""
    async with at.life() as bot:
        await at.browser.install("T1")
        disk = ill(bot)
        at.provider.scripts["a"] = says("A long answer.", seconds=5)
        asked = at.slack.mention("C1", "U1", "Why?")
        await asked.acked()
        await at.slack.until(lambda: bool(bot.answers(asked.ts)))
        disk.failing = frozenset({"find"})
        assert isinstance(bot.platform.workspaces, Many)
        bot.platform.workspaces._inside.clear()  # as half a minute later
        await asyncio.sleep(FRESH_S)
        disk.failing = frozenset()
        posts = await bot.answered(asked.ts)

    assert [is_final(post) for post in posts] == [True]
    assert "A long answer." in posts[0].shown


async def test_what_is_left_behind_is_looked_for_again_when_the_disk_fails(at: Place) -> None:
    """One that is given up then must not end all others that an earlier process left."""

    async def call(_method: str, _args: Json) -> Json:
        return {"messages": []}

    async def fetch(_files: Sequence[Json]) -> Fetched:
        raise NotImplementedError

    async def bot() -> str:
        raise StoreError("The disk fails.", fix="Mend it.")

    entry = Entry(Message("slack", "T1", "C1", "U1", "?", "E1"), NO_WISH, b"seed", resumed=True)
    async with at.life() as life:
        here = Workspace(Web(call), fetch, bot)
        reply = SlackReply(here, entry, life.platform.desk, manners=Manners())

        with pytest.raises(PlatformError, match="disk"):
            await reply.sorry(MoabotError("It broke.", fix="Ask again."), reference="E1")


async def test_a_question_left_in_a_workspace_that_removed_the_app_is_over(at: Place) -> None:
    """It can never be answered there, and would be paid for at each start."""
    async with at.life() as bot:
        await left_unanswered(at)
        gone = at.slack.uninstall("T2")
        gone.payload["event_time"] = int(time.time())
        await gone.acked()
        while "T2" in await kept_of(bot):
            pass
    paid = len(at.provider.prompts)
    async with at.life() as bot:
        await asyncio.sleep(FRESH_S)

    assert len(at.provider.prompts) == paid


async def test_a_channel_that_slack_has_no_time_for_makes_none_elsewhere_private(
    at: Place,
) -> None:
    """A follow-up would be answered without what was said before it."""
    async with at.life() as bot:
        for team in ("T1", "T2"):
            await at.browser.install(team)
        at.slack.room.subscribed &= {"app_mention"}  # a message would tell what kind it is
        first = at.slack.mention("CT2", "UT2", "One?")
        await first.acked()
        await bot.answered(first.ts, "CT2")
        bot.platform._private.clear()  # as after ten thousand other channels
        at.slack.faults.next.append(("conversations.info", "busy"))
        at.slack.faults.busy_s = 60
        await at.slack.mention("C1", "U1", "Elsewhere?").acked()
        await at.slack.mention("CT2", "UT2", "Two?", thread=first.ts).acked()
        await bot.answered(first.ts, "CT2", count=2)

    (prompt,) = [p for _, p in at.provider.prompts if p.turns[-1].text == "Two?"]
    assert [turn.text for turn in prompt.turns] == ["One?", "To: One?", "Two?"]


async def test_a_flood_in_one_workspace_takes_no_refusal_from_another(at: Place) -> None:
    """Whoever asks too much there would wait for an answer, and never know why."""
    async with at.life(admission={"user_per_minute": 1}) as bot:
        for team in ("T1", "T2"):
            await at.browser.install(team)
        for number in range(MOST):
            assert bot.platform._manners.refusals["T1"].may_tell("C1", f"U{number}")
            await bot.platform._telling["T1"].acquire()
        await told_in(at, bot, "CT2", "UT2", "Once?")
        await at.slack.mention("CT2", "UT2", "Twice?").acked()
        await at.slack.until(lambda: bool(at.slack.private("UT2")))

    assert "as many as are allowed" in at.slack.private("UT2")[0].shown


async def test_home_tab_buttons_and_settings_are_those_of_the_workspace(at: Place) -> None:
    """Another one's token is refused there, and its settings are not theirs."""
    tables = {"admission": {"admins": ["slack:T2/UT2"]}, "defaults": {"strategy": "mixture"}}
    async with at.life(**tables) as bot:
        for team in ("T1", "T2"):
            await at.browser.install(team)
        await at.slack.slash("CT2", "UT2", "preset").acked()
        await at.slack.until(lambda: bool(at.slack.views))
        await at.slack.submit(at.slack.views[0], {"preset": "balanced"}, at="T2").acked()
        asked = at.slack.mention("CT2", "UT2", "Why?")
        (post,) = await bot.answered(asked.ts, "CT2")
        await at.slack.click(post, blocks.PROPOSALS, user="UT2").acked()
        await at.slack.until(lambda: bool(at.slack.private("UT2")))
        await at.slack.open_home("UT2", team="T2").acked()
        await at.slack.until(lambda: at.slack.home("UT2") is not None)
        home = at.slack.home("UT2")
        assert home is not None
        await at.slack.click_in(home, "moabot_home", user="UT2", value="CT2", at="T2").acked()
        await at.slack.until(lambda: "1 answer" in str(at.slack.home("UT2")))
        there = await bot.platform.desk.settings(Asker(Scope("slack", "T2", "CT2"), "UT2"))
        here = await bot.platform.desk.settings(Asker(Scope("slack", "T1", "C1"), "U1"))

    assert (there.preset, here.preset == there.preset) == ("balanced", False)
    assert {call.team for call in at.slack.calls if call.method != "oauth.v2.access"} == {"T2"}
    assert at.slack.refused == []


async def test_who_is_shut_out_reads_so_on_the_home_tab(
    at: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """It would else stay empty, and the log would call it broken at each look."""
    async with at.life(admission={"allow": {"workspaces": ["slack:T1"]}}):
        await at.browser.install("T2")
        await at.slack.open_home("UT2", team="T2").acked()
        await at.slack.until(lambda: at.slack.home("UT2") is not None)

    assert "may not use this bot" in str(at.slack.home("UT2"))
    assert "broken" not in caplog.messages


async def test_slack_s_stop_button_keeps_no_event_waiting(at: Place) -> None:
    """Who may stop is asked of a Slack that may have no time; its events need their ack at once."""
    async with at.life() as bot:
        await at.browser.install("T1")
        at.provider.scripts["a"] = says("Long.", seconds=300)
        asked = at.slack.mention("C1", "U1", "Why?")
        await asked.acked()
        await at.slack.until(lambda: bool(bot.answers(asked.ts)))
        at.slack.faults.next.append(("users.info", "busy"))
        at.slack.faults.busy_s = 120
        where = {"channel_id": "C1", "thread_ts": asked.ts, "user_id": "U1"}
        stopped = at.slack.event({"type": "agent_session_stopped", **where})
        await stopped.acked()

    assert [each.failed for each in stopped.tries] == [""]


async def test_a_removal_that_cannot_be_kept_is_told_again(at: Place) -> None:
    """A row that stays keeps a token that somebody took away, and asks Slack in vain."""
    async with at.life() as bot:
        await at.browser.install("T2")
        disk = ill(bot)
        disk.failing = frozenset({"forget"})
        gone = at.slack.event({"type": "app_uninstalled"}, team="T2")
        gone.payload["event_time"] = int(time.time())
        await at.slack.until(lambda: bool(gone.tries))
        disk.failing = frozenset()
        await gone.acked()
        kept = await kept_of(bot)

    assert len(gone.tries) == 2
    assert kept == {}


async def test_events_that_slack_holds_back_are_told_to_the_admin(
    at: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Questions are missing then, and nothing else says so."""
    async with at.life():
        await at.browser.install("T1")
        told = at.slack.event({})
        told.payload["type"] = "app_rate_limited"
        del told.payload["event"]
        await told.acked()

    (warned,) = [each for each in caplog.records if each.getMessage() == "slack holds events back"]
    assert vars(warned)["workspace"] == "T1"
    assert len(told.tries) == 1


async def test_a_workspace_that_is_left_between_two_looks_is_not_heard(at: Place) -> None:
    """Its event is acknowledged, else Slack sends it again to nobody."""
    async with at.life() as bot:
        await at.browser.install("T2")
        disk, heard = ill(bot), list[str]()

        async def once(workspace: str) -> Installation | None:
            heard.append(workspace)
            if len(heard) > 1:
                return None
            await bot.platform.workspaces.leave("T2", at=time.time())
            return Installation("slack", "T2", "UBOTT2", sealed, 0.0)

        sealed = (await kept_of(bot))["T2"]
        disk.find = once  # type: ignore[method-assign]
        assert isinstance(bot.platform.workspaces, Many)
        bot.platform.workspaces._inside.clear()
        taken = await bot.platform.hear(at.slack.mention("CT2", "UT2", "Hm?").payload)

    assert taken


async def test_a_workspace_of_which_slack_says_nothing_hides_no_other_in_check(
    at: Place, key: str
) -> None:
    """Nor do a hundred take longer, one after the other, than a check may."""
    teams = [f"T{number}" for number in range(3 * AT_ONCE)]

    def enter(token: str) -> tuple[Web, Files]:
        async def call(_method: str, _args: Json) -> Json:
            await asyncio.sleep(3600 if token == "T1" else 1)
            return {"scopes": ",".join(SCOPES)}

        return Web(call), Files(session, token, api_url="")

    async with at.life() as bot, aiohttp.ClientSession() as session:
        kept = ill(bot)
        many = Many(enter, Seal([Fernet(key)], variable=KEY))
        many.know(kept)
        for team in teams:
            await many.keep(team, bot="UBOT", token=team)
        async with asyncio.timeout(30):
            found = await workspace_findings(bot.platform.settings, many, kept)

    assert [each.what for each in found if each.state == "error"] == ["platform slack token T1"]
    assert len(found) == 2 * len(teams) - 1


@pytest.mark.parametrize(("admin", "manages"), [("U5", True), ("T1/U5", True), ("T2/U5", False)])
async def test_an_admin_can_be_named_with_their_workspace(
    tmp_path: Path,
    admin: str,
    manages: bool,  # noqa: FBT001
) -> None:
    """Ids repeat among workspaces only by chance, but nobody should have to trust in it."""
    async with (
        FakeSlack() as slack,
        running(slack, ScriptedProvider({}), tmp_path, settings={"admins": [admin]}) as bot,
    ):
        slack.add_person("U5")
        asker = await bot.platform.asker("T1", "C1", "U5")

    assert asker.manages == manages


def test_an_admin_of_many_workspaces_is_named_with_one() -> None:
    """A bare id would hold in each workspace that somebody installs the app in."""
    many = {"workspaces": "many", "mode": "http", "public_url": PUBLIC}

    assert SlackSettings.model_validate({**many, "admins": ["T1/U1"]}).admins == ("T1/U1",)
    with pytest.raises(ValidationError, match="write T…/U1"):
        SlackSettings.model_validate({**many, "admins": ["U1"]})


async def test_no_line_of_the_log_has_a_secret_in_it_not_even_at_debug(
    at: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack's SDK writes down what it is answered, which is a token when somebody installs."""
    caplog.set_level(logging.DEBUG)
    async with at.life() as bot:
        await at.browser.install("T1")
        await told_in(at, bot, "C1", "U1", "Hm?")

    secrets = ("xoxb", "client-secret")
    said = [str(vars(record)) for record in caplog.records]
    assert said
    assert [line for line in said if any(secret in line for secret in secrets)] == []
