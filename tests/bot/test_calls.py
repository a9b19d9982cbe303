"""One call: retried, bounded, backed up, paid for; all in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import pytest

from moabot.budget import Budget
from moabot.calls import Calls, Model, Order, Patience
from moabot.contract import (
    Attachment,
    Completion,
    Prompt,
    Proposal,
    Provider,
    Turn,
    Usage,
    Wrote,
)
from moabot.errors import (
    BudgetSpent,
    ProviderBusy,
    ProviderError,
    ProviderGarbled,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
)
from moabot.pricing import Price
from moabot.recorder import Recorder
from moabot.testing import RecordingReply, Script, ScriptedProvider, hangs, says
from moabot.voice import Voice

pytestmark = pytest.mark.virtual_time

PROMPT = Prompt("system", (Turn("user", "question"),), max_tokens=100)
PRICE = Price(Decimal("0.001"), Decimal("0.0005"), Decimal("0.01"))
MOST_USD = Decimal("0.001") * (6 + 8 + 32) + Decimal("0.01") * 100


def busy(retry_after_s: float | None = None) -> ProviderBusy:
    """A rate limit."""
    return ProviderBusy("Slow down.", provider="p", model="m", retry_after_s=retry_after_s)


def broken(kind: type[ProviderError] = ProviderUnreachable) -> ProviderError:
    """Any other failure."""
    return kind("It broke.", provider="p", model="m")


class Panic(BaseException):
    """What a library raises that was not written in Python."""


@dataclass(frozen=True)
class _Returning:
    """A provider of somebody who does not check types."""

    reply: object

    async def complete(self, prompt: Prompt, *, model: str, wrote: Wrote | None = None) -> object:
        """Whatever it was told to return."""
        return self.reply


class Bench:
    """Calls on scripted models, with the records of one answer."""

    def __init__(
        self,
        scripts: Mapping[str, Script],
        *,
        limit_usd: Decimal | None = None,
        price: Price | None = None,
        at_once: int = 100,
        each: int = 100,
    ) -> None:
        self.provider = ScriptedProvider(scripts)
        gate = asyncio.Semaphore(each)
        self.models = {
            name: Model(
                name=name,
                vendor_name=name,
                provider_name="p",
                provider=self.provider,
                price=price,
                gate=gate,
            )
            for name in scripts
        }
        self.calls = Calls(self.models, at_once=at_once)
        self.reply = RecordingReply()
        self.recorder = Recorder(self.reply)
        self.budget = Budget(limit_usd)

    def order(
        self, *chain: str, until: float = 60, patience: Patience | None = None, stream: bool = False
    ) -> Order:
        """For a chain of models, or all of them."""
        voice = Voice(
            self.recorder.wrote,
            restart=self.recorder.restarted,
            clock=asyncio.get_running_loop().time,
        )
        return Order(
            slot="1.1",
            role="critical",
            chain=chain or tuple(self.models),
            prompt=PROMPT,
            until=until,
            patience=patience or Patience(),
            voice=voice if stream else None,
        )

    async def ask(self, order: Order | None = None) -> Proposal:
        """To the end; whoever streams has the last word."""
        order = order or self.order()
        done = await self.calls.ask(order, self.recorder, self.budget)
        if order.voice is not None:
            order.voice.settle(done.text)
        return done


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


async def test_an_answer_tells_who_gave_it_and_how_long_it_took() -> None:
    """The record of an answer is made of these."""
    bench = Bench({"a": says("Paris.", seconds=2)}, price=PRICE)

    done = await bench.ask()

    assert (done.slot, done.model, done.role, done.text) == ("1.1", "a", "critical", "Paris.")
    assert (done.seconds, done.usage.cost_usd) == (2.0, Decimal("0.06"))
    assert bench.budget.usage == done.usage


async def test_a_failure_is_tried_again_with_full_jitter() -> None:
    """Whoever retries in step with all others brings the provider down again."""
    starts: list[float] = []
    for _ in range(20):
        began = now()
        await Bench({"a": [says(error=broken()), says("Paris.")]}).ask()
        starts.append(now() - began)

    assert all(0 <= pause <= 0.5 for pause in starts)
    assert len(set(starts)) == 20


async def test_the_pause_doubles() -> None:
    """The third try gives the provider more time than the second."""
    pauses: list[float] = []
    for _ in range(30):
        began = now()
        bench = Bench({"a": [says(error=broken())] * 3 + [says("Paris.")]})
        await bench.ask(bench.order(until=now() + 60, patience=Patience(tries=4)))
        pauses.append(now() - began)

    assert max(pauses) <= 0.5 + 1 + 2
    assert max(pauses) > 1.5


async def test_retry_after_wins() -> None:
    """A provider that names a time is asked at that time, neither before nor much later."""
    bench = Bench({"a": [says(error=busy(7)), says("Paris.")]})

    done = await bench.ask()

    assert (done.text, now()) == ("Paris.", 7.0)


async def test_nobody_waits_beyond_the_deadline_for_a_retry() -> None:
    """The next model of the chain has a use for that time."""
    bench = Bench({"a": says(error=busy(100)), "b": says("Paris.")})

    done = await bench.ask()

    assert (done.model, now()) == ("b", 0.0)
    assert [failure.model for failure in bench.recorder.failures] == ["a"]


@pytest.mark.parametrize("kind", [ProviderRefused, ProviderRejected])
async def test_what_will_not_change_is_not_tried_again(kind: type[ProviderError]) -> None:
    """A wrong key is wrong three times, too."""
    bench = Bench({"a": says(error=broken(kind)), "b": says("Paris.")})

    assert (await bench.ask()).model == "b"
    assert len(bench.provider.asked("a")) == 1


async def test_the_last_error_is_raised_when_the_chain_is_through() -> None:
    """Each failure stands in the record; the caller needs one."""
    bench = Bench({"a": says(error=broken(ProviderRejected)), "b": says(error=broken())})

    with pytest.raises(ProviderUnreachable, match="It broke"):
        await bench.ask()
    assert [(f.model, f.slot) for f in bench.recorder.failures] == [("a", "1.1"), ("b", "1.1")]
    assert len(bench.provider.asked("b")) == 3


async def test_a_call_has_its_time_and_not_more() -> None:
    """SDKs wait ten minutes by default; a person does not. The time is up once, not thrice."""
    bench = Bench({"a": hangs(), "b": says("Paris.")}, price=PRICE)

    done = await bench.ask(bench.order(patience=Patience(call_timeout_s=5)))

    assert (done.model, now(), bench.provider.cancelled) == ("b", 5.0, ["a"])
    assert bench.budget.usage.calls == 2
    assert bench.budget.usage.estimated


async def test_the_deadline_cuts_a_call_short_without_blaming_the_model() -> None:
    """Who was asked in the last second cannot be called slow for not answering."""
    bench = Bench({"a": hangs()})
    for _ in range(6):
        with pytest.raises(ProviderTimeout):
            await bench.ask(bench.order(until=now() + 1))

    assert bench.models["a"].breaker.closed_in(now()) == 0


async def test_an_empty_text_is_a_failure() -> None:
    """Peers show it, and cache it."""
    bench = Bench({"a": says(" \n"), "b": says("Paris.")})

    assert (await bench.ask()).text == "Paris."
    assert "The answer is empty." in bench.recorder.failures[0].error


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        SystemExit(3),
        asyncio.CancelledError(),
        Panic(),
        GeneratorExit(),
        KeyboardInterrupt(),
    ],
    ids=["a bug", "an exit", "a cancellation", "a panic", "a close", "a Ctrl-C of its own"],
)
async def test_a_plugin_that_breaks_costs_one_call(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Other people's code must not take an answer with it, or the bot; its author reads why."""
    bench = Bench({"a": says(error=error), "b": says("Paris.")})

    assert (await bench.ask()).model == "b"
    assert type(error).__name__ in bench.recorder.failures[0].error
    assert [record.exc_info for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        "Paris.",
        Completion(cast("str", 42), Usage(1), "end"),
        Completion("Paris.", cast("Usage", None), "end"),
        Completion("Paris.", Usage(1, cost_usd=cast("Decimal", 0.01)), "end"),
        Completion("Paris.", Usage(1, cost_usd=Decimal(-100)), "end"),
        Completion("Paris.", Usage(1, output_tokens=cast("int", None)), "end"),
    ],
    ids=["nothing", "a bare text", "a number", "no usage", "a float", "a gift", "no tokens"],
)
async def test_a_plugin_that_returns_nonsense_costs_one_call(reply: object) -> None:
    """A provider needs no type checker to be installed; it must not break the whole answer."""
    bench = Bench({"a": says("…"), "b": says("Paris.")})
    bench.models["a"].provider = cast("Provider", _Returning(reply))

    assert (await bench.ask()).model == "b"
    assert "Completion" in bench.recorder.failures[0].error


