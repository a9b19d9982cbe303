"""The exact tier: what is one question however it is typed, and what only looks like one."""

from __future__ import annotations

import pytest

from moabot_cache.exact import normal

DIFFERENT = [
    ("What does git branch -d do?", "What does git branch -D do?"),
    ("curl -o file", "curl -O file"),
    ("How much is 5 mW?", "How much is 5 MW?"),
    ("How long do 100 Mb take?", "How long do 100 MB take?"),
    ("What is 2²?", "What is 22?"),
    ("What is 5!?", "What is 5?"),
    ("What is n!?", "What is n?"),
    ("Translate into French: thank you", "Translate into French: please"),
    ("Translate into French: hello, thank you", "Translate into French: hello, please"),
    ("How do you say please?", "How do you say thanks?"),
    ("Hello world in Rust", "world in Rust"),
    ("Hello, world in Rust", "world in Rust"),
    ("@staticmethod: what is it for?", "@classmethod: what is it for?"),
    ("What does cd .. do", "What does cd . do"),
    ("Explain cd ..", "Explain cd"),
    ("Explain .*?", "Explain .*"),
    ("Please Please Me", "Please Me"),
    ("if a:\n  b\nc", "if a:\n  b\n  c"),
    ("if a:\n  b", "if a: b"),
    ("<@ANN> owes me money, write a reminder", "<@BOB> owes me money, write a reminder"),
    ("Is True valid JSON?", "Is true valid JSON?"),
    ("What is None in C?", "What is none in C?"),
]
SAME = [
    ("How do I reset my password?", "how do I  reset my Password"),
    ("How do I reset my password?", "how do i reset my password??"),
    ("How do I reset my password?", "Hi, how do I reset my password, please!"),
    ("How do I reset my password?", "hi, how do I reset my password"),
    ("Explain the moon landing.", "Please explain the moon landing"),
    ("Is Rome old?", "is rome old"),
    ("What is C++?", "what is C++"),
    ("Who wrote Faust?", "Could you please who wrote faust ?"),
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_what_only_looks_like_the_same_is_another_question(a: str, b: str) -> None:
    """An exact repeat skips all rules, so nothing may be taken away that could mean something."""
    assert normal(a) != normal(b)


@pytest.mark.parametrize(("a", "b"), SAME)
def test_what_is_typed_in_another_way_is_the_same(a: str, b: str) -> None:
    """People do not type a question twice the same way."""
    assert normal(a) == normal(b)
