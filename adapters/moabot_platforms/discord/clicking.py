"""What the buttons under an answer do; they work as long as the message exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from moabot.errors import MoabotError
from moabot_platforms.discord import layout
from moabot_platforms.discord.asking import answered, deferred, taken, whispered
from moabot_platforms.discord.incoming import asker_of, is_closed
from moabot_platforms.discord.layout import Marker
from moabot_platforms.discord.marks import Press, read_press
from moabot_platforms.discord.rooms import room_of_reply

if TYPE_CHECKING:
    import discord

    from moabot.contract import Asker
    from moabot_platforms.discord.bot import Bot

__all__ = ["clicked"]


async def clicked(bot: Bot, interaction: discord.Interaction) -> None:
    """Do what a button of ours says; what may not be is told to the one who clicked."""
    data: Mapping[str, object] = interaction.data or {}
    press = read_press(str(data.get("custom_id")))
    if press is None:
        return
    asker = asker_of(interaction, thread=press.thread)
    if not is_closed(interaction.channel):  # a thread for all may be younger than its conversation
        asker = replace(asker, scope=replace(asker.scope, thread=press.thread))
    try:
        await _done(bot, interaction, press, asker)
    except MoabotError as error:
        await whispered(interaction, str(error))


async def _done(bot: Bot, interaction: discord.Interaction, press: Press, asker: Asker) -> None:
    match press.what:
        case "good":
            await bot.desk.rate(asker, press.event, 1)
            await whispered(interaction, "Thank you; it is noted.")
        case "bad":
            await bot.desk.rate(asker, press.event, -1)
            await whispered(interaction, "Thank you; it is noted. 🔁 asks again, 🔬 asks deeper.")
        case "stop":
            if await bot.desk.stop(asker, press.event):
                await interaction.response.defer()
            else:
                await whispered(interaction, "There is nothing to stop any more.")
        case "shown" | "turned":
            await _show(bot, interaction, press, asker)
        case "again" | "deeper":
            await _again(bot, interaction, press, asker)
        case _:
            assert_never(press.what)


async def _show(bot: Bot, interaction: discord.Interaction, press: Press, asker: Asker) -> None:
    proposals = await bot.desk.proposals(asker, press.event)
    marker = Marker(press.event_id, press.thread)
    view = layout.proposal_page(proposals, marker, press.page).view()
    if press.what == "turned":
        await interaction.response.edit_message(view=view)
    else:
        await interaction.response.send_message(view=view, ephemeral=True)


async def _again(bot: Bot, interaction: discord.Interaction, press: Press, asker: Asker) -> None:
    private = press.thread.startswith("p")
    first = await deferred(interaction, private=private)
    if first is None:
        return
    event_id, deeper = f"i{interaction.id}", press.what == "deeper"
    entry = await taken(bot, bot.desk.again(asker, press.event, event_id=event_id, deeper=deeper))
    if entry is not None:
        room = room_of_reply(bot, interaction, first=first, private=private)
        await answered(bot, entry, room)
