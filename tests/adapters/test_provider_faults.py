"""How a vendor's words become ours, in the cases that a server on loopback seldom meets."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from moabot.errors import ProviderBusy, ProviderRejected
from moabot_providers.faults import Faults

FAULTS = Faults("vendor", "VENDOR_KEY", "sk-secret")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": formatdate(time.time() - 60, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_every_way_to_ask_for_patience_is_read(
    headers: dict[str, str], seconds: float | None
) -> None:
    """What is not understood is unknown, and the usual backoff decides."""
    error = FAULTS.by_status("m", 429, b"{}", headers)

    assert isinstance(error, ProviderBusy)
    assert error.retry_after_s == seconds


def test_a_date_to_come_back_at_is_turned_into_seconds() -> None:
    """Proxies in front of vendors say it with a date."""
    headers = {"retry-after": formatdate(time.time() + 60, usegmt=True)}
    error = FAULTS.by_status("m", 503, b"", headers)

    assert isinstance(error, ProviderBusy)
    assert error.retry_after_s == pytest.approx(60, abs=2)


def test_spent_credit_is_not_tried_again() -> None:
    """OpenAI says 429 for it, and would say so for ever."""
    body = b'{"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}'
    error = FAULTS.by_status("m", 429, body, {})

    assert isinstance(error, ProviderRejected)
    assert "credit" in error.fix


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": "plain words"}', "plain words"),
        (b'[{"error": {"message": "in a list"}}]', "in a list"),
        (b'{"message": "at the top"}', "at the top"),
        (b'{"error": {"message": "say sk-secret aloud"}}', "say … aloud"),
        (b'{"error": {"message": "' + b"long " * 100 + b'"}}', "long…"),
        (b"<html>", "answered 400."),
        (b"[]", "answered 400."),
        (b"7", "answered 400."),
    ],
)
def test_the_vendor_s_own_words_are_found_wherever_they_stand(body: bytes, words: str) -> None:
    """Its sentence is the best hint there is; its key must not be in it, nor a whole page."""
    said = str(FAULTS.by_status("m", 400, body, {}))

    assert words in said
    assert "sk-secret" not in said
    assert len(said) < 260


@pytest.mark.parametrize("message", ["API key not valid. Please pass a valid API key."])
def test_gemini_s_400_for_a_wrong_key_names_the_variable(message: str) -> None:
    """Everybody else says 401."""
    error = FAULTS.by_status("m", 400, b'{"error": {"message": "%s"}}' % message.encode(), {})

    assert "VENDOR_KEY" in error.fix


def test_a_nameless_error_in_a_stream_is_the_vendor_s_own_trouble() -> None:
    """It may work a moment later, so it may be tried again."""
    assert isinstance(FAULTS.by_name("m", "never_seen", ""), ProviderBusy)
