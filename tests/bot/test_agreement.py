"""How far proposals say the same: plain cases must be judged as a person would."""

from __future__ import annotations

import time

import pytest

from moabot.agreement import agreement, best, final_answer, normal, supports
from moabot.contract import Agreement, Proposal, Usage

FRANCE = "What is the capital of France?"
WEEK = "How many days has a week?"
CHOICE = "Pick A, B, C or D."

SAME = {
    "a sentence and a word": (FRANCE, "The capital of France is Paris.", "Paris"),
    "other words": (FRANCE, "It is Paris, the largest city.", "Paris is the capital."),
    "a number and its word": (WEEK, "Seven days.", "7 days"),
    "a sum told twice": ("What is 6 times 7?", "6 times 7 is 42.", "It is 42."),
    "decimals": ("What is 6 times 7?", "42.0", "42"),
    "thousands": ("What does it cost?", "It costs $1,000.", "It costs 1000 dollars."),
    "a date": ("When was it?", "In 1969, on July 20.", "It was July 20, 1969."),
    "a range": ("How many?", "10-20", "between 10 and 20"),
    "no and its reason": ("Is the earth flat?", "No.", "No, it is an oblate spheroid."),
    "boxed and stated": ("Solve it.", "So we get \\boxed{42}.", "Answer: 42"),
    "boxed text": (CHOICE, "\\boxed{\\text{B}}", "Answer: (B)"),
    "stated in bold": ("Solve it.", "**Answer:** 42", "The final answer is: $42$."),
    "said in a sentence": (CHOICE, "So the answer is C.", "Answer: C"),
    "code, fenced or not": (
        "Write a function that adds two numbers.",
        "```python\ndef add(a, b):\n    return a + b\n```",
        "def add(a, b):\n    return a + b",
    ),
    "one explanation, two hands": (
        "Explain photosynthesis.",
        "Plants turn light, water and carbon dioxide into sugar and oxygen.",
        "Photosynthesis is how plants use light to make sugar from water and carbon dioxide.",
    ),
    "German": (
        "Was ist die Hauptstadt von Frankreich?",
        "Die Hauptstadt von Frankreich ist Paris.",
        "Paris.",
    ),
    "Russian": ("Какая столица Франции?", "Столица Франции — Париж.", "Париж"),
    "Chinese": ("法国的首都是哪里?", "法国的首都是巴黎。", "巴黎是法国的首都。"),
    "Japanese": ("フランスの首都は?", "フランスの首都はパリです。", "パリです。"),
    "nothing but the question's own words": (FRANCE, "The capital of France.", "Capital, France"),
}

DIFFERENT = {
    "two cities in sentences": (FRANCE, "The capital is Paris.", "The capital is Lyon."),
    "two cities alone": (FRANCE, "Paris.", "Lyon."),
    "two counts": (WEEK, "A week has 7 days.", "A week has 8 days."),
    "two counts in words": (WEEK, "Seven days.", "Eight days."),
    "two results": ("What is 6 times 7?", "42", "43"),
    "minus": ("How cold is it?", "-5", "5"),
    "cents": ("What does it cost?", "It costs $1,000.", "It costs 1000.50 dollars."),
    "two years": ("When was it?", "In 1969.", "In 1971."),
    "yes and no": ("Is the earth flat?", "No, it is a sphere.", "Yes, it is flat."),
    "true and false": ("Does it rain in deserts?", "True", "False"),
    "a denial": ("Is the drug safe?", "The drug is safe.", "The drug is not safe."),
    "a short denial": ("Will it work?", "This will surely work.", "This won't surely work."),
    "boxed and stated": ("Solve it.", "So we get \\boxed{42}.", "Answer: 41"),
    "two choices": (CHOICE, "A", "B"),
    "two choices in sentences": (CHOICE, "The answer is A.", "The answer is C."),
    "two colours": ("Which colour?", "#ff0000", "#00ff00"),
    "two names": ("Who wrote it?", "Marlowe", "William Shakespeare wrote it."),
    "two lists, numbered alike": (
        "What should I do?",
        "1. Buy a car.\n2. Drive home.",
        "1. Learn French.\n2. Move abroad.",
    ),
    "two temperatures in numbered steps": (
        "How do I bake bread?",
        "1. Mix flour and water.\n2. Bake at 230 degrees.",
        "1. Mix flour and water.\n2. Bake at 180 degrees.",
    ),
    "two subjects": (
        "Explain photosynthesis.",
        "Plants turn light, water and carbon dioxide into sugar.",
        "The stock market fell because investors sold bank shares.",
    ),
    "German": (
        "Was ist die Hauptstadt von Frankreich?",
        "Die Hauptstadt ist Paris.",
        "Die Hauptstadt ist Lyon.",
    ),
    "Chinese": ("法国的首都是哪里?", "法国的首都是巴黎。", "首都是里昂。"),
    "Japanese": ("フランスの首都は?", "パリです。", "リヨンです。"),
}


