"""The whole bot on scripted models, and a question to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from moabot.app import App, opened
from moabot.channels import NO_WISH
from moabot.config import ChannelSettings, parse
from moabot.contract import Message, Provider
from moabot.errors import PluginError
from moabot.hookspecs import hookimpl
from moabot.memory import Keep
from moabot.plugins import BUILT_IN, NoSettings, Plugins, Register
from moabot.testing.replies import RecordingReply

__all__ = ["ask", "rehearsal"]


@dataclass(frozen=True, slots=True)
class _Scripted:
    """The plugin that offers one provider under the name "scripted"."""

    provider: Provider

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        register.provider("scripted", self._open)

    def _open(self, settings: NoSettings) -> nullcontext[Provider]:
        return nullcontext(self.provider)


@asynccontextmanager
async def rehearsal(
    provider: Provider,
    tables: Mapping[str, object] | None = None,
    *,
    models: Sequence[str] = ("a", "b", "c"),
    panel: Mapping[str, object] | None = None,
    plugins: Sequence[object] = (),
    keep: Keep = "nothing",
) -> AsyncGenerator[App]:
    """The whole bot with the built-in strategies, on `models` that `provider` plays.

    `panel` holds keys of [panels.default], whose proposers are otherwise all the models; `tables`
    holds whole tables of config.toml, and `plugins` more plugins, your own strategy say. `keep`
    says what is written into its `data_dir`.
    """
    config: dict[str, object] = {
        "providers": {"scripted": {"plugin": "scripted"}},
        "models": {name: {"provider": "scripted", "name": name} for name in models},
        "panels": {"default": {"proposers": [{"model": name} for name in models], **(panel or {})}},
        **(tables or {}),
    }
    defaults: dict[str, object] = {"strategy": "mixture", "preset": "thorough"}
    if keep != "nothing":
        defaults["cache"] = "off"  # unless wanted: each test would load the encoder
    wanted = config.get("defaults", {})
    config["defaults"] = {**defaults, **wanted} if isinstance(wanted, Mapping) else wanted
    rooms = ("moabot_strategies.", "moabot_cache.")
    built_in = [name for name in BUILT_IN if name.startswith(rooms)]
    found = Plugins(built_in=built_in, installed=())
    for place, plugin in enumerate((_Scripted(provider), *plugins)):
        found.admit(f"rehearsed-{place}", plugin)
    if found.problems:
        raise PluginError(found.problems[0], fix="")
    async with opened(parse(config, source="rehearsal"), found, keep=keep) as app:
        yield app


async def ask(app: App, text: str, *, wish: ChannelSettings = NO_WISH) -> RecordingReply:
    """Let the bot answer one message, and return the reply with what it was told."""
    reply = RecordingReply()
    message = Message("test", "workspace", "channel", "someone", text, event_id="1")
    await app.answering.handle(message, reply, wish=wish)
    return reply
