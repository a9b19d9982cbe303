"""What a chat can show of an answer on its way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from moabot.contract import Cancelled, Failure, Proposal, Question, Report, Usage
from moabot.terms import Terms
from moabot.testing import ScriptedProvider, rehearsal, says
from moabot_platforms.progress import Progress

USAGE = Usage(1, 10, 0, 5, Decimal("0.001"))

pytestmark = pytest.mark.virtual_time


def proposal(slot: str, model: str) -> Proposal:
    """What `model` answered after a second."""
    return Proposal(slot, model, "proposer", "Yes.", USAGE, 1.0)


async def test_steps_keep_the_order_of_asking_and_their_own_state() -> None:
    """A list that jumps about while models answer cannot be read."""
    progress = Progress()
    for slot, model in (("1.1", "a"), ("1.2", "b"), ("1.3", "c")):
        progress.asked(slot, model, "proposer")
    progress.cancelled(Cancelled("1.3", "c", 2.0, USAGE))
    progress.failed(Failure("1.2", "b", "busy", 0.5))
    progress.proposed(proposal("1.1", "a"))

    shown = [(step.model, step.state, step.seconds) for step in progress.steps]

    assert shown == [("a", "answered", 1.0), ("b", "failed", 0.5), ("c", "stopped", 2.0)]


async def test_the_sentence_counts_places_not_models() -> None:
    """A stand-in in the place of a failed model makes it no fourth of three."""
    progress = Progress()
    assert progress.standing == "Getting ready"
    for slot, model in (("1.1", "a"), ("1.2", "b")):
        progress.asked(slot, model, "critical")
    progress.failed(Failure("1.2", "b", "busy", 0.5))
    progress.asked("1.2", "c", "critical")
    progress.proposed(proposal("1.2", "c"))

    assert progress.standing == "1 of 2 models answered"


async def test_the_sentence_follows_the_layers() -> None:
    """Minutes pass in a deep answer; the person wants to know what is being done now."""
    progress = Progress()
    progress.asked("1.1", "a", "proposer")
    progress.proposed(proposal("1.1", "a"))
    progress.asked("2.1", "b", "aggregator")
    combining = progress.standing
    progress.asked("synthesizer", "c", "synthesizer")

    assert combining == "0 of 1 aggregators are done"
    assert progress.standing == "c writes the answer"


async def test_the_final_text_takes_the_place_of_the_draft() -> None:
    """Two texts one after the other would be read as one."""
    progress = Progress()
    progress.drafted("Per")
    progress.drafted("haps.")
    assert (progress.text, progress.is_draft) == ("Perhaps.", True)

    progress.wrote("Yes.")

    assert (progress.text, progress.is_draft) == ("Yes.", False)
    progress.restarted()
    assert progress.text == ""


async def test_a_judge_is_not_shown() -> None:
    """Its word is not for the person, and no answer of it is ever reported."""
    progress = Progress()
    progress.asked("judge", "a", "judge")
    progress.failed(Failure("judge", "a", "busy", 0.5))

    assert progress.steps == ()


async def test_each_event_is_told_to_the_platform() -> None:
    """What nobody is told of is not shown until something else happens."""
    told: list[str] = []
    progress = Progress(lambda: told.append(progress.standing))
    progress.asked("1.1", "a", "proposer")
    progress.proposed(proposal("1.1", "a"))
    progress.drafted("Yes.")
    progress.wrote("Yes.")
    progress.restarted()
    progress.failed(Failure("1.1", "a", "busy", 0.5))
    progress.cancelled(Cancelled("1.1", "a", 2.0, USAGE))

    assert len(told) == 7


async def test_a_real_answer_leaves_no_step_open() -> None:
    """The writer is never reported as done, so the platform's card would turn for ever."""
    provider = ScriptedProvider({"a": says("Yes.", seconds=2), "b": says("No.", seconds=1)})
    progress: Report = Progress()
    assert isinstance(progress, Progress)
    async with rehearsal(provider, models=("a", "b")) as app:
        settings = app.config.defaults.model_copy(update={"strategy": "mixture"})
        terms = Terms(settings, app.config, app.answering.prompts)
        await app.answering.think(Question("Is it?"), terms, progress)
        open_before = [step.role for step in progress.steps if step.state == "asked"]
        progress.ended()

    assert open_before == ["synthesizer"]
    assert {step.state for step in progress.steps} == {"answered"}
    assert progress.steps[-1].seconds == pytest.approx(2)
