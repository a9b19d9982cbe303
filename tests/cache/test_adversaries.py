"""Pairs that differ by one class of words, however near they lie: none may be given for the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moabot_cache.embedder import Encoder, opened
from moabot_cache.settings import Settings
from moabot_cache.tuning import Pair, verdicts

TRAPS = Path(__file__).with_name("traps.jsonl")
DIFFERENT = {
    "order of opposites": [
        ("Lock the front gate and unlock the shed", "Unlock the front gate and lock the shed"),
        ("Should I hire cooks and fire waiters?", "Should I fire cooks and hire waiters?"),
        ("Describe green apples and yellow pears", "Describe yellow apples and green pears"),
        ("Add pepper and leave out the garlic", "Add garlic and leave out the pepper"),
    ],
    "from where to where": [
        (
            "Write a short notice from the landlord to the tenant about a loud dog",
            "Write a brief complaint from the tenant to the landlord about a noisy dog",
        ),
        ("List quick trains to Bern for tourists", "List fast trains from Bern for visitors"),
        ("Is the voucher valid until June?", "Is the voucher valid from June?"),
        (
            "Who runs the company until the merger closes?",
            "Who runs the company when the merger closes?",
        ),
        ("Mute the support channel until Monday", "Mute the support channel on Monday"),
        ("Stretch before the long run outside", "Stretch after the long jog outside"),
    ],
    "who does it to whom": [
        ("Draw a cat that chases a small brown dog", "Draw a little dog that chases a cat"),
    ],
    "left and right": [
        ("Explain the role of the left kidney", "Explain the role of the right kidney"),
        ("Which side of the road is left in Malta?", "Which side of the road is right in Malta?"),
    ],
    "number": [
        ("Name seventeen moons of Jupiter", "Name nineteen moons of Jupiter"),
        ("Write forty-one riddles about birds", "Write forty-six riddles about birds"),
        ("Summarize the seventh chapter of Emma", "Summarize the eighth chapter of Emma"),
        ("Tell a tale in 3k words about rain", "Tell a tale in 3 words about rain"),
        ("Draw a castle with one tower", "Draw a castle with towers"),
        ("Name a few uses of salt", "Name dozens of uses of salt"),
    ],
    "most": [
        ("What is your most feared animal?", "What is your feared animal?"),
        ("Describe the most expensive painting", "Describe the expensive painting"),
    ],
    "time": [
        ("Draft an invitation for the next reunion", "Draft an invitation for the reunion"),
        ("Plan the previous Friday", "Plan the Friday"),
        ("Summarize the coming season", "Summarize the past season"),
    ],
    "a country in capitals": [
        ("Which taxes do freelancers pay in the US?", "Which taxes do freelancers pay?"),
        (
            "What does the WHO guideline on malaria say?",
            "What does the guideline on malaria say?",
        ),
        ("WHICH TAXES DO FREELANCERS PAY IN THE US?", "WHICH TAXES DO FREELANCERS PAY?"),
    ],
    "share of which": [
        ("What percentage of nurses are smokers?", "What percentage of smokers are nurses?"),
        ("What % of nurses are smokers?", "What % of smokers are nurses?"),
        ("How many nurses are smokers?", "How many smokers are nurses?"),
        ("What fraction of doctors have children?", "What fraction of children have doctors?"),
    ],
    "what it is, or how": [
        (
            "I live in the U.S. How do I renew a passport?",
            "I live in the U.S. Where do I renew a passport?",
        ),
        ("Who is the new mayor of Lyon?", "How is the new mayor of Lyon?"),
        ("What is the new library in Oslo?", "How is the new library in Oslo?"),
    ],
    "without": [("Bake a cake with eggs and flour", "Bake a cake free of eggs and flour")],
    "audience": [
        ("Write a quiz about space for children", "Write a quiz about space for adults"),
        ("Write a guide to chess for beginners", "Write a guide to chess for experts"),
    ],
    "tone": [
        ("Write a polite reply to the offer", "Write an angry reply to the offer"),
        ("Write a positive review of the film", "Write a negative review of the film"),
        ("Write a formal invitation to a party", "Write a funny invitation to a party"),
    ],
    "kind of text": [
        (
            "Write an email to a guest about parking",
            "Write a text message to a guest about parking",
        ),
        ("Write a speech about the moon", "Write a poem about the moon"),
    ],
    "operation": [
        ("Summarize the rules of the game", "List the rules of the game"),
        ("Explain the merge sort algorithm", "Implement the merge sort algorithm"),
    ],
    "quality": [
        ("List plants safe for dogs", "List plants toxic for dogs"),
        ("List meals rich in sugar", "List meals low in sugar"),
        ("Write a clear report of the event", "Write a vague report of the event"),
    ],
    "will, should, did": [
        ("Write a note that I will call the bank", "Write a note that I called the bank"),
        ("Tell them that I will join the choir", "Tell them that you should join the choir"),
    ],
    "one word more": [
        ("Write a contract for a painter", "Write a contract for a house painter"),
        ("List the duties of a parent", "List the duties of an unmarried parent"),
        ("Write a letter about a rent raise", "Write a letter about an immediate rent raise"),
    ],
    "one word for another": [
        ("Write a reference for a civil engineer", "Write a reference for a civil servant"),
        ("Plan a dinner menu for a birthday", "Plan a lunch menu for a birthday"),
    ],
    "sides of a relation": [("Explain the code: x = y", "Explain the code: y = x")],
}
SAME = [
    ("How do I log in before and after lunch?", "How can I log in before and after lunch?"),
    ("Compare tea and coffee", "Compare coffee and tea"),
    ("Is Ann married to Bob?", "Is Bob married to Ann?"),
    ("Sell the boat and keep the car", "Keep the car and sell the boat"),
    ("Summarize the 5k word report", "Summarize the 5,000 word report"),
    ("Give me one example of a metaphor", "Give me 1 example of a metaphor"),
    ("Name 21 large rivers of Asia", "Name twenty-one large rivers of Asia"),
    ("Who leads the polls in the US?", "Who leads the polls in the United States?"),
    ("Who pays taxes in the U.S.?", "Who pays taxes in the US?"),
    ("What percentage of nurses are smokers?", "Which percentage of nurses are smokers?"),
    ("How is paper made from wood?", "How do I make paper from wood?"),
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The one that the bot has by default."""
    return opened("minilm")


