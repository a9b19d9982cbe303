"""What the corridor remembers, logs and passes on."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from dataclasses import replace
from typing import cast

import pytest

from moabot.app import App
from moabot.config import ChannelSettings
from moabot.contract import Answer, Message, Question, Scope, Share, Usage
from moabot.errors import MoabotError, ProviderRejected
from moabot.explaining import Unseen
from moabot.hookspecs import hookimpl
from moabot.panel import Panel
from moabot.plugins import Register
from moabot.terms import Terms
from moabot.testing import RecordingReply, ScriptedProvider, ask, hangs, rehearsal, says

pytestmark = pytest.mark.virtual_time

SINGLE = {"defaults": {"strategy": "single"}}


class Memory:
    """A cache that remembers by text and key."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], Answer] = {}

    async def find(self, question: Question, *, key: str, share: Share) -> Answer | None:
        """What was kept."""
        found = self.kept.get((question.text, key, share))
        return found and replace(found, from_cache=True)

    async def keep(self, question: Question, answer: Answer, *, key: str, share: Share) -> None:
        """Keep it."""
        self.kept[question.text, key, share] = answer

    async def joined(self, question: Question, *, key: str, share: Share) -> None:
        """Nobody counts."""

    async def forget(self, event: str) -> None:
        """Forget all: there is one event."""
        self.kept.clear()


def with_memory(app: App) -> Memory:
    """Give the corridor a cache."""
    app.answering = replace(app.answering, cache=(memory := Memory()))
    return memory


async def test_an_answer_from_the_cache_costs_no_call() -> None:
    """And says where it comes from."""
    provider = ScriptedProvider()
    async with rehearsal(provider, SINGLE) as app:
        with_memory(app)
        first = await ask(app, "What now?")
        second = await ask(app, "What now?")

    assert first.answer is not None
    assert second.answer == replace(first.answer, from_cache=True)
    assert len(provider.prompts) == 1


async def test_a_degraded_answer_is_not_kept() -> None:
    """An outage of a minute must not be served for a week."""
    wrong = says(error=ProviderRejected("Wrong key.", provider="p", model="a"))
    async with rehearsal(ScriptedProvider({"a": wrong}), SINGLE) as app:
        memory = with_memory(app)
        reply = await ask(app, "What now?")

    assert reply.answer is not None
    assert reply.answer.degraded
    assert memory.kept == {}


@pytest.mark.parametrize(
    "wish",
    [{"strategy": "mixture"}, {"preset": "max"}, {"cache": "workspace"}],
    ids=str,
)
async def test_whoever_asks_another_way_is_asked_anew(wish: dict[str, str]) -> None:
    """Whoever wants four models must not get what one of them said."""
    provider = ScriptedProvider()
    async with rehearsal(provider, SINGLE) as app:
        with_memory(app)
        await ask(app, "What now?")
        reply = await ask(app, "What now?", wish=ChannelSettings.model_validate(wish))

    assert reply.answer is not None
    assert not reply.answer.from_cache


async def test_a_channel_may_go_without_a_cache() -> None:
    """Off is off: neither found nor kept."""
    async with rehearsal(ScriptedProvider(), SINGLE) as app:
        memory = with_memory(app)
        await ask(app, "What now?", wish=ChannelSettings(cache="off"))

    assert memory.kept == {}


async def test_one_record_an_answer_is_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Enough to find it and to count; what people say is theirs."""
    async with rehearsal(ScriptedProvider()) as app:
        with caplog.at_level(logging.INFO, "moabot"):
            await ask(app, "My secret plan?")

    (record,) = caplog.records
    fields = vars(record)
    assert record.message == "answered"
    assert (fields["strategy"], fields["calls"], fields["cost_usd"]) == ("mixture", 4, None)
    assert "secret" not in str(fields)
    assert "says so" not in str(fields)


async def test_a_report_of_any_kind_may_listen() -> None:
    """An evaluation has no chat to answer into."""
    async with rehearsal(ScriptedProvider()) as app:
        settings = app.answering.channels._defaults
        question = Question("What now?", scope=Scope("x", "y", "z"))
        terms = Terms(settings, app.config, app.answering.prompts)
        answer = await app.answering.think(question, terms, Unseen())

    assert answer.text == "a says so."


class Careless:
    """A strategy, let in by hand, whose answer lacks what only the log looks at."""

    @hookimpl
    def moabot_register(self, register: Register) -> None:
        """Offer itself."""
        register.strategy("careless", lambda _: nullcontext(self))

    async def answer(self, question: Question, panel: Panel) -> Answer:
        """Answer at once."""
        return Answer("Yes.", "careless", usage=cast("Usage", None))


async def test_what_breaks_after_an_answer_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The person has it; an error let out would end the platform, and all others with it."""
    tables = {"defaults": {"strategy": "careless"}}
    async with rehearsal(ScriptedProvider(), tables, plugins=(Careless(),)) as app:
        reply = await ask(app, "Is it so?")

    assert reply.answer is not None
    assert reply.answer.text == "Yes."
    assert [record.message for record in caplog.records if record.exc_info] == ["broken"]


class Unfinished(RecordingReply):
    """The reply of a platform whose author forgot a case."""

    async def finish(self, answer: Answer) -> None:
        """Break."""
        raise KeyError(answer.text)

    async def sorry(self, error: MoabotError, *, reference: str) -> None:
        """Break."""
        raise KeyError(reference)


@pytest.mark.parametrize("text", ["What now?", ""], ids=["an answer", "an apology"])
async def test_a_reply_that_breaks_is_logged(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """One answer is lost; the next message must find its platform alive."""
    async with rehearsal(ScriptedProvider()) as app:
        message = Message("test", "w", "c", "Ann", text, event_id="1")
        await app.answering.handle(message, Unfinished())

    assert "undelivered" in [record.message for record in caplog.records]


async def test_a_reply_that_breaks_when_it_is_stopped_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As above, for the one ending that a person asks for."""
    provider = ScriptedProvider({name: hangs() for name in "abc"})
    async with rehearsal(provider) as app:
        message = Message("test", "w", "c", "Ann", "What now?", event_id="1")
        answering = asyncio.create_task(app.answering.handle(message, Unfinished()))
        await asyncio.sleep(1)
        app.answering.stop("test:1")
        await answering

    assert "undelivered" in [record.message for record in caplog.records]
