"""Which kind of question it is: how, why, whether, what it is; or an order."""

from __future__ import annotations

from collections.abc import Sequence

from moabot_cache.lexicon import KINDS

__all__ = ["BE", "kind_of"]

BE = frozenset("is are was were be been being".split())
HOW = {
    **dict.fromkeys("do can to should would could".split(), "how"),
    **dict.fromkeys(BE, "howis"),
}
"""What "how" asks, by the next word."""
LATER = frozenset({"whether", "should"})
"""Kinds whose words ask only where a sentence begins: he will, he should."""
ALSO = frozenset({"and", "why", "how"})
"""A last sentence of these asks on: "Is it safe? Why?"."""


def kind_of(sentences: Sequence[Sequence[str]], text: str) -> str:
    """What the last question asks, else how the first sentence begins."""
    asking = [tokens for tokens in sentences if tokens]
    if not asking:
        return ""
    if len(asking) > 1 and set(asking[-1]) <= ALSO:
        del asking[-1]
    tokens = asking[-1] if text.endswith("?") else asking[0]
    if tokens[:2] == ["do", "not"] and not text.endswith("?"):
        return ""
    for place in range(len(tokens[:3])):
        kind = _asks(tokens, place)
        if kind and (place == 0 or kind not in LATER):
            return kind
    if not text.endswith("?"):
        return ""
    later = [_asks(tokens, place) for place in range(3, len(tokens))]  # if it rains, what is open?
    asked = [kind for kind in later if kind]
    return next((kind for kind in asked if kind not in LATER), "".join(asked[:1]))


def _asks(tokens: Sequence[str], place: int) -> str:
    """What the word at this place asks, or nothing."""
    kind = KINDS.get(tokens[place], "")
    if kind == tokens[place] == "how":
        return HOW.get("".join(tokens[place + 1 : place + 2]), "what")
    return "whatdo" if kind == "whatis" and tokens[-1] == "do" else kind
