"""What a message would have done on the real Discord: whom it pings, what is fetched for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fakes.discord.world import SUPPRESS_EMBEDS, Json, Post, texts, walk

MENTION = re.compile(r"@(everyone|here)|<@!?(\d+)>|<@&(\d+)>")
CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]+`", re.DOTALL)
LINK = re.compile(r"(?<!<)\bhttps?://[^\s<>)\]]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody's client would have rung: `whom` is everyone, here, a user's or a role's id."""

    whom: str
    text: str


def pings(
    content: str, components: list[Json], *, allowed: Json | None, reply_to: Post | None
) -> list[Ping]:
    """Everybody whom this text rings, mentions inside code too: rather one too many.

    `allowed` is the request's allowed_mentions; None lets every mention ring, as Discord does.
    """
    text = "\n".join([content, *texts(components)])
    found = [
        Ping(whom, text)
        for match in MENTION.finditer(text)
        if (whom := _rings(match, allowed)) is not None
    ]
    if reply_to is not None and (allowed is None or allowed.get("replied_user")):
        found.append(Ping(reply_to.author.id, text))
    return found


def _rings(match: re.Match[str], allowed: Json | None) -> str | None:
    everyone, user, role = match.groups()
    kind, whom = (
        ("everyone", everyone) if everyone else ("users", user) if user else ("roles", role)
    )
    if allowed is None or kind in allowed.get("parse", []):
        return str(whom)
    return str(whom) if whom in map(str, allowed.get(kind) or []) else None


def fetched(post: Post) -> list[str]:
    """Every address that Discord would fetch to show this message, by itself, for everybody.

    Links in code or in angle brackets and those of a message with suppressed embeds are not;
    pictures of embeds, galleries and thumbnails always are.
    """
    found = [str(link) for part in walk(post.components) for link in _media(part)]
    found += [
        str(embed[kind]["url"])
        for embed in post.embeds
        for kind in ("image", "thumbnail", "video")
        if kind in embed
    ]
    if post.flags & SUPPRESS_EMBEDS:
        return found
    return found + LINK.findall(CODE.sub("", "\n".join([post.content, *texts(post.components)])))


def _media(part: Json) -> list[str]:
    items = [item["media"] for item in part.get("items", [])]
    items += [part[name] for name in ("media", "file") if name in part]
    return [item["url"] for item in items if not item["url"].startswith("attachment://")]
