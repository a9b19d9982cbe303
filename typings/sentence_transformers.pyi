# What moabot uses of sentence-transformers: an extra, and its own types name a dozen unknown ones.

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

class SentenceTransformer:
    def __init__(
        self,
        model_name_or_path: str,
        *,
        device: str,
        trust_remote_code: bool,
        local_files_only: bool,
        model_kwargs: Mapping[str, bool],
    ) -> None: ...
    def get_embedding_dimension(self) -> int | None: ...
    def encode(
        self, inputs: Sequence[str], *, convert_to_numpy: bool, show_progress_bar: bool
    ) -> npt.NDArray[np.float32]: ...
