"""Files that came with a question: fetched from Discord, and from nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import discord

from moabot.contract import Attachment
from moabot_platforms.attached import MOST, Fetched, gathered, is_wanted

__all__ = ["Files"]

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
WITHIN_S = 10.0
"""For all of them: somebody waits for the answer."""


@dataclass(frozen=True, slots=True)
class Files:
    """Fetches from Discord's own `hosts` alone, and no file of more than `most_bytes`."""

    most_bytes: int
    hosts: frozenset[str] = HOSTS

    async def fetched(self, attached: Sequence[discord.Attachment]) -> Fetched:
        """Each file as a picture, as text, or as a note why it is neither."""
        until = asyncio.get_running_loop().time() + WITHIN_S
        found = [(file.filename, await self._one(file, until)) for file in attached[:MOST]]
        found += [(file.filename, f"only {MOST} are read") for file in attached[MOST:]]
        return gathered(found)

    async def _one(self, file: discord.Attachment, until: float) -> Attachment | str:
        """The file, or why there is none."""
        kind = (file.content_type or "").partition(";")[0]
        if not is_wanted(kind):
            return f"no model here takes {kind or 'that kind'}"
        if urlsplit(file.url).hostname not in self.hosts:
            return "it does not lie at Discord"
        if file.size > self.most_bytes:
            return f"it has more than {self.most_bytes / 1e6:.0f} MB"
        try:
            async with asyncio.timeout_at(until):
                return Attachment(file.filename, kind, await file.read())
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            return f"Discord did not give it ({type(error).__name__})"
