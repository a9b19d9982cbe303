"""The three hooks a plugin may implement. All are plain functions; what they hand over may await."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from moabot.contract import Answer, Message
    from moabot.plugins import Register

__all__ = ["hookimpl", "moabot_answered", "moabot_choose_strategy", "moabot_register"]

hookspec = pluggy.HookspecMarker("moabot")
hookimpl = pluggy.HookimplMarker("moabot")
"""Marks a function of a plugin as the implementation of the hook of that name."""


@hookspec
def moabot_register(register: Register) -> None:
    """Offer providers, strategies, platforms and caches.

    Called once, at start, before anything is opened. Call `register.provider(name,
    factory)` and its siblings; return nothing. `factory(settings)` is called when the
    configuration uses the name, and must return an async context manager that yields the object.
    An exception here, or taking longer than `[plugins] load_s`, costs the bot this plugin and
    nothing else.
    """


@hookspec(firstresult=True)
def moabot_choose_strategy(message: Message, names: tuple[str, ...]) -> str | None:
    """Choose the strategy for one message, over the channel's setting.

    Called once a message. Return one of `names`, or None to leave the choice to the next plugin
    and at last to the channel. An exception, or a name that is not in `names`, counts as None.
    An installed plugin is called in a thread, for one message at a time; one that takes longer
    than `[plugins] hook_s` is not called again.
    """


@hookspec
def moabot_answered(message: Message, answer: Answer) -> None:
    """Hear of every answer after the person has it (for statistics, for a log of your own).

    Called once an answer; an installed plugin is called in a thread, for one answer at a time,
    and no more once it took longer than `[plugins] hook_s`. An exception is logged and forgotten.
    """
