"""What platforms say about an answer, and the cleaning of what models say."""

from __future__ import annotations

from decimal import Decimal

from moabot.contract import Answer, Cancelled, Failure, Proposal, Usage
from moabot.errors import ConfigError, MoabotError, QuestionRejected, Refused

__all__ = [
    "answered",
    "apology",
    "asked",
    "cost",
    "counted",
    "failed",
    "footer",
    "heading",
    "printable",
    "standing",
    "stopped",
    "stopping",
    "tokens",
]

# Everything that moves a cursor, rings a bell or turns the reading direction round; tabs and
# newlines stay. Lone surrogates come from JSON escapes and cannot be encoded.
_UNPRINTABLE = dict.fromkeys(
    [
        *(code for code in range(0x20) if chr(code) not in "\n\t"),
        *range(0x7F, 0xA0),
        0x061C,
        *range(0x200E, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
) | dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")


def printable(text: str) -> str:
    r"""`text` without control and direction characters, so that no model steers a terminal.

    >>> printable("\x1b[31mred\x07\r\n")
    '[31mred\n'
    """
    return text.translate(_UNPRINTABLE)


def footer(answer: Answer, *, money: bool = True) -> list[str]:
    """What stands under an answer, in pieces that a platform joins or breaks as it has room.

    Without `money` nothing is said of what it cost.
    The degraded sentence is none of them: it deserves a line of its own.
    """
    how = " ".join(word for word in (answer.strategy, answer.preset) if word)
    pieces = [
        how,
        answer.via,
        standing(answer),
        f"{answer.seconds:.1f} s",
        counted(answer.usage.calls, "call"),
        tokens(answer.usage),
        cost(answer.usage) if money else "",
    ]
    return [printable(piece) for piece in pieces if piece]


def standing(answer: Answer) -> str:
    """How many models agree, or that it was remembered; empty for a degraded answer."""
    if answer.degraded:
        return ""
    if answer.from_cache:
        return f"from the cache{_asked(answer)}"
    if answer.agreement is not None and answer.agreement.of > 1:
        return f"{answer.agreement.support} of {answer.agreement.of} models agree"
    return ""


def _asked(answer: Answer) -> str:
    """When a remembered answer was asked for first; a day is as much as a reader wants."""
    return "" if answer.asked_at is None else f", asked on {answer.asked_at:%Y-%m-%d}"


def counted(number: int, noun: str) -> str:
    """A number and its noun: 1 call, 1,200 calls."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def stopping() -> QuestionRejected:
    """For who asks while the bot stops, where nobody will deliver the question once more."""
    return QuestionRejected("I am stopping just now.", fix="Ask again in a minute.")


def tokens(usage: Usage) -> str:
    """Tokens read and written, with "about" when some were estimated."""
    total = usage.input_tokens + usage.output_tokens
    return f"{_about(usage)}{total:,} tokens"


def cost(usage: Usage) -> str:
    """The money, "cost unknown" without a price; never 0 for what is not known."""
    if usage.cost_usd is None:
        return "cost unknown"
    if not usage.cost_usd:
        return "no cost"
    places = 2 if usage.cost_usd >= Decimal("0.1") else 4
    if usage.cost_usd < Decimal("0.0001"):
        return f"{_about(usage)}less than $0.0001"
    return f"{_about(usage)}${usage.cost_usd:.{places}f}"


def heading(proposal: Proposal) -> str:
    """A proposal's title: slot, model, role, seconds."""
    role = "" if proposal.role in {"", proposal.slot} else f" ({proposal.role})"
    return printable(f"{proposal.slot} {proposal.model}{role}, {proposal.seconds:.1f} s")


def asked(slot: str, model: str, role: str) -> str:
    """One line for a model that is asked."""
    return printable(f"{slot} {model}: asked{'' if role == slot else f' as {role}'}")


def answered(proposal: Proposal) -> str:
    """One line for a model that answered."""
    spent = (
        f"{proposal.seconds:.1f} s, {_about(proposal.usage)}{proposal.usage.output_tokens:,} tokens"
    )
    return printable(f"{proposal.slot} {proposal.model}: answered in {spent}")


def failed(failure: Failure) -> str:
    """One line for a model that failed."""
    after = f"failed after {failure.seconds:.1f} s"
    return printable(f"{failure.slot} {failure.model}: {after}: {failure.error}")


def stopped(cancelled: Cancelled) -> str:
    """One line for a straggler."""
    return printable(f"{cancelled.slot} {cancelled.model}: stopped after {cancelled.seconds:.1f} s")


def apology(error: MoabotError, *, reference: str) -> str:
    """Why there is no answer, and the id under which the log has more.

    What the person can mend at once (a wrong name, an empty question) needs no log, nor does
    what they are refused.
    """
    if isinstance(error, ConfigError | QuestionRejected | Refused):
        return printable(str(error))
    return printable(f"No answer. {error} (reference {reference})")


def _about(usage: Usage) -> str:
    return "about " if usage.estimated else ""
