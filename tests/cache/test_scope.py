"""Who is given whose answers: a partition that nothing crosses."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from moabot.contract import Question, Scope, Share
from moabot_cache.exact import normal
from moabot_cache.scope import digest, partition

WORD = st.sampled_from(["a", "b", "ab", ""])
SCOPES = st.builds(Scope, WORD, WORD, WORD, WORD, st.booleans())
SHARES = st.sampled_from(["channel", "workspace"])


def _may_share(one: Scope, other: Scope, share: Share) -> bool:
    """The rule in plain words, written a second time."""
    if (one.platform, one.workspace) != (other.platform, other.workspace):
        return False
    if one.private or other.private or share == "channel":
        return (one.channel, one.private) == (other.channel, other.private)
    return True


@given(one=SCOPES, other=SCOPES, share=SHARES)
def test_two_rooms_share_a_shelf_only_when_the_rule_says_so(
    one: Scope, other: Scope, share: Share
) -> None:
    """Whatever the names of rooms are, also when one is the beginning of another."""
    shelves = [
        partition(Question("q", scope=scope), key="k", share=share) for scope in (one, other)
    ]

    assert (shelves[0] == shelves[1]) == _may_share(one, other, share)


def test_of_a_hundred_thousand_pairs_of_rooms_none_leaks() -> None:
    """Chance finds what nobody thought of."""
    chance = random.Random(7)  # noqa: S311 - no secret
    rooms = ["slack", "discord", "T1", "T2", "T", "1", "C1", "C2", "D1", ""]

    def room() -> Scope:
        platform, workspace, channel, thread = (chance.choice(rooms) for _ in range(4))
        return Scope(platform, workspace, channel, thread, chance.random() < 0.3)

    leaks = 0
    for _ in range(100_000):
        one, other = room(), room()
        share: Share = "workspace" if chance.random() < 0.5 else "channel"
        same = partition(Question("q", scope=one), key="k", share=share) == partition(
            Question("q", scope=other), key="k", share=share
        )
        leaks += same and not _may_share(one, other, share)
    assert leaks == 0


@given(key=st.text(), other=st.text())
def test_what_makes_the_answer_parts_shelves(key: str, other: str) -> None:
    """Another model's answer is another answer."""
    question = Question("q")

    same = partition(question, key=key, share="channel") == partition(
        question, key=other, share="channel"
    )
    assert same == (key == other)


@given(
    one=st.lists(st.text(max_size=3), max_size=3), other=st.lists(st.text(max_size=3), max_size=3)
)
def test_a_digest_knows_where_one_part_ends(one: list[str], other: list[str]) -> None:
    """("ab", "c") and ("a", "bc") are two things."""
    assert (digest(one) == digest(other)) == (one == other)


@given(st.text())
def test_a_spelling_is_its_own_spelling(text: str) -> None:
    """What is kept under a name must be found under it, with whatever spaces it is typed."""
    assert normal(f"  {text} ") == normal(text) or not text.strip()
