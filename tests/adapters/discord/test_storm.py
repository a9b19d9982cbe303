"""Everything goes wrong at once, and each question still has exactly one complete answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.adapters.discord.storm import Storm


@pytest.mark.parametrize("seed", [7, 13])
@pytest.mark.parametrize("late", [False, True], ids=["in-time", "tokens-die"])
@pytest.mark.usefixtures("token")
async def test_each_question_has_one_complete_answer(
    tmp_path: Path, seed: int, *, late: bool
) -> None:
    """Lost and doubled answers are what young bots are complained about most."""
    storm = Storm(seed, tmp_path, questions=8, late=late, chance=0.1)

    assert await storm.blow() == []
    assert storm.happened["kills"] == 1
