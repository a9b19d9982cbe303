"""Looks at everything that an administrator could have done wrong, for `moabot check`."""

from __future__ import annotations

import asyncio
import shutil
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from moabot.app import App, keys, opened
from moabot.budget import Budget
from moabot.calls import Calls
from moabot.config import Config
from moabot.contract import Prompt, Turn
from moabot.errors import MoabotError, ProviderError, ProviderSilent, StoreError
from moabot.explaining import Unseen
from moabot.findings import Checked, CheckedWhereInstalled, Finding
from moabot.guests import blamed
from moabot.installations import Installations
from moabot.memory import stored
from moabot.opening import is_cached, nobody, open_cache
from moabot.orders import Model, Order, Patience
from moabot.plugins import Plugins
from moabot.recorder import Recorder
from moabot.serving import open_platform
from moabot.store import Store

__all__ = ["look"]

GREETING = Prompt("", (Turn("user", "Say: ok"),), max_tokens=16, temperature=0)
"""The least that every vendor takes as the length of a reply is 16 tokens."""
CALL_S = 30.0
MEGABYTE = 1_000_000
ROOMY = 10
"""Times `keep_free_mb`: below it, an administrator has some days to make room."""


Note = Callable[[Finding], None]


async def look(config: Config, plugins: Plugins, note: Note, *, calls: bool = True) -> None:
    """Tell `note` one finding after the other.

    With `calls` every model is asked for a word, which costs a little.
    """
    note(Finding("configuration", "ok", _counted(config)))
    for problem in plugins.problems:
        note(Finding("plugin", "error", problem))
    for finding in (*_keys(config, plugins), *_disk(config), _clock(Path(__file__))):
        note(finding)
    await _database(config, plugins, note)
    await _models_and_platforms(config, plugins, note, calls=calls)


def _counted(config: Config) -> str:
    counts = (
        (len(config.panels), "panel"),
        (len(config.models), "model"),
        (len(config.platforms), "platform"),
    )
    return ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts)


def _keys(config: Config, plugins: Plugins) -> Sequence[Finding]:
    """A key that came after `moabot init` had settled on the local model."""
    offers = plugins.offers("provider")
    chosen = [offers.get(provider.plugin) for provider in config.providers.values()]
    keyless = all(each and each.starter and not each.starter.key_env for each in chosen)
    found = [variable for variable, there in keys(plugins).items() if there]
    if not (keyless and found):
        return []
    said = f"{' and '.join(found)} set, but config.toml names the small local model alone"
    return [Finding("keys", "warning", said, "Run: moabot init --force, which replaces the file")]


def _disk(config: Config) -> Sequence[Finding]:
    home = config.data_dir
    there = home
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free / MEGABYTE
    said, least = f"{free:,.0f} MB free for {str(home)!r}", config.store.keep_free_mb
    findings = [Finding("disk", "ok", said)]
    if free < least * ROOMY:
        fix = f"Make room: below [store] keep_free_mb = {least} no new question is taken."
        findings = [Finding("disk", "error" if free < least else "warning", said, fix)]
    if home.exists() and home.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        said = f"other users of this machine may look into {str(home)!r}"
        findings.append(Finding("data_dir", "warning", said, f"Run: chmod 700 {home}"))
    return findings


def _clock(written: Path) -> Finding:
    """A clock that is behind our own files is wrong; signatures and certificates depend on it."""
    now = time.time()
    said = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    if now < written.stat().st_mtime - 86_400:
        fix = "Set the clock, by NTP best: platforms refuse what is signed at a wrong time."
        return Finding("clock", "error", f"{said} is before moabot was installed", fix)
    return Finding("clock", "ok", said)


async def _database(config: Config, plugins: Plugins, note: Note) -> None:
    path = config.data_dir / "moabot.db"
    if not path.exists():
        note(Finding("database", "ok", f"none yet; the first question makes {str(path)!r}"))
        return
    try:
        async with stored(config, alone=False) as store:
            if await _is_whole(store, path, note) and is_cached(config):
                await _cache(config, plugins, store, note=note)
    except StoreError as error:
        note(_wrong("database", error))


async def _is_whole(store: Store, path: Path, note: Note) -> bool:
    damages = await store.check()
    fix = f"Stop the bot and put a backup in the place of {str(path)!r}."
    for damage in damages:
        note(Finding("database", "error", f"damaged: {damage}", fix))
    if damages:
        return False
    note(Finding("database", "ok", "whole"))
    if dead := len(await store.dead()):
        said = f"{dead} given up because they stopped the bot again and again"
        note(Finding("questions", "warning", said, "See `moabot dead-letters`."))
    return True


