"""The decoder: llama's architecture, as llama.cpp computes it. RMSNorm, rotary positions, grouped queries, SwiGLU.

`build(config)` makes a torch module:

    logits, cache = model(ids, document, cache)      ids: (batch, time) of int64; logits: (batch, time, vocabulary)

`document` (batch, time) numbers the texts that stand one after the other in a row; none sees another. `cache` holds
what was computed for what stood before, one (keys, values) a layer, of (batch, heads, time, head size).

Rotary pairs are neighbours, x[2i] and x[2i + 1], as in Meta's own code and in llama.cpp (LLAMA_ROPE_TYPE_NORM), so that
the weights of queries and keys are exported as they are; it is Hugging Face's layout that would have to be permuted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tacit.training.errors import TrainingError, library

EPSILON = 1e-5
BASE = 10_000.0
DEVIATION = 0.02


@dataclass(frozen=True, slots=True)
class Config:
    """Sizes of a decoder. `width` is that of a token's vector; input and output share the table of them."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    context: int

    def __post_init__(self) -> None:
        if self.width % self.heads or self.heads % self.kv_heads or self.head % 2 or min(asdict(self).values()) < 1:
            raise TrainingError(f"There can be no model of these sizes: {asdict(self)}.", "Use a named size.")

    @property
    def head(self) -> int:
        """The size of one head."""
        return self.width // self.heads

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        attention = self.width * self.head * 2 * (self.heads + self.kv_heads)
        layer = attention + 3 * self.width * self.hidden + 2 * self.width
        return self.vocabulary * self.width + self.layers * layer + self.width

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """From what `asdict` made."""
        return cls(**{name: int(values[name]) for name in cls.__dataclass_fields__})


_SIZES = {
    # name: width, layers, heads, key-value heads, hidden, context
    "smoke": (128, 4, 4, 2, 352, 256),
    "tiny-cpu": (256, 6, 4, 2, 704, 384),
    "tiny": (512, 16, 8, 4, 1408, 1024),
}
SIZES = tuple(_SIZES)


def config(size: str, vocabulary: int) -> Config:
    """The sizes that a name stands for: smoke, tiny-cpu, tiny. Raises TrainingError."""
    if size not in _SIZES:
        raise TrainingError(f"There is no size {size}.", f"Name one of: {', '.join(SIZES)}.")
    width, layers, heads, kv_heads, hidden, context = _SIZES[size]
    return Config(vocabulary, width, layers, heads, kv_heads, hidden, context)


def build(sizes: Config) -> Any:
    """A new model with random weights, from torch's generator. Raises TrainingError without torch."""
    torch = library("torch")
    nn = library("torch.nn")
    functional = library("torch.nn.functional")

    def linear(inputs: int, outputs: int) -> Any:
        return nn.Linear(inputs, outputs, bias=False)

    class Norm(nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(sizes.width))

        def forward(self, x: Any) -> Any:
            wide = x.float()
            scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)
            return (scaled * self.weight.float()).to(x.dtype)

    class Layer(nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.attention_norm, self.hidden_norm = Norm(), Norm()
            self.query = linear(sizes.width, sizes.heads * sizes.head)
            self.key = linear(sizes.width, sizes.kv_heads * sizes.head)
            self.value = linear(sizes.width, sizes.kv_heads * sizes.head)
            self.out = linear(sizes.heads * sizes.head, sizes.width)
            self.gate = linear(sizes.width, sizes.hidden)
            self.up = linear(sizes.width, sizes.hidden)
            self.down = linear(sizes.hidden, sizes.width)

        def forward(self, x: Any, turn: Any, mask: Any, before: Any) -> tuple[Any, Any]:
            batch, time, _ = x.shape
            normed = self.attention_norm(x)
            query = rotated(self.query(normed).view(batch, time, sizes.heads, sizes.head), turn).transpose(1, 2)
            key = rotated(self.key(normed).view(batch, time, sizes.kv_heads, sizes.head), turn).transpose(1, 2)
            value = self.value(normed).view(batch, time, sizes.kv_heads, sizes.head).transpose(1, 2)
            if before is not None:
                key, value = torch.cat([before[0], key], 2), torch.cat([before[1], value], 2)
            many = sizes.heads // sizes.kv_heads
            mixed = functional.scaled_dot_product_attention(
                query, key.repeat_interleave(many, 1), value.repeat_interleave(many, 1), attn_mask=mask
            )
            x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, -1))
            normed = self.hidden_norm(x)
            return x + self.down(functional.silu(self.gate(normed)) * self.up(normed)), (key, value)

    def rotated(x: Any, turn: Any) -> Any:
        even, odd = x[..., 0::2].float(), x[..., 1::2].float()
        cos, sin = turn
        return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).to(x.dtype)

    class Decoder(nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.sizes = sizes
            self.embedding = nn.Embedding(sizes.vocabulary, sizes.width)
            self.layers = nn.ModuleList(Layer() for _ in range(sizes.layers))
            self.norm = Norm()
            frequencies = BASE ** (-torch.arange(0, sizes.head, 2, dtype=torch.float32) / sizes.head)
            self.register_buffer("frequencies", frequencies, persistent=False)
            for name, weights in self.named_parameters():
                if weights.dim() == 2:
                    # What is added to the sum of all layers begins smaller, the more of them there are (GPT-2).
                    small = name.endswith(("out.weight", "down.weight"))
                    nn.init.normal_(weights, std=DEVIATION / (2 * sizes.layers) ** 0.5 if small else DEVIATION)

        def forward(self, ids: Any, document: Any = None, cache: Any = None) -> tuple[Any, list[Any]]:
            x = self.embedding(ids)
            time = ids.shape[1]
            begin = cache[0][0].shape[2] if cache is not None else 0
            places = torch.arange(begin, begin + time, device=ids.device)
            angles = torch.outer(places.float(), self.frequencies)[:, None, :]
            turn = angles.cos(), angles.sin()
            seen = torch.arange(begin + time, device=ids.device)[None, :] <= places[:, None]
            mask = seen[None, None]
            if document is not None:
                mask = mask & (document[:, None, :, None] == document[:, None, None, :])
            kept = []
            for number, layer in enumerate(self.layers):
                x, pair = layer(x, turn, mask, cache[number] if cache is not None else None)
                kept.append(pair)
            return self.norm(x) @ self.embedding.weight.t(), kept

    return Decoder()
