"""A GGUF model in llama.cpp, behind the Engine of generation. The one module that imports llama_cpp; worker only.

The low-level interface is used: several sequences share one cache, which the high-level one cannot do.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tacit.server.errors import TacitError
from tacit.server.model.generation import Cancelled, EngineFailed, Logits, Mask, Step

CHUNK = 128
"""Tokens of a prompt that are decoded between two looks at whether somebody has cancelled."""


class ModelError(TacitError):
    """The model cannot be loaded or used."""


def recognise(path: Path) -> None:
    """Raise ModelError where the llama.cpp here cannot write with such a file. Reads its vocabulary, no weights."""
    _Library().open(path, vocabulary=True)


class LlamaEngine:
    """One loaded model. `cells` is the size of the cache in tokens, all sequences together."""

    def __init__(
        self,
        path: Path,
        *,
        cells: int,
        sequences: int,
        threads: int,
        plain: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._library = library = _Library()
        self._api: Any = library.api
        llama_cpp = library.api
        self.sequences = sequences
        self.chunk = max(CHUNK, sequences)
        self._model = library.open(path, plain=plain)
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = self.chunk
        parameters.n_seq_max = sequences
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise ModelError(
                f"llama.cpp has no room for a context of {cells} tokens: {library.said()}.",
                hint="A smaller model.context takes less memory.",
            )
        # Called between the operations of one step: a long step ends as soon as it is not wanted any more.
        self._abort = llama_cpp.ggml_abort_callback(lambda _: cancelled())
        self._cancelled = cancelled
        llama_cpp.llama_set_abort_callback(self._context, self._abort, ctypes.c_void_p(0))
        self._memory = llama_cpp.llama_get_memory(self._context)
        if not self._memory:
            raise ModelError(f"{path} keeps no cache: it cannot write tactics.")
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._size = int(llama_cpp.llama_vocab_n_tokens(self._vocabulary))
        self._batch = llama_cpp.llama_batch_init(self.chunk, 0, 1)
        self.context = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self.parameters = int(llama_cpp.llama_model_n_params(self._model))
        self.ends: Mask = self._mask(llama_cpp.llama_vocab_is_eog)
        self.banned: Mask = self._mask(llama_cpp.llama_vocab_is_control) & ~self.ends
        self.piece = lru_cache(maxsize=1 << 16)(self._piece)

    def tokens(self, text: str, *, special: bool) -> list[int]:
        """The tokens of a prompt, with the token that begins one where the model has such."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        for _ in range(2):
            room = (self._api.llama_token * size)()
            count = self._api.llama_tokenize(self._vocabulary, data, len(data), room, size, True, special)
            if count >= 0:
                return list(room[:count])
            size = -count  # more than one token a byte, where a space stands for a longer character
        raise EngineFailed("The model's tokenizer cannot read this text.")

    def decode(self, steps: Sequence[Step]) -> list[Logits]:
        """See Engine."""
        batch = self._batch
        batch.n_tokens = len(steps)
        for at, step in enumerate(steps):
            batch.token[at] = step.token
            batch.pos[at] = step.position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = step.sequence
            batch.logits[at] = step.wanted
        code = self._api.llama_decode(self._context, batch)
        if code != 0:
            if self._cancelled():
                raise Cancelled
            raise EngineFailed(f"llama.cpp could not compute a step ({code}): {self._library.said()}.")
        return [
            # A copy: the next step overwrites it.
            np.ctypeslib.as_array(self._api.llama_get_logits_ith(self._context, at), (self._size,)).copy()
            for at, step in enumerate(steps)
            if step.wanted
        ]

    def copy(self, source: int, target: int) -> None:
        """See Engine."""
        self._api.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def cut(self, sequence: int, start: int) -> bool:
        """See Engine."""
        return bool(self._api.llama_memory_seq_rm(self._memory, sequence, start, -1))

    def clear(self) -> None:
        """See Engine."""
        self._api.llama_memory_clear(self._memory, False)

    def _piece(self, token: int) -> bytes:
        room = ctypes.create_string_buffer(256)
        count = self._api.llama_token_to_piece(self._vocabulary, token, room, 256, 0, False)
        if count < 0:
            room = ctypes.create_string_buffer(-count)
            count = self._api.llama_token_to_piece(self._vocabulary, token, room, -count, 0, False)
        return room.raw[:count]

    def _mask(self, test: Callable[[Any, int], bool]) -> Mask:
        return np.fromiter((test(self._vocabulary, each) for each in range(self._size)), bool, self._size)


class _Library:
    """llama.cpp, loaded, and what it says."""

    def __init__(self) -> None:
        try:
            import llama_cpp
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(
                f"llama-cpp-python is not installed, or does not load ({error}).",
                hint='Install it with `pip install "lean-tacit[model]"`.',
            ) from error
        self.api: Any = llama_cpp
        self._words: list[str] = []
        self._log = llama_cpp.llama_log_callback(self._note)
        llama_cpp.llama_log_set(self._log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()

    def open(self, path: Path, *, plain: bool = False, vocabulary: bool = False) -> Any:
        """A model that can write; its vocabulary alone, without the weights, if that is enough. Raises ModelError."""
        options = self.api.llama_model_default_params()
        options.use_extra_bufts = not plain
        options.vocab_only = vocabulary
        model = self.api.llama_model_load_from_file(bytes(path), options)
        if not model:
            said = self.said()
            if unknown := re.search(r"unknown model architecture: '?([^']*)'?", said):
                raise ModelError(
                    f"The model {path} is of the architecture {unknown[1]}, which the llama.cpp here does not know.",
                    hint="A newer llama-cpp-python may: `pip install --upgrade llama-cpp-python`.",
                )
            raise ModelError(f"llama.cpp cannot load {path}: {said}.")
        if self.api.llama_model_has_encoder(model) or not self.api.llama_model_has_decoder(model):
            raise ModelError(f"{path} is no decoder: it cannot write tactics.")
        return model

    def _note(self, level: int, text: bytes, _: object) -> None:
        # 3 and 4: warnings and errors.
        if level in (3, 4) and text:
            self._words = [*self._words, text.decode("utf-8", "replace").strip()][-20:]

    def said(self) -> str:
        """The most telling of its last words: what names a reason, not that loading failed."""
        telling = [each for each in self._words if "error" in each.lower() or "unknown" in each.lower()]
        last = (telling or self._words or ["it does not say why"])[0 if telling else -1]
        return last.rpartition(": error ")[2].removeprefix("loading model: ").rstrip(". ")[:200]
