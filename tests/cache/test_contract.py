"""Our own cache keeps the contract that is published for everybody's."""

from __future__ import annotations

from collections.abc import Mapping

from moabot.testing import CacheContract


class TestSemantic(CacheContract):
    """On a real store; without the encoder, which other tests load."""

    plugin: object = "moabot_cache.plugin"
    settings: Mapping[str, object] = {"semantic": False}
