"""Going on when enough have answered, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moabot.quorum import quorum
from moabot.testing import VirtualTimeLoop

pytestmark = pytest.mark.virtual_time


def after(seconds: float, value: str | None, *, stopped: list[str] | None = None) -> Ask:
    """Something to ask that answers `value` after `seconds`, and notes when it is cancelled."""

    async def ask() -> str | None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            if stopped is not None:
                stopped.append(str(value))
            raise
        return value

    return ask


Ask = Callable[[], Awaitable[str | None]]


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


async def test_it_goes_on_at_the_quorum_and_the_grace_and_stops_the_straggler() -> None:
    """Peers wait 30 seconds for a hung model; a person should wait for the grace alone."""
    stopped: list[str] = []
    asks = [after(2, "a"), after(900, "b", stopped=stopped), after(3, "c")]

    came = await quorum(asks, enough=2, grace_s=1, until=60)

    assert (came, stopped, now()) == (["a", "c"], ["b"], 4.0)


async def test_the_grace_lets_a_third_in() -> None:
    """A third opinion that is nearly there is worth a moment."""
    came = await quorum(
        [after(2, "a"), after(2, "b"), after(2.9, "c")], enough=2, grace_s=1, until=60
    )

    assert (came, now()) == (["a", "b", "c"], 2.9)


async def test_nobody_waits_for_the_grace_when_all_have_been_heard() -> None:
    """The usual case must not cost a second."""
    came = await quorum([after(2, "a"), after(1, None)], enough=1, grace_s=5, until=60)

    assert (came, now()) == (["a"], 2.0)


async def test_values_come_in_asking_order() -> None:
    """Slots have places; who is quicker must not change them."""
    assert await quorum([after(3, "a"), after(1, "b")], enough=2, grace_s=0, until=9) == ["a", "b"]


async def test_failures_do_not_count_toward_the_quorum() -> None:
    """Two failures are no two opinions."""
    came = await quorum(
        [after(1, None), after(2, None), after(5, "c")], enough=2, grace_s=1, until=60
    )

    assert (came, now()) == (["c"], 5.0)


@pytest.mark.parametrize(("enough", "ended"), [(2, 7.0), (1, 7.0)], ids=["below", "in the grace"])
async def test_the_deadline_ends_the_waiting(enough: int, ended: float) -> None:
    """Whatever the quorum wants, a person does not wait beyond the deadline."""
    came = await quorum([after(6.5, "a"), after(inf, "b")], enough=enough, grace_s=1, until=7)

    assert (came, now()) == (["a"], ended)


async def test_a_deadline_that_has_passed_asks_nobody_for_long() -> None:
    """Called too late, it returns at once, and leaves no task behind."""
    await asyncio.sleep(10)

    assert (await quorum([after(1, "a")], enough=1, grace_s=1, until=5), now()) == ([], 10.0)


async def test_settled_ends_it_at_once_without_grace() -> None:
    """A vote whose lead is safe has nothing to wait for."""
    stopped: list[str] = []

    def two(values: Sequence[str]) -> bool:
        return len(values) == 2

    came = await quorum(
        [after(1, "a"), after(2, "b"), after(3, "c", stopped=stopped)],
        enough=3,
        grace_s=9,
        until=60,
        settled=two,
    )

    assert (came, stopped, now()) == (["a", "b"], ["c"], 2.0)


async def test_nobody_to_ask_is_nobody_to_wait_for() -> None:
    """An empty layer must not hang until the deadline."""
    none: list[Ask] = []

    assert (await quorum(none, enough=0, grace_s=1, until=60), now()) == ([], 0.0)


async def test_a_bug_in_an_ask_comes_out_as_it_is() -> None:
    """A strategy's author knows KeyError, not ExceptionGroup."""

    async def broken() -> str:
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        await quorum([broken, after(inf, "b")], enough=1, grace_s=1, until=60)

    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
async def test_a_caller_that_goes_away_leaves_no_task(moment: float) -> None:
    """Stop pressed at any moment: every call under way is stopped, none is forgotten."""
    stopped: list[str] = []
    asks = [after(1, "a", stopped=stopped), after(2, "b", stopped=stopped)]
    task = asyncio.create_task(quorum(asks, enough=1, grace_s=9, until=60))
    await asyncio.sleep(moment)
    task.cancel()

    await asyncio.gather(task, return_exceptions=True)
    assert len(asyncio.all_tasks()) == 1
    assert moment in {0.0, 2.0, 2.5} or "b" in stopped


delays = st.floats(0, 20) | st.just(inf)


@given(
    calls=st.lists(st.tuples(delays, st.booleans()), min_size=1, max_size=6),
    enough=st.integers(1, 6),
    grace=st.floats(0, 5),
    until=st.floats(0.1, 30),
)
@settings(max_examples=150, deadline=None)
def test_it_returns_in_time_with_all_that_was_there(
    calls: list[tuple[float, bool]], enough: int, grace: float, until: float
) -> None:
    """For any delays and failures: nothing that came is lost, nothing is waited for in vain."""
    asks = [after(s, str(place) if ok else None) for place, (s, ok) in enumerate(calls)]

    async def run() -> tuple[list[str], float, int]:
        came = await quorum(asks, enough=enough, grace_s=grace, until=until)
        return came, now(), len(asyncio.all_tasks())

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        came, ended, tasks = runner.run(run())

    good = sorted(s for s, ok in calls if ok)
    met = good[enough - 1] if len(good) >= enough else inf
    all_heard = max(s for s, _ in calls)
    end = min(until, met + grace, all_heard)
    assert ended == pytest.approx(end)
    assert tasks == 1
    assert set(came) >= {str(p) for p, (s, ok) in enumerate(calls) if ok and s < end - 1e-6}
    assert set(came) <= {str(p) for p, (s, ok) in enumerate(calls) if ok and s <= end + 1e-6}
