"""vote learns whom the others never support, and stops counting them."""

from __future__ import annotations

import pytest

from moabot.app import App
from moabot.config import ChannelSettings
from moabot.contract import Prompt, Question
from moabot.testing import ScriptedProvider, ask, hangs, rehearsal, says
from moabot_strategies.trust import ENOUGH, REMEMBERED, Trust

pytestmark = pytest.mark.virtual_time

FIVE = ("liar", "fake", "a", "b", "c")
WISH = ChannelSettings(strategy="vote")


def answering(text: str) -> str:
    """A ballot."""
    return f"Answer: {text}"


def colluding() -> ScriptedProvider:
    """Two that say 13 whatever is asked, before three that say 42."""
    honest = {model: says(answering("42")) for model in FIVE[2:]}
    return ScriptedProvider(
        {"liar": says(answering("13")), "fake": says(answering("13")), **honest}
    )


def every(questions: int) -> dict[str, dict[str, object]]:
    """A `vote` that asks all voters every so many questions."""
    vote: dict[str, object] = {"plugin": "vote", "ask_all_every": questions}
    return {"strategies": {"vote": vote}}


async def ask_many(app: App, times: int) -> list[str]:
    """The answers to so many questions."""
    replies = [await ask(app, f"Question {i}?", wish=WISH) for i in range(times)]
    return [reply.answer.text if reply.answer else "" for reply in replies]


async def test_two_that_collude_win_at_first_and_are_then_set_aside() -> None:
    """They are asked first and agree, so that stopping early would never hear the honest ones."""
    async with rehearsal(colluding(), models=FIVE) as app:
        answers = await ask_many(app, 2 * ENOUGH + 20)

    assert answers[0] == answering("13")
    assert answers[1] == answering("42")
    assert set(answers[2 * ENOUGH :]) == {answering("42")}


async def test_who_collude_cannot_hide_behind_being_slow() -> None:
    """Waiting for a majority alone would never hear those who answer last."""
    provider = colluding()
    provider.scripts["liar"] = provider.scripts["fake"] = says(answering("13"), seconds=9)
    async with rehearsal(provider, models=FIVE) as app:
        answers = await ask_many(app, 2 * ENOUGH + 4)

    assert set(answers[2 * ENOUGH :]) == {answering("42")}


async def test_once_all_are_known_a_hanging_voter_holds_nobody_up() -> None:
    """Asking everybody is for learning; a person must not wait for the slowest because of it."""
    provider = ScriptedProvider({model: says(answering("42"), seconds=1) for model in FIVE})
    async with rehearsal(provider, models=FIVE, tables=every(1)) as app:
        await ask_many(app, ENOUGH)
        provider.scripts["c"] = hangs()
        reply = await ask(app, "And now?", wish=WISH)

    assert reply.answer is not None
    assert reply.answer.seconds == 1


async def test_who_is_set_aside_is_asked_only_now_and_then() -> None:
    """A voter who does not count costs money, yet must be heard to win trust back."""
    provider = colluding()
    async with rehearsal(provider, models=FIVE) as app:
        await ask_many(app, 2 * REMEMBERED)
        before = len(provider.asked("liar"))
        await ask_many(app, 24)

    assert len(provider.asked("liar")) - before == 2


async def test_a_voter_that_mends_its_ways_is_counted_again() -> None:
    """A vendor's bad day must not leave a model out for as long as the process lives."""
    provider = colluding()
    async with rehearsal(provider, models=FIVE, tables=every(1)) as app:
        await ask_many(app, REMEMBERED)
        provider.scripts["liar"] = provider.scripts["fake"] = says(answering("42"))
        await ask_many(app, REMEMBERED)
        provider.scripts["a"] = says(answering("13"))
        provider.scripts["b"] = says(answering("13"))
        answers = await ask_many(app, 1)

    assert answers == [answering("42")]


async def test_zero_counts_everybody_and_never_asks_all() -> None:
    """An administrator who trusts the panel can have the plain, cheapest vote."""
    provider = colluding()
    async with rehearsal(provider, models=FIVE, tables=every(0)) as app:
        answers = await ask_many(app, 2 * ENOUGH + 20)

    assert set(answers) == {answering("13")}
    assert provider.asked("a") == []


async def test_honest_voters_that_differ_now_and_then_all_stay() -> None:
    """A panel without a liar must vote as if nobody were watched."""
    asked = 0

    def differing(prompt: Prompt) -> str:
        nonlocal asked
        asked += 1
        return answering("7" if asked % 4 == 0 else "42")

    provider = ScriptedProvider({model: lambda prompt: says(differing(prompt)) for model in FIVE})
    async with rehearsal(provider, models=FIVE, tables=every(1)) as app:
        await ask_many(app, 2 * REMEMBERED)
        reply = await ask(app, "One more?", wish=WISH)

    assert reply.answer is not None
    assert len(reply.answer.proposals) == 5


async def test_a_dry_run_teaches_nothing() -> None:
    """`explain` answers with filler in which all agree; that is no evidence of anything."""
    provider = colluding()
    async with rehearsal(provider, models=FIVE) as app:
        for _ in range(2 * REMEMBERED):
            await app.explain(Question("How much?"), wish=WISH)
        await ask(app, "One?", wish=WISH)

    assert [model for model, _ in provider.prompts] == ["liar", "fake"]


async def test_explain_tells_what_a_vote_usually_takes() -> None:
    """Filler never agrees, so a dry vote would go on to the last voter and cost twice too much."""
    async with rehearsal(colluding(), models=FIVE) as app:
        plan = await app.explain(Question("How much?"), wish=WISH)

    assert [call.model for call in plan.calls] == ["liar", "fake", "a"]


async def test_explain_counts_all_voters_when_all_are_always_asked() -> None:
    """Whoever asks for every ballot pays for every ballot."""
    async with rehearsal(colluding(), models=FIVE, tables=every(1)) as app:
        plan = await app.explain(Question("How much?"), wish=WISH)

    assert plan.usage.calls == 5


def test_a_question_that_divides_everybody_is_no_evidence() -> None:
    """Two that collude win it against three honest ones, who must not be set aside for that."""
    trust = Trust(every=1)
    for _ in range(REMEMBERED):
        for pair in ("ab", "bc", "cd", "da"):
            trust.note([(model, "1" if model in pair else model) for model in "abcde"], of=5)
            trust.note([*((model, "1") for model in pair), ("e", "2")], of=5)
        trust.note([], of=5)

    assert trust.doubted("abcde") == frozenset()


def test_half_of_the_voters_are_never_set_aside() -> None:
    """If two stand apart from two, nobody knows which of them are right."""
    trust = Trust(every=1)
    for _ in range(REMEMBERED):
        trust.note([("a", "1"), ("b", "1"), ("x", "1")], of=3)
        trust.note([("c", "2"), ("x", "1"), ("y", "1")], of=3)
        trust.note([("d", "2"), ("x", "1"), ("y", "1")], of=3)

    assert trust.doubted("abcd") == frozenset()
    assert trust.doubted("abc") == frozenset("c")
