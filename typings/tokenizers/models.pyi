# The one model that moabot uses.

from collections.abc import Mapping

class WordPiece:
    def __init__(
        self, vocab: Mapping[str, int], *, unk_token: str, max_input_chars_per_word: int
    ) -> None: ...