@dataclass(frozen=True)
class _Writing:
    """A provider that streams what is no text."""

    piece: object

    async def complete(self, prompt: Prompt, *, model: str, wrote: Wrote) -> Completion:
        """Stream it, then answer well."""
        wrote(cast("str", self.piece))
        return Completion("Lyon.", Usage(1), "end")


@pytest.mark.parametrize("piece", [None, 123, b"Lyon."])
async def test_a_plugin_that_streams_no_text_costs_one_call(piece: object) -> None:
    """A piece that is no text would break the answer for all, where the pieces are joined."""
    bench = Bench({"a": says("…"), "b": says("Paris.")})
    bench.models["a"].provider = cast("Provider", _Writing(piece))

    assert (await bench.ask(bench.order(stream=True))).model == "b"
    assert bench.recorder.shown == "Paris."
    assert "TypeError" in bench.recorder.failures[0].error


@pytest.mark.parametrize("wish", ["soon", float("nan"), float("inf"), -1], ids=str)
async def test_a_wait_that_is_none_is_not_kept(wish: object) -> None:
    """A plugin may hand over a header as it came; the try after it must still be made."""
    bench = Bench({"a": [says(error=busy(cast("float", wish))), says("Paris.")]})

    assert (await bench.ask()).text == "Paris."
    assert now() < 60


