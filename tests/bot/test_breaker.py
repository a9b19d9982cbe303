"""Leaving a failing model alone, and trying it again."""

from __future__ import annotations

import pytest

from moabot.breaker import FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker


def opened_at(now: float) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(now)
    return breaker


def fail_probe(breaker: Breaker, now: float) -> float:
    """Let one probe fail; returns the pause that follows."""
    assert breaker.closed_in(now) == 0
    breaker.failed(now)
    return breaker.closed_in(now)


def test_it_opens_after_five_failures_in_a_row() -> None:
    """Four may be bad luck; at five, each further call makes a person wait for nothing."""
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(100)
        assert breaker.closed_in(100) == 0
    breaker.failed(100)

    assert FIRST_PAUSE_S / 2 <= breaker.closed_in(100) <= FIRST_PAUSE_S


def test_it_opens_when_half_of_the_last_twenty_failed() -> None:
    """A model that fails every other time never fails five times in a row."""
    breaker = Breaker()
    for _ in range(9):
        breaker.succeeded()
        breaker.failed(100)
    assert breaker.closed_in(100) == 0
    breaker.succeeded()
    breaker.failed(100)

    assert breaker.closed_in(100) > 0


def test_after_the_pause_one_probe_is_let_through() -> None:
    """A hundred at once would knock down a provider that just came back."""
    breaker = opened_at(100)

    assert breaker.closed_in(100 + FIRST_PAUSE_S) == 0
    assert breaker.closed_in(100 + FIRST_PAUSE_S) > 0


def test_a_probe_that_succeeds_closes_it() -> None:
    """Back to work, with a clean record."""
    breaker = opened_at(100)
    breaker.closed_in(110)
    breaker.succeeded()
    for _ in range(4):
        breaker.failed(110)

    assert breaker.closed_in(110) == 0


def test_a_call_that_was_under_way_and_succeeds_closes_it() -> None:
    """The provider answers again: there is no reason to wait for the pause's end."""
    breaker = opened_at(100)
    breaker.succeeded()

    assert breaker.closed_in(101) == 0


def test_each_failed_probe_doubles_the_pause_up_to_a_minute() -> None:
    """Long outages are asked about rarely, but never forgotten."""
    breaker, now = opened_at(0), 0.0
    pauses: list[float] = []
    for _ in range(7):
        now += LONGEST_PAUSE_S
        pauses.append(fail_probe(breaker, now))

    most = [10, 20, 40, 60, 60, 60, 60]
    assert all(high / 2 <= pause <= high for pause, high in zip(pauses, most, strict=True))


def test_a_cancelled_probe_frees_its_place_and_counts_for_nothing() -> None:
    """A person who presses stop says nothing about the provider."""
    breaker = opened_at(100)
    assert breaker.closed_in(110) == 0
    breaker.let_go()

    assert breaker.closed_in(110) == 0


def test_failures_that_were_under_way_do_not_make_the_pause_longer() -> None:
    """Forty calls were out when it broke; that is one outage, not eight."""
    breaker = opened_at(100)
    for _ in range(40):
        breaker.failed(100)

    assert breaker.closed_in(100) <= FIRST_PAUSE_S


def test_a_provider_s_own_pause_wins() -> None:
    """Whoever says "in 20 seconds" is not asked before."""
    breaker = Breaker()
    breaker.failed(100, retry_after_s=20)
    assert breaker.closed_in(100) == 20
    breaker.succeeded()  # a call that was under way

    assert breaker.closed_in(101) == 19
    assert breaker.closed_in(120) == 0


def test_a_clock_that_fires_a_hair_early_is_let_through() -> None:
    """A retry that waited exactly as long as it was asked to must not be refused."""
    breaker = Breaker()
    breaker.failed(100, retry_after_s=20)

    assert breaker.closed_in(120 - 1e-9) == 0


@pytest.mark.parametrize(("now", "rests"), [(100, True), (105, False)])
def test_one_can_look_without_taking_the_probe(now: float, *, rests: bool) -> None:
    """Choosing the order of a last resort must not use up the probe."""
    breaker = opened_at(100)
    assert breaker.rests(now) is rests

    assert breaker.closed_in(105) == 0
