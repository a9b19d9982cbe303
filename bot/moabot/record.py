"""The JSON record of an answer: the one shape that scripts, batches and the web rely on."""

from __future__ import annotations

from moabot.contract import Agreement, Answer, Cancelled, Failure, Proposal, Usage

__all__ = ["record", "usage_record"]


def record(answer: Answer) -> dict[str, object]:
    """`answer` as plain values for JSON.

    `agreement` is null with fewer than two proposals, `cost_usd` is a number of US dollars, or
    null when a price is unknown. Seconds have milliseconds.
    """
    return {
        "text": answer.text,
        "strategy": answer.strategy,
        "preset": answer.preset,
        "via": answer.via,
        "degraded": answer.degraded,
        "agreement": _agreement(answer.agreement, proposals=len(answer.proposals)),
        "from_cache": answer.from_cache,
        "seconds": round(answer.seconds, 3),
        "proposals": [_proposal(proposal) for proposal in answer.proposals],
        "failures": [_failure(failure) for failure in answer.failures],
        "cancelled": [_cancelled(cancelled) for cancelled in answer.cancelled],
        "usage": usage_record(answer.usage),
    }


def _agreement(agreement: Agreement | None, *, proposals: int) -> dict[str, object] | None:
    if agreement is None or proposals < 2:
        return None
    return {"support": agreement.support, "of": agreement.of, "dissent": list(agreement.dissent)}


def _proposal(proposal: Proposal) -> dict[str, object]:
    return {
        "slot": proposal.slot,
        "model": proposal.model,
        "role": proposal.role,
        "text": proposal.text,
        "seconds": round(proposal.seconds, 3),
        "usage": usage_record(proposal.usage),
    }


def _failure(failure: Failure) -> dict[str, object]:
    return {
        "slot": failure.slot,
        "model": failure.model,
        "error": failure.error,
        "seconds": round(failure.seconds, 3),
    }


def _cancelled(cancelled: Cancelled) -> dict[str, object]:
    return {
        "slot": cancelled.slot,
        "model": cancelled.model,
        "seconds": round(cancelled.seconds, 3),
        "usage": usage_record(cancelled.usage),
    }


def usage_record(usage: Usage) -> dict[str, object]:
    """`usage` as plain values for JSON."""
    return {
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": None if usage.cost_usd is None else float(usage.cost_usd),
        "estimated": usage.estimated,
    }