async def test_half_a_surrogate_pair_in_an_error_is_not_passed_on() -> None:
    """Vendors quote what they were sent; what cannot be written would lose the answer."""
    error = ProviderRejected("It says \ud83d.", provider="p", model="a")
    bench = Bench({"a": says(error=error), "b": says("Paris.")})

    assert (await bench.ask()).model == "b"
    assert "It says \ufffd." in bench.recorder.failures[0].error


async def test_after_five_failures_a_model_is_left_alone() -> None:
    """A person waits for a dead provider five times, not every time."""
    bench = Bench({"a": says(error=broken()), "b": says("Paris.")})
    for _ in range(3):
        await bench.ask()

    assert len(bench.provider.asked("a")) == 5
    assert "asked again in" in bench.recorder.failures[-1].error


async def test_cancelled_calls_do_not_open_the_breaker() -> None:
    """Stragglers are stopped all the time; that is our doing."""
    bench = Bench({"a": hangs()})
    for _ in range(10):
        task = asyncio.create_task(bench.ask())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert bench.models["a"].breaker.closed_in(now()) == 0


async def test_a_last_resort_asks_a_resting_model_after_those_that_work() -> None:
    """When nobody else is left, a model that failed a second ago is better than no answer."""
    bench = Bench({"a": [says(error=broken())] * 5 + [says("Paris.")], "b": says(error=broken())})
    for _ in range(2):
        with pytest.raises(ProviderError):
            await bench.ask(bench.order("a"))
    order = bench.order("a", "b")
    last = Order(
        slot="1.1",
        role="",
        chain=order.chain,
        prompt=PROMPT,
        until=60,
        patience=Patience(tries=1),
        last_resort=True,
    )

    assert (await bench.ask(last)).model == "a"
    assert [model for model, _ in bench.provider.prompts][-2:] == ["b", "a"]


async def test_a_probe_that_the_budget_forbids_is_given_back() -> None:
    """Or the model would stay shut out for as long as the bot runs."""
    bench = Bench({"a": says(error=broken())}, price=PRICE)
    for _ in range(2):
        with pytest.raises(ProviderError):
            await bench.ask()
    await asyncio.sleep(10)
    bench.budget.limit_usd = Decimal("0.01")
    with pytest.raises(BudgetSpent):
        await bench.ask(bench.order(until=99))

    assert bench.models["a"].breaker.closed_in(now()) == 0


async def test_a_probe_that_is_cancelled_is_given_back() -> None:
    """A straggler that was the probe must not shut its model out for good."""
    bench = Bench({"a": [says(error=broken())] * 5 + [hangs()]})
    for _ in range(2):
        with pytest.raises(ProviderError):
            await bench.ask()
    await asyncio.sleep(10)
    probe = asyncio.create_task(bench.ask(bench.order(until=99)))
    await asyncio.sleep(1)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)

    assert len(bench.provider.asked("a")) == 6
    assert bench.models["a"].breaker.closed_in(now()) == 0


async def test_the_limits_of_lines_hold_and_the_call_s_time_begins_when_it_is_let_through() -> None:
    """Ten at once on two lines: five rounds, and nobody times out for having queued."""
    bench = Bench({"a": says("Paris.", seconds=4)}, each=2)
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(bench.provider.running))
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    patience = Patience(call_timeout_s=5, tries=1)
    order = bench.order(patience=patience)
    done = await asyncio.gather(*(bench.ask(order) for _ in range(10)))
    watching.cancel()

    assert (most, now()) == (2, 20.0)
    assert {proposal.seconds for proposal in done} == {4.0}


