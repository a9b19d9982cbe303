"""`moabot chat`: a conversation that is remembered until /new."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from moabot.cli.options import Panel, Preset, Strategy, spread

if TYPE_CHECKING:
    from moabot.app import App
    from moabot.config import ChannelSettings
    from moabot.contract import Message, Reply
    from moabot.memory import Keep
    from moabot_platforms.console.screen import Screen

__all__ = ["EXAMPLES", "ChatOptions", "chat"]

EXAMPLES = """\b
Examples:
  moabot chat
  moabot chat --strategy refinement
  moabot chat < questions.txt > answers.txt

\b
In the chat: /strategy NAME, /preset NAME, /proposals, /new, /help,
/quit. Ctrl-C stops a running answer, Ctrl-D leaves."""


@dataclass(frozen=True)
class ChatOptions:
    """What `moabot chat` can be told."""

    strategy: Strategy = None
    preset: Preset = None
    panel: Panel = None


@spread(ChatOptions)
def chat(context: typer.Context, options: ChatOptions) -> None:
    """Talk with the panel; what was said before is remembered.

    In a pipe each line is one question; the exit code is 1 if one of them got no answer.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot_platforms.console.screen import Screen  # noqa: PLC0415 - as above

    with running.told():
        config, plugins = running.setup(context)
        wish = running.wished(options.strategy, options.preset, options.panel)
        # In a pipe nobody could be asked whether what was left is still wanted.
        keep: Keep = "most" if Screen.here().talks else "spending"
        raise typer.Exit(running.run(config, plugins, lambda app: _talk(app, wish), keep=keep))


async def _talk(app: "App", wish: "ChannelSettings") -> int:
    from moabot.cli.running import NO_ANSWER, OK  # noqa: PLC0415 - `--help` must stay fast
    from moabot_platforms.console.chat import Chat  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import HISTORY, Screen, remembered  # noqa: PLC0415 - as above

    screen = Screen.here()
    talk = Chat(screen, wish=wish, strategies=app.strategies)

    async def handle(message: "Message", reply: "Reply") -> None:
        if app.memory.durable is not None:
            app.memory.durable.stop(message)  # Ctrl-C is the only one to cancel it
        await app.answering.handle(message, reply, wish=talk.wish)

    if not screen.talks:
        await talk.run(handle)
        return NO_ANSWER if talk.unanswered else OK
    screen.say("Ask away. /help lists what else you can type; Ctrl-D leaves.")
    with remembered(app.config.data_dir / HISTORY):
        await _finish_left(app, screen)
        await talk.run(handle)
    return OK


async def _finish_left(app: "App", screen: "Screen") -> None:
    """Answer what was asked when the last chat was killed; Ctrl-C leaves it for good."""
    from moabot_platforms.console.ctrlc import stopping  # noqa: PLC0415 - `--help` must stay fast

    if app.memory.durable is None:
        return
    for entry in await app.memory.durable.resume("console"):
        asked = " ".join(entry.message.text.split())[:60]
        if entry.given_up:
            screen.say(f"Given up, since it ended three chats: {asked!r}")
            await app.memory.durable.give_up(entry, error="three chats ended while answering it")
            continue
        screen.say(f"Still unanswered from the last time: {asked!r}")
        app.memory.durable.stop(entry.message)
        with screen.reply() as reply:
            async with stopping() as stop:
                await app.answering.handle(entry.message, reply, entry=entry)
            if stop.pressed and not stop.late:
                reply.stop()
