"""Many workspaces: people install the app in theirs, and each is answered with its own token."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.adapters.slack.conftest import is_final, running
from tests.adapters.slack.installing import (
    KEY,
    PUBLIC,
    Place,
    answer,
    kept_of,
    left_unanswered,
    told_in,
)
from tests.fakes.slack import FakeSlack

from moabot.checking import look
from moabot.config import parse
from moabot.errors import ConfigError, PlatformError
from moabot.findings import Finding
from moabot.installations import Installations
from moabot.plugins import Plugins
from moabot.testing import ScriptedProvider
from moabot_platforms.slack import open_slack
from moabot_platforms.slack.sealing import Seal, new_key
from moabot_platforms.slack.settings import SlackSettings

COOKIE = "slack-app-oauth-state"
BACK = f"{PUBLIC}/slack/oauth_redirect"
pytestmark = pytest.mark.usefixtures("key")


async def test_each_workspace_is_answered_once_with_its_own_token(at: Place) -> None:
    """The one thing that must never happen is that a workspace hears what another one asked."""
    async with at.life() as bot:
        done = [await at.browser.install(team) for team in ("T1", "T2")]
        here = at.slack.mention("C1", "U1", "Why here?")
        there = at.slack.mention("CT2", "UT2", "Why there?")
        posts = [await bot.answered(here.ts), await bot.answered(there.ts, "CT2")]

    assert [
        (page.status, f"moabot is in {team}" in page.text)
        for page, team in zip(done, ("T1", "T2"), strict=True)
    ] == [(200, True)] * 2
    assert [sum(map(is_final, each)) for each in posts] == [1, 1]
    assert ["Why here?" in posts[0][-1].shown, "Why there?" in posts[1][-1].shown] == [True] * 2
    used = {(str(c.args["channel"]), c.team) for c in at.slack.calls if "channel" in c.args}
    assert used == {("C1", "T1"), ("CT2", "T2")}
    assert at.slack.refused == []


async def test_no_page_and_no_row_has_a_token_in_it(at: Place) -> None:
    """Pages are kept by browsers, rows by backups."""
    browser = at.browser
    async with at.life() as bot:
        await browser.install("T1")
        rows = await kept_of(bot)
    written = b"".join(path.read_bytes() for path in at.folder.iterdir())

    assert list(rows) == ["T1"]
    assert "xoxb" not in "".join(page.text + page.url for page in browser.seen)
    assert b"xoxb" not in written


async def test_a_state_is_good_for_one_installation(at: Place) -> None:
    """Who finds the address in a history gets nothing, not even with the cookie."""
    browser = at.browser
    async with at.life() as bot:
        url = await browser.asked()
        cookies = dict(browser.cookies)
        await browser.open(f"{url}&team=T1")
        browser.cookies = cookies
        again = await browser.open(f"{url}&team=T2")
        kept = await kept_of(bot)

    assert (again.status, list(kept)) == (401, ["T1"])
    assert "works once" in again.text


async def test_a_state_that_is_old_forged_or_another_browser_s_is_refused(
    at: Place, key: str
) -> None:
    """Else somebody could be made to install a workspace that is not theirs."""
    old = Seal([Fernet(key)], variable=KEY, wall=lambda: time.time() - 601).stamp()
    forged = Seal([Fernet(new_key())], variable=KEY).stamp()
    async with at.life() as bot:
        seen: list[int] = []
        for state in (old, forged, "", "x"):
            browser = at.browser
            browser.cookies = {COOKIE: state}
            code = at.slack.install(redirect_uri=BACK)
            seen.append((await browser.open(f"{BACK}?code={code}&state={state}")).status)
        other = (await at.browser.open(await at.browser.asked())).status
        kept = await kept_of(bot)

    assert (seen[:2], set(seen[2:]) <= {400, 401}, other) == ([401, 401], True, 400)
    assert kept == {}
    assert not any(call.method == "oauth.v2.access" for call in at.slack.calls)


async def test_another_process_with_the_key_takes_the_browser_back(at: Place) -> None:
    """Behind a balancer it may begin at one process and end at the next."""
    browser = at.browser
    async with at.life():
        url = await browser.asked()
    async with at.life() as bot:
        page = await browser.open(f"{url}&team=T2")
        kept = await kept_of(bot)

    assert (page.status, list(kept)) == (200, ["T2"])


async def test_who_does_not_allow_it_reads_that_nothing_happened(at: Place) -> None:
    """And how to begin anew."""
    at.slack.room.declining = True
    async with at.life() as bot:
        page = await at.browser.install("T1")
        kept = await kept_of(bot)

    assert (page.status, "You did not allow it" in page.text, kept) == (200, True, {})
    assert 'href="install"' in page.text


async def test_a_page_repeats_nothing_that_its_address_says(at: Place) -> None:
    """Such a link is made to run a script in somebody's browser."""
    async with at.life():
        page = await at.browser.open(f"{BACK}?error=%3Cscript%3Ealert(1)%3C/script%3E")

    assert "script" not in page.text
    assert page.status == 200


