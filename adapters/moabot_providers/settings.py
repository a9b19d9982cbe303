"""What every provider that is reached over HTTP can be told in config.toml."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from moabot.config import Settings, read_key

__all__ = ["BaseUrl", "HttpSettings", "Settings", "key"]


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"must begin with http:// or https:// and name a host, not {value!r}")
    if parts.username or parts.password:
        raise ValueError("must hold no password; put the key into the variable of api_key_env")
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_web_address)]


class HttpSettings(Settings):
    """Keys that all HTTP providers share."""

    base_url: BaseUrl | None = Field(
        default=None, description="another address than the vendor's own"
    )
    connections: int = Field(
        default=1024,
        ge=1,
        description="connections at once, of which each call in flight takes one",
    )


def key(variable: str) -> str:
    """The key that `api_key_env` names; raises `ConfigError` that says which variable to set."""
    return read_key(variable, where="api_key_env")