def _served(encoder: Encoder, a: str, b: str) -> list[bool]:
    """Whether a cache with one of them gives its answer to the other, both ways."""
    pairs = [Pair(a=a, b=b, label=0), Pair(a=b, b=a, label=0)]
    settings = Settings()
    return [
        each.served(nearest=settings.nearest, caution=settings.caution)
        for each in verdicts(pairs, encoder)
    ]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(*pair, id=f"{kind}: {pair[0]}")
        for kind, pairs in DIFFERENT.items()
        for pair in pairs
    ],
)
def test_what_differs_by_a_class_of_words_gets_no_remembered_answer(
    encoder: Encoder, a: str, b: str
) -> None:
    """A wrong answer costs the trust of a whole channel; a hit that is lost costs a cent."""
    assert _served(encoder, a, b) == [False, False]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_what_those_classes_leave_alone_is_still_found(encoder: Encoder, a: str, b: str) -> None:
    """Both sides of an "and" may change places as wholes, and a number may be spelt in two ways."""
    assert _served(encoder, a, b) == [True, True]


def test_none_of_many_traps_is_served(encoder: Encoder) -> None:
    """Written against the rules by one who had read them: each turns on a word that they let pass."""
    pairs = [
        Pair(a=row["a"], b=row["b"], label=0)
        for row in map(json.loads, TRAPS.read_text("utf-8").splitlines())
    ]
    nearest, caution = Settings().nearest, Settings().caution

    served = [
        (each.pair.a, each.pair.b)
        for each in verdicts(pairs, encoder)
        if each.served(nearest=nearest, caution=caution)
    ]
    assert served == []
