"""The commands: /ask, /moa and the menu of a message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from pydantic import BaseModel

from moabot.config import ChannelSettings
from moabot.errors import MoabotError, QuestionRejected
from moabot.validation import validated
from moabot_platforms import commands
from moabot_platforms.discord import layout
from moabot_platforms.discord.asking import asked, whispered
from moabot_platforms.discord.incoming import asker_of, quoting
from moabot_platforms.discord.parts import words_in

if TYPE_CHECKING:
    from moabot_platforms.discord.bot import Bot

__all__ = ["Tree"]

log = logging.getLogger("moabot")
EXPLAIN = "Explain it, and answer what it asks."
MENU = "Ask moabot about this message"
Command = app_commands.Command[app_commands.Group, ..., None]
Choices = list[app_commands.Choice[str]]


class Tree(app_commands.CommandTree["Bot"]):
    """All commands, on servers, in direct messages, and wherever a person brings the bot along."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(
            bot,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self.add_command(_ask(bot))
        self.add_command(_moa(bot))
        self.add_command(_menu(bot))

    async def sync_if_changed(self) -> None:
        """Tell Discord our commands when they are not what it has: it takes 200 a day."""
        # As they came: discord.py 2.7.1 reads contexts and install types of fetched ones wrongly.
        kept = await self.client.http.get_global_commands(self.client.application_id or 0)
        ours = [_Known.model_validate(each.to_dict(self)) for each in self.get_commands()]
        theirs = [_Known.model_validate(each) for each in kept]
        if sorted(ours, key=_name) != sorted(theirs, key=_name):
            await self.sync()
            log.info("discord commands synced")

    async def on_error(
        self, interaction: discord.Interaction[Bot], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell what we foresaw; the log has the rest."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if not isinstance(cause, MoabotError):
            # Its options are somebody's words, perhaps private ones.
            name = interaction.command.qualified_name if interaction.command else ""
            log.error("broken", exc_info=cause, extra={"command": name})
            cause = MoabotError(
                "Something broke inside moabot.", fix="Ask again, or tell its admin."
            )
        await whispered(interaction, str(cause))


def _ask(bot: Bot) -> Command:
    @app_commands.describe(
        question="what you want to know",
        attachment="a picture or a text that belongs to it",
        strategy="how models work together, this time",
        preset="how deep, this time",
        private="whether only you see the answer",
    )
    @app_commands.autocomplete(strategy=_offered(bot, "strategy"), preset=_offered(bot, "preset"))
    async def ask(  # noqa: PLR0917 - each is an option of the command
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, 6000],
        attachment: discord.Attachment | None = None,
        strategy: str | None = None,
        preset: str | None = None,
        private: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        wish = validated(ChannelSettings, {"strategy": strategy, "preset": preset}, where="/ask: ")
        files = [] if attachment is None else [attachment]
        work = asked(bot, interaction, question, wish=wish, private=private, attached=files)
        await bot.at_work(work)

    told = "Ask several models at once; one answer comes."
    return app_commands.Command(name="ask", description=told, callback=ask)


def _moa(bot: Bot) -> app_commands.Group:
    """One command for each of `commands.COMMANDS`; what it may do, the desk says at every call."""
    group = app_commands.Group(name="moa", description="What holds here, and how the bot does.")
    for name, command in commands.COMMANDS.items():
        run = _with_value(bot, name) if "[" in command.usage else _without_value(bot, name)
        group.add_command(app_commands.Command(name=name, description=command.help, callback=run))
    return group


def _with_value(bot: Bot, name: str) -> Callable[..., Coroutine[None, None, None]]:
    @app_commands.describe(value=f"the new one; {commands.UNSET} takes the channel's own back")
    @app_commands.autocomplete(value=_offered(bot, name, unset=True))
    async def run(interaction: discord.Interaction, value: str | None = None) -> None:
        await _run(bot, interaction, f"{name} {value or ''}")

    return run


def _without_value(bot: Bot, name: str) -> Callable[..., Coroutine[None, None, None]]:
    async def run(interaction: discord.Interaction) -> None:
        await _run(bot, interaction, name)

    return run


async def _run(bot: Bot, interaction: discord.Interaction, line: str) -> None:
    told = await commands.told(bot.desk, asker_of(interaction), line)
    await whispered(interaction, told.text)
    if told.announced:
        page = layout.plain(f"{interaction.user.display_name} {told.announced}")
        await interaction.followup.send(view=page.view())


def _menu(bot: Bot) -> app_commands.ContextMenu:
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        if not words_in(message) and not message.attachments:
            raise QuestionRejected(
                "There is nothing in that message that I can read.", fix="Ask about another one."
            )
        await interaction.response.send_modal(AskAbout(bot, message))

    return app_commands.ContextMenu(name=MENU, callback=about)


class AskAbout(discord.ui.Modal, title="Ask moabot"):
    """What one wants to know about a message."""

    question: discord.ui.Label[AskAbout] = discord.ui.Label(
        text="What do you want to know about it?",
        component=discord.ui.TextInput(required=False, max_length=1000, placeholder=EXPLAIN),
    )

    def __init__(self, bot: Bot, about: discord.Message) -> None:
        super().__init__(timeout=900)
        self._bot = bot
        self._about = about

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """The message, quoted, with its files, and the question."""
        field = self.question.component
        wanted = field.value if isinstance(field, discord.ui.TextInput) else ""
        about = self._about
        text = quoting(about, wanted or EXPLAIN)
        await self._bot.at_work(asked(self._bot, interaction, text, attached=about.attachments))


def _offered(
    bot: Bot, name: str, *, unset: bool = False
) -> Callable[[discord.Interaction, str], Coroutine[None, None, Choices]]:
    async def offered(interaction: discord.Interaction, current: str) -> Choices:
        values = [*bot.desk.choices().get(name, ()), *([commands.UNSET] if unset else [])]
        fitting = [value for value in values if current.lower() in value.lower()]
        return [app_commands.Choice(name=value, value=value) for value in fitting[:25]]

    return offered


def _name(command: _Known) -> str:
    return command.name


class _Known(BaseModel):
    """What of a command we say and Discord keeps; it adds defaults of its own to the rest."""

    name: str
    type: int = 1
    description: str = ""
    required: bool = False
    autocomplete: bool = False
    min_length: int | None = None
    max_length: int | None = None
    contexts: frozenset[int] | None = None
    integration_types: frozenset[int] | None = None
    options: tuple[_Known, ...] = ()
