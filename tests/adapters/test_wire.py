"""Cutting a stream of bytes into events."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from moabot_providers.wire import Events

STREAM = (
    ": a comment\r\n\r\n"
    'event: first\ndata: {"text": "zwölf → 12"}\n\n'
    'data:{"no": "blank"}\r\n\r\n'
    "data:\n\n"
    "id: 7\n"
    "data: [DONE]\n\n"
).encode()
EVENTS = ['{"text": "zwölf → 12"}'.encode(), b'{"no": "blank"}']


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_wherever_the_network_cuts_them(cuts: list[int]) -> None:
    """A packet may end within an event, a line break, or a letter of two bytes."""
    edges = [0, *sorted(cuts), len(STREAM)]
    events = Events()
    found = [event for begin, end in pairwise(edges) for event in events.feed(STREAM[begin:end])]

    assert found == EVENTS
