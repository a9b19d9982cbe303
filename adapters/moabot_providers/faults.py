"""Turns what goes wrong at a vendor into our errors, without ever showing a key."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, TypedDict

import orjson

from moabot.contract import Completion
from moabot.errors import (
    ProviderBusy,
    ProviderError,
    ProviderGarbled,
    ProviderRefused,
    ProviderRejected,
    ProviderSilent,
    ProviderUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from moabot.contract import Stop, Usage

__all__ = ["Faults"]

SHORT: Final = 200
"""Characters of a vendor's own words that we repeat."""

STATUS_OF: Final = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "insufficient_quota": 402,
}
"""The HTTP status that vendors mean when they name an error inside a stream."""

SHAPE: Final = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading nonsense raises: a missing key, a number for a text, bytes that are no JSON."""


class _Said(TypedDict, total=False):
    message: object
    code: object
    type: object


class _Body(_Said, total=False):
    error: _Said | str


@dataclass(frozen=True, slots=True)
class Faults:
    """The errors of one vendor.

    `broken` are the exceptions that its transport raises for a connection that fails or breaks.
    """

    provider: str
    key_env: str = ""
    secret: str = field(default="", repr=False)
    broken: tuple[type[Exception], ...] = ()

    @contextmanager
    def told(self, model: str) -> Generator[None]:
        """Let nothing but a `ProviderError` (or a cancellation) out of the block."""
        try:
            yield
        except ProviderError:
            raise
        except self.broken as error:
            raise self.unreachable(model, error) from error
        except SHAPE as error:
            raise self.garbled(model, f"it cannot be read ({type(error).__name__})") from error

    def completion(self, model: str, text: str, stop: Stop | None, usage: Usage) -> Completion:
        """The whole reply; an empty one, or one without a finish reason, is an error."""
        if stop is None:
            raise self.garbled(model, "it ended without a finish reason")
        if not text or text.isspace():
            why = "its length went into thinking" if stop == "length" else "nothing was written"
            said = f"The reply is unusable: it has no text: {why}."
            raise ProviderSilent(said, provider=self.provider, model=model)
        return Completion(text, usage, stop)

    def garbled(self, model: str, what: str) -> ProviderGarbled:
        """The reply makes no sense; `what` goes on the sentence "The reply is unusable: …"."""
        said = f"The reply is unusable: {self.clean(what)}."
        return ProviderGarbled(said, provider=self.provider, model=model)

    def refused(self, model: str, why: str) -> ProviderRefused:
        """The model declined."""
        said = f"The model declined to answer ({self.clean(why) or 'no reason given'})."
        return ProviderRefused(
            said, provider=self.provider, model=model, fix="Put the question differently."
        )

    def unreachable(self, model: str, error: Exception) -> ProviderUnreachable:
        """No connection, or it broke."""
        # the OpenAI SDK calls every broken connection a timeout; its cause knows better
        said = self.clean(str(error.__cause__ or error)) or type(error).__name__
        return ProviderUnreachable(
            f"The connection failed or broke: {said}.", provider=self.provider, model=model
        )

    def streams(self, model: str, content_type: str, *, wanted: bool) -> bool:
        """Whether a 200 brings a stream of events, or else plain JSON.

        Raises on anything else, as a proxy or a login page answers.
        """
        if wanted and content_type.startswith("text/event-stream"):
            return True
        if content_type.startswith("application/json"):
            return False
        kind = content_type or "something unnamed"
        raise self.garbled(model, f"it is {kind} and not JSON, perhaps from the wrong base_url")

    def by_status(
        self, model: str, status: int, body: bytes, headers: Mapping[str, str]
    ) -> ProviderError:
        """The error of an HTTP status that is not 200."""
        said = _said(body)
        code = str(said.get("code") or said.get("type") or "")
        message = str(said.get("message") or "")
        if STATUS_OF.get(code) == 402:  # OpenAI says 429 when the credit is spent: do not retry
            status = 402
        return self._error(model, status, message, wait_s=_retry_after_s(headers))

    def by_name(self, model: str, name: str, message: str) -> ProviderError:
        """The error of a name inside a stream; an unknown name is the vendor's own trouble."""
        return self._error(model, STATUS_OF.get(name, 500), message or name)

    def clean(self, text: str) -> str:
        """The vendor's words on one line, shortened, without the key."""
        line = " ".join(text.split()).rstrip(".")
        if self.secret:
            line = line.replace(self.secret, "…")
        return line if len(line) <= SHORT else line[: SHORT - 1] + "…"

    def _error(
        self, model: str, status: int, message: str, *, wait_s: float | None = None
    ) -> ProviderError:
        quoted = f": {said}" if (said := self.clean(message)) else ""
        what = f"The provider answered {status}{quoted}."
        if status in {408, 409, 425, 429} or status >= 500:
            return ProviderBusy(what, provider=self.provider, model=model, retry_after_s=wait_s)
        fix = self._fix(status, message.lower(), model)
        return ProviderRejected(what, provider=self.provider, model=model, fix=fix)

    def _fix(self, status: int, message: str, model: str) -> str:
        if status in {401, 403} or "api key" in message:
            return f"Check the key in {self.key_env or 'the variable that api_key_env names'}."
        if status == 402:
            return "Add credit to the account at this provider."
        if status == 404:
            return f"Check the name {model!r} under [models], and base_url."
        if status < 400:
            return "Put the address that it redirects to into base_url."
        if status == 413 or "context" in message or "too long" in message:
            return "Shorten the question or the history."
        return ""


def _said(body: bytes) -> _Said:
    """The `error` object that every vendor here sends, or nothing if the body is something else."""
    try:
        parsed: _Body | list[_Body] | str | float | None = orjson.loads(body)
    except ValueError:
        return {}
    if isinstance(parsed, list):  # Gemini wraps its errors in a list on streams
        parsed = parsed[0] if parsed else None
    if not isinstance(parsed, dict):
        return {}
    said = parsed.get("error") or parsed
    if isinstance(said, str):
        return {"message": said}
    return {"message": said.get("message"), "code": said.get("code"), "type": said.get("type")}


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or an HTTP date)."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(float(milliseconds) / 1000, 0.0)
        asked = headers.get("retry-after", "")
        if asked.replace(".", "", 1).isdigit():
            return float(asked)
        return max(parsedate_to_datetime(asked).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
