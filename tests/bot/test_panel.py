"""What a strategy may rely on, through the whole corridor, in virtual time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from moabot.config import ChannelSettings
from moabot.contract import Answer, Prompt
from moabot.errors import ProviderBusy, ProviderError, ProviderRejected, ProviderUnreachable
from moabot.testing import (
    RecordingReply,
    Said,
    Script,
    ScriptedProvider,
    ask,
    hangs,
    rehearsal,
    says,
)
from moabot_strategies.prompts import PROMPTS

pytestmark = pytest.mark.virtual_time

QUESTION = "What is the capital of France?"


def down() -> Said:
    """A model that cannot be reached."""
    return says(error=ProviderUnreachable("No connection.", provider="p", model="m"))


def refuses() -> Said:
    """A model that is not even tried twice."""
    return says(error=ProviderRejected("Wrong key.", provider="p", model="m"))


async def asked(
    scripts: dict[str, Script], *, wish: ChannelSettings | None = None, **panel: object
) -> tuple[Answer, RecordingReply, ScriptedProvider]:
    """One question to a panel of a, b and c; its answer, what was shown, who was asked."""
    provider = ScriptedProvider(scripts)
    async with rehearsal(provider, models=("a", "b", "c", "s"), panel={**PANEL, **panel}) as app:
        reply = await ask(app, QUESTION, wish=wish or ChannelSettings())
    assert reply.answer is not None, reply.error
    assert len(asyncio.all_tasks()) == 1
    return reply.answer, reply, provider


PANEL: dict[str, object] = {
    "proposers": [{"model": "a"}, {"model": "b"}, {"model": "c"}],
    "synthesizer": ["s"],
    "fallback": ["a", "b", "c"],
    "quorum": 2,
    "tries": 1,
}


async def test_a_hanging_proposer_costs_the_grace_and_is_named() -> None:
    """Peers wait 30 seconds or for ever. The straggler is stopped, billed and on record."""
    answer, _, provider = await asked(
        {"a": says("Paris.", seconds=2), "b": says("Paris.", seconds=3), "c": hangs()}
    )

    assert (answer.text, answer.seconds) == ("s says so.", 4.0)
    assert answer.degraded == "2 of 3 models answered in time."
    assert provider.cancelled == ["c"]
    (stopped,) = answer.cancelled
    assert (stopped.slot, stopped.model, stopped.seconds) == ("1.3", "c", 4.0)
    assert stopped.usage.estimated
    assert answer.usage.calls == 4


async def test_the_grace_lets_a_third_in_and_nothing_is_degraded() -> None:
    """Almost in time is in time."""
    answer, _, _ = await asked({"b": says("Paris.", seconds=3), "c": says("Paris.", seconds=3.9)})

    assert (len(answer.proposals), answer.degraded, answer.seconds) == (3, "", 3.9)


async def test_below_the_quorum_the_survivors_are_used_and_the_person_is_told() -> None:
    """Answering with the survivors is right 83.2 % of the time, a lone model 63.7 %."""
    answer, _, provider = await asked({"a": says("It is Paris."), "b": down(), "c": refuses()})

    assert answer.degraded == "Too few models answered (1)."
    assert [failure.model for failure in answer.failures] == ["b", "c"]
    assert "It is Paris." in provider.asked("a")[-1].turns[-1].text


async def test_when_all_proposers_fail_one_model_is_asked_alone() -> None:
    """The last resort asks even those that have just failed."""
    answer, _, provider = await asked(
        {"a": [down(), says("Paris.")], "b": down(), "c": down()}, deadline_s=20
    )

    assert answer.text == "Paris."
    assert answer.degraded == "Too few models answered (0), so one model wrote this alone."
    assert "[proposal" not in provider.asked("a")[-1].turns[-1].text


async def test_when_everything_fails_the_person_is_told_why() -> None:
    """A sentence and a reference, not silence, and never an error's text as the answer."""
    provider = ScriptedProvider(dict.fromkeys("abc", refuses()))
    async with rehearsal(provider) as app:
        reply = await ask(app, QUESTION)

    assert (reply.answer, reply.text) == (None, "")
    assert isinstance(reply.error, ProviderError)


async def test_the_synthesizer_has_a_chain() -> None:
    """The one call that everybody waits for must not be a single point of failure."""
    answer, reply, _ = await asked({"s": refuses()}, synthesizer=["s", "b"])

    assert answer.text == reply.text == "b says so."
    assert answer.degraded == "b stood in for s."


async def test_when_no_synthesizer_answers_the_best_proposal_is_shown_and_labelled() -> None:
    """Not an error's text, not an empty answer, not an unlabelled proposal."""
    answer, reply, _ = await asked(
        {"a": says("Lyon."), "b": says("Paris."), "c": says("It is Paris."), "s": refuses()}
    )

    assert answer.text == reply.text == "Paris."
    assert answer.degraded == (
        "This is the best single proposal, as it came. No model could combine them."
    )