async def _cache(config: Config, plugins: Plugins, store: Store, *, note: Note) -> None:
    """It is opened as the bot would, on the database that both share."""
    async with AsyncExitStack() as stack:
        try:
            cache = await open_cache(stack, config, plugins, store=store, ask=nobody)
            if not isinstance(cache, Checked):
                note(Finding("cache", "ok", "opened; it cannot be looked at more closely"))
                return
            with blamed(f"The cache {config.cache.plugin!r}"):
                async with asyncio.timeout(CALL_S):
                    found = await cache.check()
        except MoabotError as error:
            note(_wrong("cache", error))
            return
        for finding in found:
            note(finding)


async def _models_and_platforms(
    config: Config, plugins: Plugins, note: Note, *, calls: bool
) -> None:
    """What must be opened to be looked at; each platform by itself, as one may lack its token."""
    async with AsyncExitStack() as stack:
        before = len(plugins.problems)
        try:
            app = await stack.enter_async_context(opened(config, plugins))
        except MoabotError as error:
            note(_wrong("models", error))
        else:
            for finding in (*await _providers(app), *await _models(app, calls=calls)):
                note(finding)
        for name in config.platforms:
            for finding in await _platform(stack, config, plugins, name):
                note(finding)
        for problem in plugins.problems[before:]:
            note(Finding("plugin", "error", problem))


async def _platform(
    stack: AsyncExitStack, config: Config, plugins: Plugins, name: str
) -> Sequence[Finding]:
    what = f"platform {name}"
    try:
        async with asyncio.timeout(CALL_S):  # one waits for its chat as long as it takes
            platform = await open_platform(stack, config, plugins, name)
    except TimeoutError:
        fix = "Check the network, and try again."
        return [Finding(what, "error", "it cannot be reached", fix)]
    except MoabotError as error:
        return [_wrong(what, error)]
    return [*await _told(what, platform), *await _installed(config, name, platform)]


async def _told(what: str, opened: object) -> Sequence[Finding]:
    """How a provider or platform says that it is."""
    if not isinstance(opened, Checked):
        return [Finding(what, "ok", "opened; it cannot be looked at more closely")]
    try:
        with blamed(f"Its check of {what}"):
            async with asyncio.timeout(CALL_S):
                return list(await opened.check())
    except MoabotError as error:
        return [_wrong(what, error)]


async def _installed(config: Config, name: str, platform: object) -> Sequence[Finding]:
    """How a platform is where people installed it, as far as the database knows of such places."""
    kept = (config.data_dir / "moabot.db").exists()
    if not (kept and isinstance(platform, CheckedWhereInstalled)):
        return []
    try:
        async with stored(config, alone=False) as store:
            with blamed(f"Its check of platform {name}"):
                async with asyncio.timeout(CALL_S):
                    return list(await platform.check_installed(Installations(store, name)))
    except MoabotError as error:
        return [_wrong(f"platform {name}", error)]


async def _providers(app: App) -> Sequence[Finding]:
    """How those are that can tell more than the calls of their models do."""
    models = app.answering.calls.models.values()
    telling = {m.provider_name: m.provider for m in models if isinstance(m.provider, Checked)}
    told = [await _told(f"provider {name}", provider) for name, provider in telling.items()]
    return [finding for findings in told for finding in findings]


async def _models(app: App, *, calls: bool) -> Sequence[Finding]:
    models = app.answering.calls.models.values()
    unpriced = [
        Finding(
            f"price of {model.name}",
            "warning",
            f"nobody knows what {model.vendor_name!r} costs",
            f"Set [models.{model.name}] price, or its answers count as of unknown cost.",
        )
        for model in models
        if model.price is None
    ]
    if not calls:
        said = "not asked (--no-calls)"
        return [*(Finding(f"model {each.name}", "ok", said) for each in models), *unpriced]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_asked(app.answering.calls, model)) for model in models]
    return [*(task.result() for task in asked), *unpriced]


async def _asked(calls: Calls, model: Model) -> Finding:
    what, now = f"model {model.name}", asyncio.get_running_loop().time()
    order = Order(
        slot="1.1",
        role="check",
        chain=(model.name,),
        prompt=GREETING,
        until=now + CALL_S,
        patience=Patience(call_timeout_s=CALL_S, tries=1),
    )
    try:
        done = await calls.ask(order, Recorder(Unseen()), Budget(None))
    except ProviderSilent:  # a model that thinks first has no word left of sixteen tokens
        return Finding(what, "ok", "reached; it said nothing in 16 tokens")
    except ProviderError as error:
        return Finding(what, "error", error.what, error.fix or error.usual_fix)
    return Finding(what, "ok", f"answered in {done.seconds:.1f} s")


def _wrong(what: str, error: MoabotError) -> Finding:
    return Finding(what, "error", error.what, error.fix)
