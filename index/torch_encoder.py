"""Any sentence-transformers model as an encoder, by name or path. An extra: nothing else here needs torch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tacit.index.encoder import EncoderUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # which models are used here is nobody's business

MOST_TOKENS = 96
BATCH = 32


class TorchEncoder:
    """A `tacit.index.encoder.Encoder`. A name that is no folder is Hugging Face's; `fetch` may get it."""

    def __init__(self, name: str, *, threads: int, fetch: bool = False) -> None:
        """Load the model; EncoderUnavailable where the extra or the model is missing."""
        try:
            import sentence_transformers
            import torch
        except ImportError as error:
            raise EncoderUnavailable(
                f"The encoder {name} needs sentence-transformers. Install it with: pip install 'lean-tacit[encoders]'"
            ) from error
        torch.set_num_threads(threads)
        self.name = name
        try:
            self._model: Any = sentence_transformers.SentenceTransformer(name, device="cpu", local_files_only=not fetch)
        except Exception as error:  # hubs, files and configurations fail in many ways
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise EncoderUnavailable(f"The encoder {name} cannot be loaded: {reason}") from error
        self._model.max_seq_length = min(self._model.max_seq_length or MOST_TOKENS, MOST_TOKENS)
        self.dimension = int(self._model.encode([""], show_progress_bar=False).shape[1])
        self.fingerprint = self._fingerprint()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text, of which the first 96 tokens count."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts), batch_size=BATCH, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)

    def _fingerprint(self) -> str:
        """Of the weights themselves: a name says nothing about what a folder or a hub holds today."""
        digest = hashlib.sha256(str(MOST_TOKENS).encode())
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        return digest.hexdigest()[:16]
