"""What is kept at all: nothing about now, and nothing about who asks."""

from __future__ import annotations

import pytest
from tests.cache.conftest import answer, asking

from moabot_cache.admission import keepable


@pytest.mark.parametrize(
    "text",
    [
        "List my open tickets",
        "Show me my orders",
        "Please tell me my balance",
        "What is my balance?",
        "Hello, what is my balance?",
        "I am back. What is my balance?",
        "Thanks. What is our wifi password?",
        "Please, show my tickets",
        "hey show me my tickets",
        "<@U42> what is my balance?",
        "What is the weather today?",
        "Wie ist das Wetter heute?",
        "Wie hoch ist mein Kontostand?",
        "¿Cuál es mi saldo?",
    ],
)
def test_what_is_about_now_or_about_who_asks_is_not_kept(text: str) -> None:
    """Tomorrow, or to somebody else, the same answer is wrong."""
    assert not keepable(asking(text), answer())


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "Thanks. List the open standards",
        "Wie hoch ist der Eiffelturm?",
    ],
)
def test_what_holds_for_all_is_kept(text: str) -> None:
    """A cache that keeps nothing is of no use."""
    assert keepable(asking(text), answer())
