"""What a message on Discord is made of, read back: its words, its buttons, the marks of its texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import discord

__all__ = ["buttons_in", "marks_in", "words_in"]


def words_in(message: discord.Message) -> str:
    """All that a person reads of it, our own answers and the embeds of other bots too."""
    shown = [text.content for text in _texts(message.components)]
    embedded = [words for embed in message.embeds for words in (embed.title, embed.description)]
    return "\n".join(words for words in (message.content, *shown, *embedded) if words)


def buttons_in(components: Sequence[object]) -> list[str]:
    """The custom ids of all buttons."""
    buttons = [part for part in _parts(components) if isinstance(part, discord.Button)]
    return [button.custom_id for button in buttons if button.custom_id is not None]


def marks_in(components: Sequence[object]) -> list[int]:
    """The component ids of all texts."""
    return [text.id for text in _texts(components) if text.id is not None]


def _texts(components: Sequence[object]) -> Iterator[discord.TextDisplay]:
    return (part for part in _parts(components) if isinstance(part, discord.TextDisplay))


def _parts(components: Sequence[object]) -> Iterator[object]:
    """Each component, after the one that holds it."""
    for component in components:
        yield component
        if isinstance(component, discord.ActionRow | discord.Container | discord.SectionComponent):
            yield from _parts(component.children)
