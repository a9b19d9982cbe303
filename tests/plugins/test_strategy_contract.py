"""Our own strategies keep what is asked of a third party's."""

from __future__ import annotations

from moabot.testing import StrategyContract


class TestSingle(StrategyContract):
    """One model answers alone."""

    plugin = "moabot_strategies.single"


class TestMixture(StrategyContract):
    """Several propose, one writes."""

    plugin = "moabot_strategies.mixture"


class TestRouter(StrategyContract):
    """A judge sorts the question first."""

    plugin = "moabot_strategies.router"


class TestSpecialization(StrategyContract):
    """Models that are good at the task come first."""

    plugin = "moabot_strategies.specialization"


class TestRefinement(StrategyContract):
    """Rounds of critique."""

    plugin = "moabot_strategies.refinement"


class TestVote(StrategyContract):
    """Answers are counted."""

    plugin = "moabot_strategies.vote"
