# What moabot uses of tokenizers, whose own types leave keyword arguments unknown.

from collections.abc import Sequence

from tokenizers import models, normalizers, pre_tokenizers, processors

__all__ = ["Encoding", "Tokenizer", "models", "normalizers", "pre_tokenizers", "processors"]

class Encoding:
    @property
    def ids(self) -> list[int]: ...
    @property
    def attention_mask(self) -> list[int]: ...

class Tokenizer:
    normalizer: normalizers.BertNormalizer
    pre_tokenizer: pre_tokenizers.BertPreTokenizer
    post_processor: processors.TemplateProcessing

    def __init__(self, model: models.WordPiece) -> None: ...
    def enable_truncation(self, max_length: int) -> None: ...
    def enable_padding(self) -> None: ...
    def encode_batch(self, texts: Sequence[str], /) -> list[Encoding]: ...
