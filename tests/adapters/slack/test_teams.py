"""Workspaces beside each other: the trouble of one is its own, and its answers end well."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest
from tests.adapters.slack.conftest import Bot, is_final
from tests.adapters.slack.installing import Place, kept_of, told_in

from moabot.channels import NO_WISH
from moabot.contract import Message
from moabot.errors import MoabotError, PlatformError, StoreError
from moabot.installations import Installations
from moabot.journal import Entry
from moabot.store.rows import Installation
from moabot.testing import says
from moabot_platforms.attached import Fetched
from moabot_platforms.refusals import MOST
from moabot_platforms.slack.payload import Json
from moabot_platforms.slack.reply import Manners, SlackReply
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
        await at.browser.install("T2")
        at.provider.scripts["a"] = says("Never.", seconds=10_000)
        left = at.slack.mention("CT2", "UT2", "Left?")
        await left.acked()
        await at.slack.until(lambda: bool(at.provider.prompts))
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
