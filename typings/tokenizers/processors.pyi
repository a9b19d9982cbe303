# The one post-processor that moabot uses.

from collections.abc import Sequence

class TemplateProcessing:
    def __init__(
        self, *, single: str, pair: str, special_tokens: Sequence[tuple[str, int]]
    ) -> None: ...
