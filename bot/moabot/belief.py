"""What plugins hand over, looked at before it is believed: no type checker may ever have seen it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from moabot.contract import Answer, Completion, Usage
from moabot.errors import PluginError
from moabot.fencing import unfenced

__all__ = ["believed_answer", "believed_completion", "believed_wait", "wellformed"]

MOST_TOKENS = 2**62
MOST_USD = Decimal(1_000_000)
"""Of one call. What is beyond can be no more than a mistake, and does not fit into the ledger."""

# Of a dataclass alone pydantic would take no settings.
_ANSWER: TypeAdapter[Answer | None] = TypeAdapter(
    Answer | None, config=ConfigDict(strict=True, revalidate_instances="always")
)


def believed_answer(answer: object, *, of: str) -> Answer:
    """The answer of a strategy or a cache, when every field is what it should be, and it has a text.

    Raises `PluginError` for any other; `of` is its subject, such as "The strategy 'x'".
    """
    flaw = type(answer).__name__
    if isinstance(answer, Answer):
        flaw = _flaw_in_answer(answer)
        if not flaw:
            return replace(answer, text=wellformed(answer.text))
    raise PluginError(f"{of} returned {flaw}.", fix="Return a moabot.Answer with a text.")


def believed_completion(reply: object) -> Completion:
    """A provider's reply, when its text is one and its usage may be counted; else a `PluginError`."""
    flaw = "something else than a Completion with a text and a Usage"
    if isinstance(reply, Completion) and _is(reply.text, str) and _is(reply.usage, Usage):
        flaw = _flaw_in_usage(reply.usage)
        if not flaw:
            return replace(reply, text=unfenced(wellformed(reply.text)))
    raise PluginError(
        f"The plugin returned {flaw}.",
        fix="Count in int from 0 on; cost_usd is a Decimal from 0 on, or None.",
    )


def believed_wait(seconds: object) -> float | None:
    """How long a provider wants us to wait; None when that is no number of seconds."""
    return seconds if isinstance(seconds, int | float) and 0 <= seconds < float("inf") else None


def wellformed(text: str) -> str:
    """`text` without halves of a surrogate pair, which no file and no chat takes.

    Two halves that belong together are joined.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _flaw_in_answer(answer: Answer) -> str:
    try:
        _ANSWER.validate_python(answer)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"an Answer with a wrong {'.'.join(map(str, first['loc']))}: {first['msg']}"
    return "" if answer.text.strip() else "an empty answer"


def _flaw_in_usage(usage: Usage) -> str:
    counts = (usage.calls, usage.input_tokens, usage.cached_input_tokens, usage.output_tokens)
    for count in counts:
        if not _is(count, int) or _is(count, bool) or not 0 <= count <= MOST_TOKENS:
            return f"a Completion whose usage has the count {count!r:.80}"
    cost = usage.cost_usd
    if cost is None or (_is(cost, Decimal) and cost.is_finite() and 0 <= cost <= MOST_USD):
        return ""
    return f"a Completion whose usage has the cost_usd {cost!r:.80}"


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)
