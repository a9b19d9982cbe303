"""Every error that moabot raises on purpose.

MoabotError
├── ConfigError             config.toml or the environment is wrong; names the key
├── PluginError             a plugin broke the contract; names distribution and hook
├── QuestionRejected        the question cannot be answered as it is (empty, too long)
├── Refused                 somebody may not do this here or now; says when, or whom to ask
├── ProviderError           one call of one model failed
│   ├── ProviderTimeout     no whole answer within the call's time
│   ├── ProviderBusy        rate limit, overload, or our breaker is open
│   ├── ProviderUnreachable no connection, or it broke
│   ├── ProviderRefused     the model declined to answer
│   ├── ProviderRejected    the request itself is wrong (key, model name, too long)
│   └── ProviderGarbled     nonsense, or a stream without an end
│       └── ProviderSilent  … or no text at all
├── QuorumNotReached        too few proposers answered; carries those that did
├── BudgetSpent             the next call could cost more than is left of the answer's budget
│   └── PurseEmpty          … of a day's or month's of a channel, workspace or person
├── PlatformError           a chat platform did not take what we sent
└── StoreError              the database cannot be opened, read or written
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moabot.contract import Proposal

__all__ = [
    "BudgetSpent",
    "ConfigError",
    "MoabotError",
    "PlatformError",
    "PluginError",
    "ProviderBusy",
    "ProviderError",
    "ProviderGarbled",
    "ProviderRefused",
    "ProviderRejected",
    "ProviderSilent",
    "ProviderTimeout",
    "ProviderUnreachable",
    "PurseEmpty",
    "QuestionRejected",
    "QuorumNotReached",
    "Refused",
    "StoreError",
]


class MoabotError(Exception):
    """Something went wrong that we foresaw; `what` happened and how to `fix` it, two sentences."""

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip()


class ConfigError(MoabotError):
    """A key of config.toml, or an environment variable that it names, is wrong or missing."""


class PluginError(MoabotError):
    """A plugin raised, returned the wrong type or took a taken name; it alone is left out."""


class QuestionRejected(MoabotError):
    """The question cannot be answered as it is; `what` is shown to the person who asked."""


class Refused(MoabotError):
    """Somebody may not do this here, or not now; `fix` says when, or whom to ask."""


class ProviderError(MoabotError):
    """One call of one model failed.

    `retryable` says whether the same call may succeed a moment later. Adapters raise the
    subclasses; `moabot.calls` alone decides about retries. `usual_fix` is what a person is told
    when nobody could answer and the adapter knew nothing better.
    """

    retryable_by_nature = False
    usual_fix = "Ask again, or ask another model."

    def __init__(
        self,
        what: str,
        *,
        provider: str,
        model: str,
        fix: str = "",
        retryable: bool | None = None,
    ) -> None:
        super().__init__(what, fix=fix)
        self.provider = provider
        self.model = model
        self.retryable = self.retryable_by_nature if retryable is None else retryable

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}: {super().__str__()}"


class ProviderTimeout(ProviderError):
    """The model gave no whole answer within the call's time."""

    retryable_by_nature = True
    usual_fix = "Ask again, or raise call_timeout_s of the panel."


class ProviderBusy(ProviderError):
    """The provider asks for patience (429, 5xx, overload), or our own breaker is open.

    `retry_after_s` are the seconds it asked us to wait, None if it did not say.
    """

    retryable_by_nature = True
    usual_fix = "Ask again in a while, or ask another model."

    def __init__(
        self,
        what: str,
        *,
        provider: str,
        model: str,
        fix: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, provider=provider, model=model, fix=fix)
        self.retry_after_s = retry_after_s


class ProviderUnreachable(ProviderError):
    """No connection to the provider could be made, or it broke before the answer was whole."""

    retryable_by_nature = True
    usual_fix = "Check the network and the base_url of the provider, then ask again."


class ProviderRefused(ProviderError):
    """The model declined to answer (safety, policy); asking it again will not help."""


class ProviderRejected(ProviderError):
    """The provider calls the request wrong: key, model name, length, content."""


class ProviderGarbled(ProviderError):
    """The reply made no sense: not JSON, no text, or a stream that ended without a finish reason."""

    retryable_by_nature = True


class ProviderSilent(ProviderGarbled):
    """The reply is whole and has no text: all of its length may have gone into thinking."""


class QuorumNotReached(MoabotError):
    """Fewer proposals than the quorum came in time; `survivors` are those that did."""

    def __init__(self, *, asked: int, need: int, survivors: tuple[Proposal, ...]) -> None:
        super().__init__(
            f"Only {len(survivors)} of {asked} models answered; the quorum is {need}.",
            fix="Ask again, or lower the panel's quorum.",
        )
        self.asked = asked
        self.need = need
        self.survivors = survivors


class BudgetSpent(MoabotError):
    """The next call could cost more than this answer may still spend."""


class PurseEmpty(BudgetSpent):
    """The next call could cost more than a channel, workspace or person may still spend."""


class PlatformError(MoabotError):
    """A chat platform refused or lost what we sent."""


class StoreError(MoabotError):
    """The database cannot be opened, read or written; nothing in it was destroyed.

    `hopeless` says that it is the row, which no database will ever take.
    """

    def __init__(self, what: str, *, fix: str, hopeless: bool = False) -> None:
        super().__init__(what, fix=fix)
        self.hopeless = hopeless
