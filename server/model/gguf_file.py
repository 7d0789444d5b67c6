"""Reads the head of a GGUF file, far enough to say in one sentence why it cannot be used. Loads nothing.

llama.cpp says such things in its log, in its own words, and ends the process for some. The format is ggml's: a magic
number, counts, metadata, then a table of tensors whose data follow, aligned.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tacit.server.errors import BadInput

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
# ggml's types: weights in a block, bytes of a block. One that is not here is not checked.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
_MOST = 1 << 24
"""No honest file has so many entries, or a name so long: a length beyond it is damage."""


@dataclass(frozen=True, slots=True)
class GgufFile:
    """What the head says. `size` is the whole file's, in bytes; `metadata` holds scalars, not arrays."""

    path: Path
    size: int
    metadata: dict[str, Any]
    parameters: int

    @property
    def architecture(self) -> str:
        """As llama.cpp names it: `llama`, `qwen2`, …."""
        return str(self.metadata.get("general.architecture", ""))

    @property
    def name(self) -> str:
        """What the model calls itself, else its file."""
        return str(self.metadata.get("general.name") or self.path.stem)

    def number(self, key: str) -> int:
        """A number of this architecture's, as `context_length`; 0 where it is not given."""
        value = self.metadata.get(f"{self.architecture}.{key}", 0)
        return int(value) if isinstance(value, int | float) else 0

    @property
    def context(self) -> int:
        """How many tokens it was trained for."""
        return self.number("context_length")

    def cache_bytes(self, cells: int) -> int:
        """Bytes of a cache of so many tokens, keys and values at 16 bits."""
        heads = self.number("attention.head_count") or 1
        keys = self.number("attention.head_count_kv") or heads
        width = self.number("attention.key_length") or self.number("embedding_length") // heads
        return cells * self.number("block_count") * keys * width * 2 * 2


class _Damaged(Exception):
    pass


def read(path: Path) -> GgufFile:
    """The head of a file. Raises BadInput with a sentence when it is no GGUF, is cut off or is damaged."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return _read(path, file, size)
    except FileNotFoundError as error:
        raise BadInput(f"There is no model file {path}.", hint="`tacit models list` says which there are.") from error
    except OSError as error:
        raise BadInput(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    except (_Damaged, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise BadInput(
            f"The model file {path} is damaged, or was not copied whole.", hint="Fetch or copy it again."
        ) from error


def _read(path: Path, file: BinaryIO, size: int) -> GgufFile:
    magic = file.read(4)
    if magic != b"GGUF":
        raise BadInput(f"{path} is no GGUF file.", hint="Models for Tacit end in .gguf; convert others with llama.cpp.")
    (version,) = struct.unpack("<I", file.read(4))
    if version not in (2, 3):
        raise BadInput(f"{path} is a GGUF file of version {version}; Tacit reads 2 and 3, little-endian.")
    tensors, pairs = struct.unpack("<QQ", file.read(16))
    if max(tensors, pairs) > _MOST:
        raise _Damaged
    metadata = {}
    for _ in range(pairs):
        key = _string(file)
        (kind,) = struct.unpack("<I", file.read(4))
        value = _value(file, kind)
        if value is not None:
            metadata[key] = value
    end = parameters = 0
    for _ in range(tensors):
        _string(file)
        (dimensions,) = struct.unpack("<I", file.read(4))
        if dimensions > 8:
            raise _Damaged
        weights = 1
        for each in struct.unpack(f"<{dimensions}Q", file.read(8 * dimensions)):
            weights *= each
        kind, offset = struct.unpack("<IQ", file.read(12))
        parameters += weights
        per, width = _BLOCKS.get(kind, (1, 0))
        end = max(end, offset + weights // per * width)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
        raise _Damaged
    expected = -(-file.tell() // alignment) * alignment + end
    if size < expected:
        raise BadInput(
            f"The model file {path} is cut off: {size:,} bytes of at least {expected:,}.",
            hint="Fetch or copy it again.",
        )
    return GgufFile(path, size, metadata, parameters)


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _MOST:
        raise _Damaged
    data = file.read(length)
    if len(data) < length:
        raise _Damaged
    return data.decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", file.read(12))
        if count > _MOST:
            raise _Damaged
        if inner in _SCALARS:
            file.seek(count * struct.calcsize(_SCALARS[inner]), 1)
        elif inner == _STRING:
            for _ in range(count):
                (length,) = struct.unpack("<Q", file.read(8))
                if length > _MOST:
                    raise _Damaged
                file.seek(length, 1)
        else:
            raise _Damaged
        return None
    if kind not in _SCALARS:
        raise _Damaged
    return struct.unpack(f"<{_SCALARS[kind]}", file.read(struct.calcsize(_SCALARS[kind])))[0]
