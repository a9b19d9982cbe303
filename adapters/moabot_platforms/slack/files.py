"""Files that came with a message: fetched from Slack, and from nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp

from moabot.contract import Attachment
from moabot_platforms.attached import MOST, Fetched, gathered, is_wanted
from moabot_platforms.slack.payload import Json, text

__all__ = ["Files"]

FILE_BYTES = 5_000_000
WITHIN_S = 2.0
"""For all of them: a message must be acknowledged within three seconds."""


class Files:
    """Fetches with the bot's `token`, which goes to Slack's hosts only.

    `api_url` is where Slack's Web API is; its host counts as Slack's.
    """

    def __init__(self, session: aiohttp.ClientSession, token: str, *, api_url: str) -> None:
        self._session = session
        self._token = token
        self._api = urlsplit(api_url)

    async def fetch(self, files: Sequence[Json]) -> Fetched:
        """Each file as a picture, as text, or as a note why it is neither."""
        until = asyncio.get_running_loop().time() + WITHIN_S
        found = [(_name(file), await self._one(file, until)) for file in files[:MOST]]
        found += [(_name(file), f"only {MOST} are read") for file in files[MOST:]]
        return gathered(found)

    async def _one(self, file: Json, until: float) -> Attachment | str:
        try:
            async with asyncio.timeout_at(until):
                return await self._fetched(file)
        except TimeoutError:
            return "it could not be read in time"

    async def _fetched(self, file: Json) -> Attachment | str:
        """The file, or why there is none."""
        kind, url = text(file, "mimetype"), text(file, "url_private")
        if not is_wanted(kind):
            return f"no model here takes {kind or 'that kind'}"
        if not self._is_slack(url):
            return "it does not lie at Slack"
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            # No redirect: the token must not travel on.
            async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200 or answer.content_type == "text/html" != kind:
                    return f"Slack answered {answer.status}, is the scope files:read there?"
                data = await answer.content.read(FILE_BYTES + 1)
                while len(data) <= FILE_BYTES and not answer.content.at_eof():
                    data += await answer.content.read(FILE_BYTES + 1 - len(data))
        except (aiohttp.ClientError, OSError) as error:
            return type(error).__name__
        if len(data) > FILE_BYTES:
            return f"it has more than {FILE_BYTES // 1_000_000} MB"
        return Attachment(text(file, "name"), kind, data)

    def _is_slack(self, url: str) -> bool:
        try:
            there = urlsplit(url)
            at_api = (there.scheme, there.netloc) == (self._api.scheme, self._api.netloc)
        except ValueError:
            return False
        host = there.hostname or ""
        at_slack = host == "slack.com" or host.endswith((".slack.com", ".slack-files.com"))
        return at_api or (there.scheme == "https" and at_slack and there.port in {None, 443})


def _name(file: Json) -> str:
    return text(file, "name") or "a file"
