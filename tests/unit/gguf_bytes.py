"""A small GGUF file as bytes, and what may be wrong with one: a head, and one 4 × 4 tensor of 32-bit numbers."""

from __future__ import annotations

import struct


def string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf(
    *,
    data: int = 64,
    version: int = 3,
    magic: bytes = b"GGUF",
    kind: int = 0,
    architecture: str = "llama",
    name: str = "Tiny ∀",
    split: int = 0,
    kind_of: str = "",
) -> bytes:
    """The file. `data` is how many bytes of the tensor there are (64 are all); `split` says it is one of so many,
    `kind_of` what it is where it is no model.
    """
    pairs = [
        (string("general.architecture"), 8, string(architecture)),
        (string("general.name"), 8, string(name)),
        (string("llama.context_length"), 4, struct.pack("<I", 512)),
        (string("llama.block_count"), 4, struct.pack("<I", 2)),
        (string("llama.embedding_length"), 4, struct.pack("<I", 64)),
        (string("llama.attention.head_count"), 4, struct.pack("<I", 4)),
        (string("llama.attention.head_count_kv"), 4, struct.pack("<I", 2)),
        (string("tokenizer.ggml.tokens"), 9, struct.pack("<IQ", 8, 2) + string("a") + string("bc")),
        (string("tokenizer.ggml.scores"), 9, struct.pack("<IQ2f", 6, 2, 0.5, 1.0)),
        *([(string("split.count"), 2, struct.pack("<H", split))] if split else []),
        *([(string("general.type"), 8, string(kind_of))] if kind_of else []),
    ]
    head = magic + struct.pack("<IQQ", version, 1, len(pairs))
    head += b"".join(key + struct.pack("<I", type_) + value for key, type_, value in pairs)
    head += string("t") + struct.pack("<I2QIQ", 2, 4, 4, kind, 0)
    return head + bytes(-len(head) % 32) + bytes(data)