async def test_the_limit_over_all_providers_holds() -> None:
    """File descriptors are the process's, not a provider's."""
    bench = Bench({"a": says("Paris.", seconds=4)}, at_once=1)
    await asyncio.gather(bench.ask(), bench.ask())

    assert now() == 8.0


async def test_whoever_queues_until_the_deadline_was_not_asked_and_costs_nothing() -> None:
    """Neither money nor the model's reputation may suffer for our own queue."""
    bench = Bench({"a": hangs()}, each=1, price=PRICE)
    first = asyncio.create_task(bench.ask(bench.order(patience=Patience(call_timeout_s=50))))
    await asyncio.sleep(1)

    with pytest.raises(ProviderTimeout, match="not its turn"):
        await bench.ask(bench.order(until=10))
    assert (now(), bench.budget.usage.calls) == (10.0, 0)
    first.cancel()


async def test_a_call_cancelled_while_it_queues_costs_nothing() -> None:
    """It was never made; an estimate for it would be an invention."""
    bench = Bench({"a": hangs()}, each=1, price=PRICE)
    tasks = [asyncio.create_task(bench.ask()) for _ in range(2)]
    await asyncio.sleep(1)
    tasks[1].cancel()
    await asyncio.sleep(0)

    assert [stopped.usage.calls for stopped in bench.recorder.stopped] == [0]
    tasks[0].cancel()


