"""single: one call when all goes well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moabot.errors import ProviderRejected
from moabot.testing import says

if TYPE_CHECKING:
    from tests.plugins.conftest import Asking

pytestmark = pytest.mark.virtual_time


async def test_one_model_answers_alone(asking: Asking) -> None:
    """The cheapest way; no proposals, so no claim of agreement."""
    asked = await asking("single", preset="max")

    assert asked.graph == ["synthesizer a"]
    assert (asked.answer.text, asked.answer.agreement) == ("a says so.", None)


async def test_the_next_of_the_chain_answers_when_the_first_fails(asking: Asking) -> None:
    """One model alone must not mean one point of failure; and the person is told."""
    wrong = says(error=ProviderRejected("Wrong key.", provider="p", model="a"))
    asked = await asking("single", scripts={"a": wrong})

    assert asked.answer.text == "b says so."
    assert asked.answer.degraded == "b stood in for a."