@pytest.mark.parametrize(("question", "one", "other"), SAME.values(), ids=SAME.keys())
def test_the_same_answer_in_other_words_supports(question: str, one: str, other: str) -> None:
    """That 5 of 5 agree is a confidence that people rely on; words must not lower it."""
    assert supports(one, other, question=question)
    assert supports(other, one, question=question)


@pytest.mark.parametrize(("question", "one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_another_answer_does_not_support(question: str, one: str, other: str) -> None:
    """Agreement that is not there would be the most dangerous claim of all."""
    assert not supports(one, other, question=question)
    assert not supports(other, one, question=question)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Long thoughts.\nAnswer: 42", "42"),
        ("**Answer:** 42", "42"),
        ("The final answer is: 42", "42"),
        ("> Final answer = x + 1", "x + 1"),
        ("Answer: 41\nNo, wait.\nAnswer: 42", "42"),
        ("So \\boxed{\\frac{1}{2}} it is.\nAnswer: one half", "\\frac{1}{2}"),
        ("I think the answer is 42.", "42."),
        ("The answer is that nobody knows for sure, and never will.", None),
        ("There is an answer to everything.", None),
        ("Answer:\n42", None),
        ("Answer: **", None),
        ("No idea.", None),
        ("", None),
    ],
)
def test_a_stated_answer_is_found(text: str, stated: str | None) -> None:
    """A vote counts these; reading one wrongly is a vote for nobody."""
    assert final_answer(text) == stated


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ("42", "42"),
        (" 42.0 ", "42"),
        ("$42", "42"),
        ("\\$42", "42"),
        ("1,234.50", "1234.5"),
        ("50%", "50"),
        ("1234567", "1234567"),
        ("(C)", "c"),
        ("Seven", "7"),
        ("**Paris**.", "paris"),
        ("New\n  York", "new york"),
        ("1.2.3", "1.2.3"),
        ("9" * 500, "inf"),
        ("", ""),
    ],
)
def test_equal_answers_have_one_form(answer: str, form: str) -> None:
    """42, 42.0 and $42 are one vote, not three."""
    assert normal(answer) == form


def proposals(*texts: str) -> list[Proposal]:
    """In slots 1.1, 1.2 and so on."""
    return [
        Proposal(f"1.{place}", "m", "", text, Usage(), 0.0)
        for place, text in enumerate(texts, start=1)
    ]


def test_agreement_names_those_who_dissent() -> None:
    """A person who opens the record wants to read the other opinion."""
    given = proposals("Paris.", "Lyon.", "It is Paris.")

    assert agreement(given, "Paris", question=FRANCE) == Agreement(2, 3, ("1.2",))


def test_one_proposal_agrees_with_nobody() -> None:
    """A note that 1 of 1 models agree would be a claim without content."""
    assert agreement(proposals("Paris."), "Paris") is None


def test_the_best_proposal_is_the_one_with_most_support() -> None:
    """When nobody can combine them, the majority speaks; among equals the first."""
    assert best(proposals("Lyon.", "Paris.", "It is Paris."), question=FRANCE).slot == "1.2"
    assert best(proposals("Lyon.", "Paris.")).slot == "1.1"


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 300_000 + "answer",
        "answer" + " " * 300_000 + "x",
        "**" * 150_000 + "answer:",
        "answer is " * 30_000,
        "\\boxed{" * 40_000,
        "\\boxed{" + "{a}" * 100_000,
        "9" * 300_000,
        "-" * 300_000,
        "1. " * 100_000,
        "法" * 300_000,
    ],
    ids=[
        "lines",
        "spaces",
        "stars",
        "answers",
        "boxes",
        "braces",
        "digits",
        "dashes",
        "marks",
        "han",
    ],
)
def test_no_text_makes_it_slow(text: str) -> None:
    """It runs on the event loop: a hostile model must not stop every conversation."""
    began = time.process_time()
    supports(text, "Paris.", question=FRANCE)

    assert time.process_time() - began < 1
