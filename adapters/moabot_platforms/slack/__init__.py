"""Slack: mention the bot, watch the models work, get one complete answer."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from moabot.hookspecs import hookimpl
from moabot.plugins import Register
from moabot_platforms.slack.settings import SlackSettings

if TYPE_CHECKING:
    from moabot_platforms.slack.platform import Slack

__all__ = ["moabot_register", "open_slack"]


def open_slack(settings: SlackSettings) -> AbstractAsyncContextManager[Slack]:
    """Slack, with tokens from the environment; its SDK is imported only now."""
    from moabot_platforms.slack.opening import opened

    return opened(settings)


@hookimpl
def moabot_register(register: Register) -> None:
    """Offer Slack."""
    register.platform("slack", open_slack, SlackSettings)
