"""vote: probe two, stop when they agree, ask more when they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moabot.errors import ProviderRejected
from moabot.testing import Said, Script, hangs, says

if TYPE_CHECKING:
    from tests.plugins.conftest import Asked, Asking

pytestmark = pytest.mark.virtual_time

VOTE = {"strategies": {"vote": {"plugin": "vote", "ask_all_every": 0}}}


def wrong() -> Said:
    """A model that will not answer."""
    return says(error=ProviderRejected("Wrong key.", provider="p", model="m"))


async def voted(asking: Asking, *answers: str | Script, **panel: object) -> Asked:
    """Each of a, b, c and d gives its answer; d, if need be, decides."""
    scripts = {
        name: says(f"I think.\nAnswer: {answer}") if isinstance(answer, str) else answer
        for name, answer in zip("abcd", answers, strict=False)
    }
    settings = {"synthesizer": ["d"], "fallback": ["a"], "tries": 1, **panel}
    return await asking("vote", scripts=scripts, panel=settings, tables=VOTE)


async def test_two_that_agree_are_enough(asking: Asking) -> None:
    """Half the calls of a full vote, for no accuracy worth naming."""
    asked = await voted(asking, "42", "42.0", "7", "7")

    assert asked.graph == ["1.1 a", "1.2 b"]
    assert asked.answer.text == asked.reply.text == "I think.\nAnswer: 42"
    assert asked.answer.degraded == ""


async def test_voters_are_told_to_state_their_answer(asking: Asking) -> None:
    """A vote counts what stands on the last line."""
    asked = await voted(asking, "42", "42")

    assert 'a line of the form "Answer: …"' in asked.provider.prompts[0][1].turns[-1].text


async def test_two_that_differ_bring_in_more_until_the_lead_is_safe(asking: Asking) -> None:
    """One to one, then two more at once; 3 of 4 is a lead of two."""
    asked = await voted(asking, "42", "7", "42", "42")

    assert asked.graph == ["1.1 a", "1.2 b", "1.3 c", "1.4 d"]
    assert asked.answer.text.endswith("42")
    assert asked.answer.agreement is not None
    assert (asked.answer.agreement.support, asked.answer.agreement.dissent) == (3, ("1.2",))


async def test_a_lead_that_cannot_be_lost_ends_the_vote(asking: Asking) -> None:
    """Two to nothing with one voter left: the third need not be waited for."""
    answers = {"a": "42", "b": "42", "c": "7"}
    scripts = {
        name: says(f"Answer: {answer}", seconds=30 if name == "c" else 0)
        for name, answer in answers.items()
    }
    patient = {"plugin": "vote", "ask_all_every": 0, "lead": 3}
    asked = await asking(
        "vote",
        scripts=scripts,
        panel={"proposers": [{"model": name} for name in "abc"]},
        tables={"strategies": {"vote": patient}},
    )

    assert (asked.answer.text, asked.answer.seconds) == ("Answer: 42", 0.0)
    assert asked.provider.cancelled == ["c"]


async def test_among_equals_the_synthesizer_decides(asking: Asking) -> None:
    """A coin would be worse than a model that reads all four."""
    asked = await voted(asking, "42", "7", "42", "7")

    assert asked.graph[-1] == "synthesizer d"
    assert asked.answer.text.endswith("Answer: 7")


async def test_a_voter_that_fails_is_replaced_and_confessed(asking: Asking) -> None:
    """The third is asked instead; the person knows that one was missing."""
    asked = await voted(asking, "42", wrong(), "42")

    assert asked.graph == ["1.1 a", "1.2 b", "1.3 c"]
    assert asked.answer.text.endswith("42")
    assert asked.answer.degraded == "1 of the voters did not answer."


async def test_a_voter_that_hangs_does_not_keep_the_answer(asking: Asking) -> None:
    """Its time ends, and another is asked."""
    asked = await voted(asking, "42", hangs(), "42", call_timeout_s=10, hedge=False)

    assert asked.answer.text.endswith("42")
    assert asked.answer.seconds == 10.0


async def test_when_no_voter_answers_one_model_is_asked_alone(asking: Asking) -> None:
    """The panel's last resort holds for a vote, too."""
    asked = await voted(asking, wrong(), wrong(), wrong(), [wrong(), says("42")], fallback=["d"])

    assert asked.answer.text == "42"
    assert "Too few models answered (0)" in asked.answer.degraded


async def test_only_the_first_voters_draft_is_shown(asking: Asking) -> None:
    """A second wave that writes into the first one's draft would be nonsense."""
    asked = await voted(asking, "42", "7", "42", "42")

    assert "".join(map(str, asked.reply.named("drafted"))) == "I think.\nAnswer: 42"
