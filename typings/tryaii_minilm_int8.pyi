# The package with the weights for onnxruntime, which has no types of its own.

from pathlib import Path

def model_path() -> Path: ...
