"""Who leaves when there is no more room: what is asked seldom, cheap to make again, or long."""

from __future__ import annotations

from moabot_cache.bounds import GROUP, Bounds


def _group(name: str) -> str:
    return name.ljust(GROUP, "-")


def test_a_stream_of_one_offs_does_not_push_out_what_is_asked_often() -> None:
    """Least recently used would forget everything in one busy hour."""
    bounds = Bounds(most=10)
    for name in [f"often {n}" for n in range(10)] * 3:
        bounds.asked(name)
        bounds.admit(name, size=1)

    gone: list[str] = []
    for n in range(60):
        bounds.asked(f"once {n}")
        gone += bounds.admit(f"once {n}", size=1)

    assert len(gone) == 60
    assert not any(name.startswith("often") for name in gone)
    assert len(bounds) == 10


def test_what_was_dear_and_short_stays_before_what_was_cheap_and_long() -> None:
    """A byte should save as much as it can."""
    bounds = Bounds(most=1_000)
    for name, size, worth in (("dear", 100, 3.0), ("long", 800, 3.0), ("cheap", 100, 1.0)):
        bounds.asked(name)
        bounds.admit(name, size=size, worth=worth)
    bounds.asked("new")

    assert bounds.admit("new", size=100, worth=3.0) == ["long"]


def test_what_is_larger_than_all_room_is_not_taken_in() -> None:
    """And pushes nobody else out for ever."""
    bounds = Bounds(most=1_000)
    bounds.asked("giant")

    assert bounds.admit("giant", size=2_000) == ["giant"]
    assert len(bounds) == 0


def test_one_group_cannot_take_the_room_of_the_others() -> None:
    """A busy channel must not empty the cache of a quiet one."""
    bounds = Bounds(most=100, share=0.5)
    quiet = _group("quiet") + "question"
    bounds.admit(quiet, size=1)

    gone: list[str] = []
    for n in range(200):
        name = f"{_group('busy')}{n}"
        for _ in range(3):
            bounds.asked(name)
        gone += bounds.admit(name, size=1)

    assert quiet not in gone
    assert len(bounds) == 51


def test_fame_fades() -> None:
    """Last year's favourite must not block this year's for ever."""
    bounds = Bounds(most=2)
    for _ in range(200):
        bounds.asked("old")
    for name in ("old", "other"):
        bounds.admit(name, size=1)
    for _ in range(80_000):
        bounds.asked("new")

    assert bounds.admit("new", size=1) != ["new"]
    for _ in range(3):
        bounds.asked("newest")
    assert bounds.admit("newest", size=1) == ["old"]