async def test_the_name_of_a_workspace_stays_text(at: Place) -> None:
    """Its owner chose it."""
    at.slack.workspace.teams["T1"].name = "<script>T&T</script>"
    async with at.life():
        page = await at.browser.install("T1")

    assert page.text.count("&lt;script&gt;T&amp;T") == 2
    assert "<script" not in page.text


async def test_nothing_of_the_first_address_travels_on_to_slack(at: Place) -> None:
    """Bolt would write a `team` from it into Slack's address as it is."""
    browser = at.browser
    async with at.life():
        await browser.open(f"{PUBLIC}/slack/install?team=T2%26redirect_uri=https://evil.example")

    assert "evil" not in browser.seen[1].url


@pytest.mark.parametrize("fault", ["cut", "broken", "busy"])
async def test_a_slack_that_fails_meanwhile_is_told_on_a_page(at: Place, fault: str) -> None:
    """The next try goes well."""
    async with at.life() as bot:
        at.slack.faults.next.append(("oauth.v2.access", fault))
        first = await at.browser.install("T1")
        second = await at.browser.install("T1")
        kept = await kept_of(bot)

    assert (first.status, second.status, list(kept)) == (502, 200, ["T1"])


async def test_a_wrong_client_secret_is_told_to_the_admin_alone(
    at: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The person who installs can do nothing about it."""
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "wrong-secret")
    async with at.life():
        page = await at.browser.install("T1")

    assert (page.status, "log" in page.text) == (502, True)
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "bad_client_secret" in logged
    assert "wrong-secret" not in logged + page.text


async def test_an_organization_is_told_to_install_in_a_workspace(at: Place) -> None:
    """Its token would not say which workspace it is for."""
    at.slack.room.whole_organization = True
    async with at.life() as bot:
        page = await at.browser.install("T1")
        kept = await kept_of(bot)

    assert (page.status, "one workspace at a time" in page.text, kept) == (400, True, {})


async def test_an_app_whose_tokens_end_by_themselves_is_refused(at: Place) -> None:
    """The bot would fall silent after twelve hours, and nobody would know why."""
    at.slack.room.rotating = True
    async with at.life() as bot:
        page = await at.browser.install("T1")
        kept = await kept_of(bot)

    assert (page.status, "token rotation" in page.text, kept) == (400, True, {})


async def test_a_removed_app_is_forgotten_there_and_goes_on_elsewhere(at: Place) -> None:
    """One customer who leaves must not take the others along."""
    async with at.life() as bot:
        for team in ("T1", "T2"):
            await at.browser.install(team)
        await told_in(at, bot, "CT2", "UT2", "Before?")
        gone = at.slack.uninstall("T2")
        gone.payload["event_time"] = int(time.time())
        await gone.acked()
        while "T2" in await kept_of(bot):
            pass
        assert gone.twin is not None
        await gone.twin.acked()
        late = at.slack.mention("CT2", "UT2", "Anybody?")
        await late.acked()
        said = await told_in(at, bot, "C1", "U1", "Still here?")

    assert "Still here?" in said
    assert not any("Anybody?" in prompt.turns[-1].text for _, prompt in at.provider.prompts)


async def test_late_news_of_a_removal_does_not_undo_what_came_after(at: Place) -> None:
    """Slack repeats an event for minutes when it was not acknowledged."""
    async with at.life() as bot:
        await at.browser.install("T1")
        old = int(time.time()) - 60
        at.slack.clock.leapt += old - at.slack.clock.now()
        told = at.slack.event({"type": "app_uninstalled"})
        await told.acked()
        said = await told_in(at, bot, "C1", "U1", "Still here?")

    assert "Still here?" in said


async def test_a_new_installation_replaces_the_token_at_once(at: Place) -> None:
    """The old one was revoked; nobody should wait for it to be forgotten."""
    async with at.life() as bot:
        await at.browser.install("T1")
        await told_in(at, bot, "C1", "U1", "Before?")
        at.slack.room.revoked.add("xoxb-T1-fake")
        await at.browser.install("T1")
        said = await told_in(at, bot, "C1", "U1", "After?")

    assert "After?" in said
    assert not any(call.method.startswith("chat.") for call in at.slack.refused)


async def test_installations_outlive_the_process(at: Place) -> None:
    """And so do the questions that it left unanswered."""
    async with at.life() as bot:
        left = await left_unanswered(at)
    at.provider.scripts["a"] = answer
    async with at.life() as bot:
        posts = await bot.answered(left.ts, "CT2")
        said = await told_in(at, bot, "CT2", "UT2", "Anew?")

    assert "Left?" in posts[-1].shown
    assert "Anew?" in said


async def test_a_wrong_key_at_the_start_is_told_by_its_variable(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the bot would be there and answer nobody."""
    async with at.life():
        await at.browser.install("T1")
    monkeypatch.setenv(KEY, new_key())

    with pytest.raises(ExceptionGroup) as raised:
        async with at.life():
            pass

    assert raised.group_contains(PlatformError, match=KEY)


async def test_a_key_is_changed_with_both_at_hand_for_one_start(
    at: Place, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that the old one can be thrown away."""
    async with at.life():
        await at.browser.install("T1")
    new = new_key()
    monkeypatch.setenv(KEY, f"{new},{key}")
    async with at.life():
        pass
    monkeypatch.setenv(KEY, new)
    async with at.life() as bot:
        said = await told_in(at, bot, "C1", "U1", "Still?")

    assert "Still?" in said


async def test_what_comes_from_where_it_is_not_installed_is_acked_and_logged_once(
    at: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack would else send it four times, and switch the app's events off in the end."""
    caplog.set_level(logging.INFO, "moabot.slack")
    async with at.life():
        asked = at.slack.say("CT2", "UT2", "Anybody?")
        await asked.acked()
        helped = at.slack.slash("CT2", "UT2", "help")
        await helped.acked()

    heard = [record for record in caplog.records if record.getMessage() == "not heard"]
    assert len(asked.tries) == 1
    assert vars(heard[0])["workspace"] == "T2"
    assert len(heard) == 2
    assert at.provider.prompts == []


@pytest.mark.parametrize("variable", ["SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", KEY])
async def test_each_missing_secret_is_told_by_its_variable(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody installs."""
    monkeypatch.delenv(variable)
    settings = SlackSettings(workspaces="many", mode="http", public_url=PUBLIC)

    with pytest.raises(ConfigError, match=variable):
        async with open_slack(settings):
            pass


async def test_check_tells_of_each_workspace(at: Place) -> None:
    """Whose token Slack no longer takes, and who lacks a scope that was added later."""
    async with at.life() as bot:
        for team in ("T1", "T2"):
            await at.browser.install(team)
        at.slack.room.revoked.add("xoxb-T2")
        assert bot.app.memory.store is not None
        kept = Installations(bot.app.memory.store, "slack")
        async with open_slack(bot.platform.settings) as beside:
            found = [*await beside.check(), *await beside.check_installed(kept)]

    assert {finding.what: finding.state for finding in found} == {
        "platform slack app": "ok",
        "platform slack install": "ok",
        "platform slack connection": "ok",
        "platform slack token T1": "ok",
        "platform slack scopes T1": "ok",
        "platform slack token T2": "error",
    }


async def test_the_command_check_reads_the_installations_from_the_database(at: Place) -> None:
    """Beside the running bot, and without writing to its database."""
    async with at.life() as bot:
        await at.browser.install("T2")
        before = await kept_of(bot)
        found: list[Finding] = []
        tables = {"data_dir": str(at.folder), "platforms": {"slack": at.settings}}
        await look(parse(tables, source="x"), Plugins(), found.append, calls=False)

        assert await kept_of(bot) == before
    told = {finding.what: finding.said for finding in found}
    assert "(T2)" in told["platform slack token T2"]


async def test_check_tells_what_an_other_key_cannot_open(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot itself would say it only in its log."""
    async with at.life() as bot:
        await at.browser.install("T1")
        monkeypatch.setenv(KEY, new_key())
        assert bot.app.memory.store is not None
        kept = Installations(bot.app.memory.store, "slack")
        async with open_slack(bot.platform.settings) as beside:
            (found,) = await beside.check_installed(kept)

    assert (found.state, KEY in found.fix) == ("error", True)


async def test_the_app_s_secrets_in_the_environment_change_nothing_for_one_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them there, bolt would look for tokens in files of its own, and turn everybody away."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-T1-fake")
    provider = ScriptedProvider({"a": answer})
    async with FakeSlack() as slack, running(slack, provider, tmp_path) as bot:
        helped = slack.slash("C1", "U1", "help")
        await helped.acked()
        asked = slack.mention("C1", "U1", "Why?")
        posts = await bot.answered(asked.ts)

    assert "strategy" in str(helped.answer)
    assert "Why?" in posts[-1].shown