async def test_when_the_fallback_fails_too_a_survivor_is_shown() -> None:
    """What was paid for is not thrown away."""
    answer, _, _ = await asked(
        {"a": [says("It is Paris."), refuses()], "b": refuses(), "c": refuses(), "s": refuses()}
    )

    assert answer.text == "It is Paris."
    assert answer.degraded.startswith("Too few models answered (1). This is the best single")


async def test_an_aggregator_has_a_chain_and_a_missing_layer_is_labelled() -> None:
    """One aggregator failing, both failing: the answer comes, and says what it lacks."""
    deep = ChannelSettings(preset="deep")
    chains = [["a", "b"], ["c"]]

    def combining_fails(prompt: Prompt) -> Said:
        return refuses() if "[proposal" in prompt.turns[-1].text else says("Paris.")

    whole, _, _ = await asked({"a": combining_fails}, aggregators=chains, wish=deep)
    fewer, _, _ = await asked({"c": combining_fails}, aggregators=chains, quorum=1, wish=deep)
    failing: dict[str, Script] = dict.fromkeys("abc", combining_fails)
    none, _, provider = await asked(failing, aggregators=chains, wish=deep)

    assert whole.degraded == "b stood in for a."
    assert fewer.degraded == "1 of 2 aggregators answered in time."
    assert none.degraded == "No aggregator answered, so a layer was left out."
    assert provider.asked("s")[0].turns[-1].text.count("Paris.") == 3


async def test_the_deadline_holds_for_the_whole_answer() -> None:
    """Whatever hangs, a person has something by then."""
    answer, _, _ = await asked(
        {"a": says("Paris."), "b": hangs(), "c": hangs(), "s": hangs()},
        deadline_s=10,
        call_timeout_s=30,
        hedge=False,
    )
    assert (answer.text, answer.seconds) == ("Paris.", 6.0)
    assert answer.degraded == "Too few models answered (1)."

    answer, _, _ = await asked({"s": hangs()}, deadline_s=10, hedge=False)
    assert (answer.text, answer.seconds) == ("a says so.", 10.0)
    assert "best single proposal" in answer.degraded


async def test_a_silent_synthesizer_gets_a_backup() -> None:
    """After the quorum this one call owns the p99."""
    answer, reply, provider = await asked({"s": hangs()}, synthesizer=["s", "b"], call_timeout_s=20)

    assert (answer.text, answer.seconds) == (reply.text, 5.0)
    assert provider.cancelled == ["s"]
    assert [stopped.model for stopped in answer.cancelled] == ["s"]
    assert answer.usage.calls == 5


async def test_a_quorum_without_slack_hedges_its_proposers() -> None:
    """Two of two: nobody else can take the place of a silent one, if later than a writer's."""
    answer, _, _ = await asked(
        {"b": hangs()}, wish=ChannelSettings(preset="balanced"), call_timeout_s=20
    )

    assert (answer.degraded, answer.seconds) == ("c stood in for b.", 10.0)
    assert {proposal.model for proposal in answer.proposals} == {"a", "c"}


async def test_a_stream_that_breaks_leaves_no_half_sentence() -> None:
    """The person sees a clean text, whole."""
    broken = says("It is Ly", error=ProviderBusy("Too much.", provider="p", model="m"))
    answer, reply, _ = await asked({"s": [broken, says("It is Paris.")]}, tries=2)

    assert (answer.text, reply.text) == ("It is Paris.", "It is Paris.")


async def test_the_first_proposer_that_speaks_is_the_draft_and_the_synthesis_replaces_it() -> None:
    """Something to read after half a second instead of five."""
    _, reply, _ = await asked(
        {
            "a": says("It may be Lyon.", seconds=1, word_s=1),
            "b": says("Paris it is.", seconds=0.5, word_s=1),
            "c": says("Quick.", seconds=2),
        }
    )

    assert "".join(map(str, reply.named("drafted"))) == "Paris it is."
    assert min(event.at for event in reply.events if event.what == "drafted") == 0.5
    assert reply.text == "s says so."


async def test_a_draft_whose_author_fails_is_taken_back() -> None:
    """Nobody should read on in a text that will not be finished."""
    _, reply, _ = await asked(
        {
            "a": says("Lyon", error=ProviderBusy("No.", provider="p", model="m")),
            "b": says("It is Paris.", seconds=1),
            "c": says("Paris.", seconds=1),
        },
        fallback=["a"],
    )

    assert reply.draft == "It is Paris."


async def test_without_a_draft_the_proposers_are_not_streamed() -> None:
    """Some channels prefer silence to a text that changes."""
    _, reply, _ = await asked({}, wish=ChannelSettings(draft=False))

    assert reply.named("drafted") == []
    assert len(reply.named("wrote")) > 1


async def test_without_streaming_the_answer_comes_in_one_piece() -> None:
    """For scripts, and for platforms that cannot edit."""
    _, reply, _ = await asked({}, wish=ChannelSettings(stream=False))

    assert reply.named("wrote") == ["s says so."]
    assert reply.named("drafted") == []


