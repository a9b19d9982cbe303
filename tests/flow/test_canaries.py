"""Keys never get out: not into the database, the log or an answer, whatever a vendor says back."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import web
from tests.adapters.slack.installing import SECRET, installable

from moabot.app import opened
from moabot.config import ChannelSettings, parse
from moabot.contract import Message
from moabot.plugins import Plugins
from moabot.testing import RecordingReply, ScriptedProvider, says
from moabot_platforms.slack.sealing import new_key

SDKS = ("openai", "anthropic", "gemini")
CANARIES = {f"CANARY_{n}": f"sk-canary-{n:02}-9f8e7d6c5b4a-{n * 7919:06}" for n in range(20)}
FAULTS = (401, 400, 403, 404, 429, 500, 503, "no JSON", "cut")


class Parrot:
    """A vendor that says every key back, in every kind of failure."""

    def __init__(self) -> None:
        self.url = ""
        self.kind_by_key = {
            key: FAULTS[place % len(FAULTS)] for place, key in enumerate(CANARIES.values())
        }
        self.heard: set[str] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Fail; all headers, the key among them, stand in the failure."""
        said = " ".join(f"{name}: {value}" for name, value in request.headers.items())
        key = next(key for key in CANARIES.values() if key in said)
        self.heard.add(key)
        kind = self.kind_by_key[key]
        if kind == "no JSON":
            return web.Response(text=f"<html>{said}</html>")
        if kind == "cut":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        body = {"error": {"message": f"Incorrect API key provided: {key}. {said}", "code": said}}
        return web.json_response(body, status=int(kind))


@pytest.fixture
async def parrot() -> AsyncGenerator[Parrot]:
    """On loopback."""
    made, app = Parrot(), web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def tables(url: str, folder: Path) -> dict[str, object]:
    """Twenty providers with a key each, three of them through a vendor's own SDK."""
    plugins = [*SDKS, *["openai_compatible"] * (len(CANARIES) - len(SDKS))]
    names = [f"m{n}" for n in range(len(CANARIES))]
    return {
        "data_dir": str(folder),
        "providers": {
            f"p{n}": {"plugin": plugin, "base_url": url, "api_key_env": variable}
            for n, (plugin, variable) in enumerate(zip(plugins, CANARIES, strict=True))
        },
        "models": {name: {"provider": f"p{n}", "name": name} for n, name in enumerate(names)},
        "panels": {
            "default": {
                "proposers": [{"model": name} for name in names],
                "fallback": names,
                "tries": 1,
                "hedge": False,
            }
        },
        "defaults": {"strategy": "mixture", "preset": "max"},
    }


@pytest.mark.timeout(240)
async def test_no_canary_is_found_outside(
    parrot: Parrot,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty keys, nine kinds of failure, everything logged that any library logs."""
    for variable, key in CANARIES.items():
        monkeypatch.setenv(variable, key)
    caplog.set_level(logging.DEBUG)
    replies: list[RecordingReply] = []
    async with opened(
        parse(tables(parrot.url, tmp_path), source="x"), Plugins(), keep="all"
    ) as app:
        for number, strategy in enumerate(("mixture", "single", "vote")):
            replies.append(RecordingReply())
            message = Message("slack", "T1", "C1", "U1", "Why?", f"E{number}", thread=strategy)
            wish = ChannelSettings(strategy=strategy)
            await app.answering.handle(message, replies[-1], wish=wish)

    told = "".join(f"{reply.error} {reply.answer} {reply.events}" for reply in replies)
    written = "".join(path.read_bytes().decode("latin-1") for path in tmp_path.iterdir())
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert parrot.heard == set(CANARIES.values())  # each was really used
    assert "memo" in written
    for place, text in (("answers", told), ("database", written), ("log", logged)):
        assert [variable for variable, key in CANARIES.items() if key in text] == [], place


@pytest.mark.parametrize("team", ["T1", "T2"])
async def test_no_secret_of_slack_is_found_outside(
    team: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the token that is given to us, nor what proves that we may have it."""
    key, token = new_key(), f"xoxb-canary-{team}-9f8e7d6c"
    secrets = {"key": key, "token": token, "client": "client-canary-5b4a", "signing": SECRET}
    monkeypatch.setenv("SLACK_CLIENT_ID", "client-id")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", secrets["client"])
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("MOABOT_SLACK_KEY", key)
    caplog.set_level(logging.DEBUG)
    async with installable(tmp_path, ScriptedProvider({"a": says("So it is.")})) as at:
        at.slack.room.client = ("client-id", secrets["client"])
        at.slack.workspace.teams[team].token = token
        browser, channel, user = at.browser, *(("C1", "U1") if team == "T1" else ("CT2", "UT2"))
        async with at.life() as bot:
            await browser.open(f"https://bot.example/slack/oauth_redirect?code=x&state={token}")
            await browser.install(team)
            asked = at.slack.mention(channel, user, "Is it?")
            posts = await bot.answered(asked.ts, channel)
            at.slack.faults.refusing["auth.test"] = "account_inactive"
            told = [*await bot.platform.check()]
            written = "".join(p.read_bytes().decode("latin-1") for p in tmp_path.iterdir())
        used = [call.team for call in at.slack.calls if call.method.startswith("chat.")]

    browser.seen = browser.seen[1:]  # whose address we wrote ourselves
    shown = "".join(post.shown for post in posts) + str(told)
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert set(used) == {team}  # it was really used
    assert "installations" in written
    pages = str(browser.seen)
    outside = {"answers": shown, "pages": pages, "database": written, "log": logged}
    for where, text in outside.items():
        assert [name for name, secret in secrets.items() if secret in text] == [], where
