"""moabot answers in chats with a mixture of agents. These are the names a plugin may import."""

from moabot.contract import *  # noqa: F403
from moabot.hookspecs import hookimpl