async def test_agreement_counts_the_proposals_of_the_first_layer() -> None:
    """Aggregators repeat what they read; they are no further opinions."""
    answer, _, _ = await asked(
        {"a": says("Paris."), "b": says("Lyon."), "c": says("Paris."), "s": says("It is Paris.")},
        wish=ChannelSettings(preset="deep"),
        quorum=3,
    )

    assert answer.agreement is not None
    assert (answer.agreement.support, answer.agreement.of) == (2, 3)
    assert answer.agreement.dissent == ("1.2",)
    assert len(answer.proposals) == 5


async def test_a_budget_that_is_spent_is_said_and_the_best_proposal_shown() -> None:
    """Never a cent over, never without a word."""
    answer, _, provider = await _with_prices({"s": says("Never.")}, budget=Decimal("0.0100"))

    assert answer.text == "a says so."
    assert "best single proposal" in answer.degraded
    assert "budget_usd" in answer.degraded
    assert provider.asked("s") == []


async def _with_prices(
    scripts: dict[str, Script], *, budget: Decimal
) -> tuple[Answer, RecordingReply, ScriptedProvider]:
    provider = ScriptedProvider(scripts)
    price = {"input": 1, "output": 10}
    models = {
        name: {"provider": "scripted", "name": name, "price": price} for name in ("a", "b", "c")
    }
    models["s"] = {"provider": "scripted", "name": "s", "price": {"input": 1, "output": 1000}}
    panel = {**PANEL, "budget_usd": budget, "max_tokens": 100}
    async with rehearsal(provider, {"models": models}, panel=panel) as app:
        reply = await ask(app, QUESTION)
    assert reply.answer is not None, reply.error
    return reply.answer, reply, provider


async def test_a_budget_with_an_unknown_price_is_an_error_that_says_what_to_set() -> None:
    """A limit that cannot be kept must not look kept."""
    async with rehearsal(ScriptedProvider(), panel={"budget_usd": 1}) as app:
        reply = await ask(app, QUESTION)

    assert "price" in str(reply.error)
    assert "[models.a]" in str(reply.error)


async def test_each_role_is_told_and_a_model_named_again_plays_another() -> None:
    """Self-MoA: the same model four times, but not the same thought four times."""
    provider = ScriptedProvider()
    panel = {"proposers": [{"model": "a", "role": "critical"}, {"model": "a"}]}
    async with rehearsal(provider, models=("a",), panel=panel) as app:
        reply = await ask(app, QUESTION, wish=ChannelSettings(preset="max"))

    assert reply.answer is not None
    roles = [p.role for p in reply.answer.proposals if p.slot.startswith("1.")]
    assert roles == ["critical", "proposer", "practical", "critical"]
    first = provider.prompts[0][1].turns[-1].text
    assert first == f"{QUESTION}\n\n{PROMPTS.roles['critical']}"


async def test_a_spare_of_the_fallback_stands_behind_each_proposer() -> None:
    """A proposer that fails is replaced, and the answer says by whom: it is not what was chosen."""
    answer, _, _ = await asked({"a": refuses()}, fallback=["s"])

    assert {proposal.model for proposal in answer.proposals} == {"s", "b", "c"}
    assert answer.degraded == "s stood in for a."


async def test_what_an_aggregator_reads_at_once_fits_the_window() -> None:
    """Each proposal is within its own bound here; all together they would burst a context."""
    long = says("x" * 900)
    _, _, provider = await asked(
        {"a": long, "b": long, "c": long},
        wish=ChannelSettings(preset="deep"),
        aggregators=[["s"]],
        window_chars=1500,
    )

    (read, *_) = provider.asked("s")
    assert read.turns[-1].text.count("x" * 500 + "\n[cut here") == 3
    assert "x" * 501 not in read.turns[-1].text


async def test_a_hanging_aggregator_costs_the_grace_too() -> None:
    """The panel's quorum holds for each layer."""

    def combining_hangs(prompt: Prompt) -> Said:
        return hangs() if "[proposal" in prompt.turns[-1].text else says("Paris.")

    answer, _, provider = await asked(
        {"c": combining_hangs},
        aggregators=[["a"], ["c"]],
        quorum=1,
        wish=ChannelSettings(preset="deep"),
    )

    assert (answer.seconds, provider.cancelled) == (1.0, ["c"])


async def test_with_slack_a_silent_proposer_gets_no_backup() -> None:
    """The quorum itself is the hedge, and costs nothing."""
    _, _, provider = await asked(
        {"a": says("Paris.", seconds=8), "b": says("Paris.", seconds=8), "c": hangs()},
        call_timeout_s=20,
    )

    assert len(provider.asked("c")) == 1
    assert len(provider.prompts) == 4


async def test_a_model_that_was_left_alone_is_asked_when_nobody_else_is_left() -> None:
    """A second after an outage an answer may come; "asked again in 5 s" is none."""
    provider = ScriptedProvider({"a": [*[down()] * 5, says("Back again.")]})
    panel = {"tries": 5}
    async with rehearsal(
        provider, {"defaults": {"strategy": "single"}}, models=("a",), panel=panel
    ) as app:
        first = await ask(app, QUESTION)
        second = await ask(app, QUESTION)

    assert first.error is not None
    assert second.answer is not None
    assert second.answer.text == "Back again."
