"""An honest Slack on loopback: what a bot calls, what reaches it, and what people then see.

    async with FakeSlack() as slack:                     # listens on 127.0.0.1, a port of its own
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        …                                                # the real slack-bolt, over Socket Mode:
        AsyncSocketModeHandler(AsyncApp(client=client), slack.app_token)
        said = slack.mention("C1", "U1", "Why is the sky blue?")
        await said.acked()
        await slack.until(lambda: slack.thread("C1", said.ts)[-1].shown == "Because …")
        assert slack.refused == []                       # each call that Slack refused, and why

Ways in, all of which return an `Exchange` (`ts`, `tries`, `await acked()`, `answer`, `failure`):
`mention direct say edit delete slash click submit close_view shortcut open_home stop react install
uninstall event`. A mention comes twice, as `app_mention` and as `message`, as it does to an app which
subscribes to both. Events are redelivered at once, after 1 and after 5 minutes unless they are acked
in 3 seconds; commands, clicks and submissions are not: their person is told that it timed out.

State, as people see it: `thread(channel, ts)` and `posts(channel)` are `Post`s: `shown` is the text
on the screen, `before` what stood there earlier, `streaming`, `edited`, `to` (an ephemeral one),
`pings` and `pictures` what its text would ring and load. `status(channel, ts)`, `session(channel,
ts)`, `views`, `home(user)`. `calls` are all Web API calls, in order.

Limits are those of `Limits` (change one: `FakeSlack(limits=Limits(stream_life_s=10))`), tiers only
with `tiers=True`. Time is the event loop's, so it is virtual on a virtual loop (see `loops.py`), runs
faster with `speed=100`, and is moved by `slack.clock.leap(seconds)`. `slack.faults` injects, by
chance (seeded) or next in line: 429, 500, slow, lost after apply, cut before; events twice, late, out
of order. `slack.disconnect()` and `slack.cut()` end websockets, politely or not.
HTTP instead of Socket Mode: `FakeSlack(request_url=…, signing_secret=…)`, signed, with the schedule.
"""

from tests.fakes.slack.clock import Clock
from tests.fakes.slack.exchanges import Exchange, Try
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.limits import Limits
from tests.fakes.slack.service import FakeSlack
from tests.fakes.slack.workspace import Call, Post, View

__all__ = ["Call", "Clock", "Exchange", "FakeSlack", "Faults", "Limits", "Post", "Try", "View"]
