"""A Discord on loopback: gateway and REST for one bot, and what people do and see there.

It speaks the real protocol to the real discord.py (and, unmodified, to discord.js), so that the
bot's own code is tested on the wire:

    async with FakeDiscord() as discord:
        with discord.in_place():            # discord.py calls this one now
            ...                             # start the bot with discord.token, then
            await discord.ready()
            discord.mention("What is up?", user="ada", channel="general")
            post = await discord.said("general")
            discord.click("👍", user="ada")
            await discord.gateway.drop()    # how: see Drop in gateway.py

What people do (each returns what was made, at once): `mention`, `reply`, `direct`, `say`,
`amend`, `remove`, `slash`, `menu`, `click`, `submit`; `autocomplete` waits for the choices.
What they see: `seen` (messages in a channel), `whispers` (what only one person sees), `pings`,
`fetched`, `state.typing`. What Discord counts: `gateway.identifies`, `gateway.resumes`,
`state.requests`, `state.invalid_requests`, `state.downloads`, `state.syncs`. What goes wrong: `state.faults`,
`gateway.drop`, `gateway.replay`, `forbid`, `state.revoke`. Nothing sleeps: `until` waits for a
change, `pass_time` moves the clock of interactions and nonces, `Limits(pace=100)` shortens the
windows of rate limits; the clock is the event loop's, so on a `LoopbackTimeLoop` (tests.fakes.loops)
minutes leap by with Discord's own limits. Channels and people are there as soon as they are named.

Where the real Discord is not known to the last detail, this one is the stricter: mentions in code
ring, links in layouts are fetched. It has one server (a foreign one by `elsewhere`), no roles but
@everyone, no voice, no member lists, no reactions of people, and it keeps sessions for ever.
"""

from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.limits import Faults, Limits
from tests.fakes.discord.reading import Ping
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.world import Channel, Post, User

__all__ = ["Channel", "FakeDiscord", "Faults", "Interaction", "Limits", "Ping", "Post", "User"]
