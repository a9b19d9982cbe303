# The package with the weights for sentence-transformers, which has no types of its own.

from pathlib import Path

def get_model_path() -> Path: ...