async def test_what_a_cancelled_call_cost_is_estimated_from_the_model_s_pace() -> None:
    """Half the usual time is half the usual text."""
    bench = Bench({"a": [says("Paris.", seconds=10), hangs()]}, price=PRICE)
    await bench.ask()
    task = asyncio.create_task(bench.ask())
    await asyncio.sleep(4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    (stopped,) = bench.recorder.stopped
    assert (stopped.slot, stopped.model, stopped.seconds) == ("1.1", "a", 4.0)
    assert (stopped.usage.output_tokens, stopped.usage.estimated) == (2, True)
    assert stopped.usage.cost_usd == Decimal("0.001") * 4 + Decimal("0.01") * 2


async def test_what_a_cancelled_stream_cost_is_estimated_from_what_it_said() -> None:
    """What was seen was surely written."""
    bench = Bench({"a": says("four char word here", word_s=2)}, price=PRICE)
    task = asyncio.create_task(bench.ask(bench.order(stream=True)))
    await asyncio.sleep(3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert bench.recorder.stopped[0].usage.output_tokens == 3  # "four char", nine letters


async def test_a_retry_that_is_cancelled_in_its_pause_is_on_record_as_failed() -> None:
    """It was asked and gave nothing: whoever reads the record must find it."""
    bench = Bench({"a": says(error=busy(30))})
    task = asyncio.create_task(bench.ask())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [failure.model for failure in bench.recorder.failures] == ["a"]


@pytest.mark.parametrize(
    ("error", "estimated"),
    [(broken(ProviderGarbled), True), (broken(ProviderRefused), True), (busy(), False)],
    ids=["nonsense", "a refusal", "a rate limit"],
)
async def test_failures_that_vendors_bill_are_estimated(
    error: ProviderError, *, estimated: bool
) -> None:
    """A refusal is written by a model, and paid for; a rate limit is not."""
    bench = Bench({"a": says(error=error)}, price=PRICE)
    with pytest.raises(ProviderError):
        await bench.ask(bench.order(patience=Patience(tries=1)))

    assert bench.budget.usage.calls == 1
    assert bench.budget.usage.estimated is estimated
    assert bool(bench.budget.usage.cost_usd) is estimated


async def test_the_budget_holds_for_calls_side_by_side() -> None:
    """Money for two worst cases lets two through, also when four come at once."""
    bench = Bench({"a": says("Paris.", seconds=1)}, limit_usd=2 * MOST_USD, price=PRICE)

    done = await asyncio.gather(*(bench.ask() for _ in range(4)), return_exceptions=True)

    assert [isinstance(value, BudgetSpent) for value in done] == [False, False, True, True]
    assert bench.budget.usage.cost_usd == 2 * Decimal("0.06")


async def test_what_was_set_aside_and_not_used_is_there_for_the_next_call() -> None:
    """Or the second call of an answer would find a budget spent that is not."""
    bench = Bench({"a": says("Paris.")}, limit_usd=MOST_USD + Decimal("0.06"), price=PRICE)
    await bench.ask()

    assert (await bench.ask()).text == "Paris."


async def test_the_worst_case_counts_a_token_for_every_byte() -> None:
    """Chinese takes four times the tokens that a rule of thumb for English sees."""
    bench = Bench({"a": says("Paris.")}, limit_usd=MOST_USD - Decimal("0.0001"), price=PRICE)

    with pytest.raises(BudgetSpent):
        await bench.ask()


async def test_a_silent_model_gets_a_backup_after_twice_its_usual_time() -> None:
    """Learned from its own calls: ten of one second make two seconds of patience."""
    bench = Bench({"a": [says("Paris.", seconds=1)] * 10 + [hangs()], "b": says("Lyon.")})
    for _ in range(10):
        await bench.ask(bench.order("a"))
    began = now()

    done = await bench.ask(bench.order("a", "b", patience=Patience(hedge=True)))

    assert (done.model, now() - began) == ("b", 2.0)
    assert bench.provider.cancelled == ["a"]
    assert [stopped.model for stopped in bench.recorder.stopped] == ["a"]


async def test_before_anything_was_learned_patience_is_a_quarter_of_the_call_s_time() -> None:
    """The first answers of a fresh bot are hedged, too, only later."""
    bench = Bench({"a": [hangs(), says("Paris.", seconds=1)]})

    done = await bench.ask(bench.order(patience=Patience(call_timeout_s=20, hedge=True)))

    assert (done.text, now()) == ("Paris.", 6.0)


async def test_a_streaming_model_is_not_silent_and_a_stalled_one_is() -> None:
    """Patience begins anew with each word."""
    slow = says("one two three four five six", word_s=4)
    bench = Bench({"a": slow, "b": says("Lyon.")})
    patience = Patience(call_timeout_s=30, hedge=True)
    done = await bench.ask(bench.order(patience=patience, stream=True))
    assert (done.model, bench.reply.text) == ("a", "one two three four five six")

    bench = Bench({"a": says("one two", word_s=1000), "b": says("Lyon is it.")})
    done = await bench.ask(bench.order(patience=patience, stream=True, until=99))

    assert (done.model, bench.reply.text) == ("b", "Lyon is it.")


async def test_who_queues_for_a_line_is_not_hedged() -> None:
    """Under load every call queues; a backup for each would double the load."""
    bench = Bench({"a": says("Paris.", seconds=6)}, each=1)
    patience = Patience(call_timeout_s=30, hedge=True)

    await asyncio.gather(*(bench.ask(bench.order(patience=patience)) for _ in range(4)))

    assert len(bench.provider.prompts) == 4


async def test_the_winner_s_text_is_shown_whole_and_once() -> None:
    """A stalled first and its backup both spoke; the person reads one text."""
    bench = Bench({"a": says("Lyon is it.", word_s=1000), "b": says("It is Paris.", word_s=1)})

    await bench.ask(bench.order(patience=Patience(call_timeout_s=8, hedge=True), stream=True))

    assert bench.reply.text == "It is Paris."
    assert len(bench.reply.named("restarted")) == 1


async def test_a_stream_that_breaks_is_begun_again_on_a_clean_page() -> None:
    """Half a sentence of the first try in front of the second would be nonsense."""
    bench = Bench({"a": [says("It is Ly", error=broken()), says("It is Paris.")]})

    done = await bench.ask(bench.order(stream=True))

    assert (done.text, bench.reply.text) == ("It is Paris.", "It is Paris.")
    assert bench.budget.usage.calls == 2
    assert bench.budget.usage.estimated


async def test_a_model_that_cannot_see_is_told_of_the_picture() -> None:
    """It can then say so, instead of guessing."""
    bench = Bench({"a": says("A cat.")})
    bench.models["a"].images = False
    picture = Attachment("cat.png", "image/png", b"")
    prompt = Prompt("", (Turn("user", "before"), Turn("user", "What is it?", (picture,))))
    order = Order(slot="1.1", role="", chain=("a",), prompt=prompt, until=60, patience=Patience())

    await bench.ask(order)

    (seen,) = bench.provider.asked("a")
    assert [turn.images for turn in seen.turns] == [(), ()]
    assert "cannot see" in seen.turns[1].text
    assert seen.turns[0].text == "before"


async def test_names_of_the_configuration_stand_in_errors() -> None:
    """A person knows the names in config.toml, an adapter the vendor's."""
    bench = Bench({"a": says(error=broken(ProviderRejected))})

    with pytest.raises(ProviderRejected, match=r"^p/a: It broke"):
        await bench.ask()
