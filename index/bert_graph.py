"""Writes a BERT sentence encoder down as an ONNX graph, straight from its weights: token ids in, unit vectors out.

No torch. The graph ends in mean pooling over the real tokens and a division by the length, as the
sentence-transformers models that pool by the mean do. Opset 17 and ONNX Runtime's own quantised operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPSET = 17
# Goes up whenever the same weights make another graph: vectors of the old one do not mix with those of the new one.
REVISION = 1
# Processors without VNNI add two products of unsigned and signed bytes in 16 bits: 2 · 255 · 64 is the most that fits.
# With weights up to 127 those would saturate, and the vectors would differ from one machine to the next.
WEIGHT_LEVELS = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of a BERT's `config.json` that the graph depends on."""

    layers: int
    heads: int
    width: int
    epsilon: float

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """From a parsed `config.json`; ValueError for a model that this graph does not describe."""
        expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
        for key, value in expected.items():
            if config.get(key, value) != value:
                raise ValueError(f"a model with {key} = {config[key]!r} is not the BERT that this graph describes")
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            width=config["hidden_size"],
            epsilon=config["layer_norm_eps"],
        )


def adapted(
    weights: Mapping[str, NDArray[np.float32]], adapter: Mapping[str, NDArray[np.floating[Any]]]
) -> dict[str, NDArray[np.float32]]:
    """The weights with those of an adapter added: of a layer `x`, the product of `x.up` and `x.down`.

    ValueError where the adapter was made for another model.
    """
    import numpy as np

    found = dict(weights)
    for name in (key.removesuffix(".up") for key in adapter if key.endswith(".up")):
        change = adapter[name + ".up"].astype(np.float32) @ adapter[name + ".down"].astype(np.float32)
        weight = found.get(name + ".weight")
        if weight is None or weight.shape != change.shape:
            raise ValueError(f"the adapter is for another model: {name} is not the same there")
        found[name + ".weight"] = weight + change
    return found


def build(weights: Mapping[str, NDArray[np.float32]], shape: Shape, *, quantised: bool = True) -> bytes:
    """The serialised model. Inputs `ids` and `mask`, int64 (texts, tokens); output `vectors`, float32 (texts, width).

    `weights` are named as in Hugging Face's `BertModel`. Quantised: weights to int8 per output channel, activations to
    uint8 as they come; embeddings to int8 per token.
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph(weights, shape, quantised)
    graph.encoder()
    tokens = ["texts", "tokens"]
    made = helper.make_graph(
        graph.nodes,
        "sentence encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, tokens) for name in ("ids", "mask")],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", shape.width])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=8, producer_name="tacit")
    checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised


class _Graph:
    """The nodes and constants so far. Every method adds what its name says and returns the name of the result."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], shape: Shape, quantised: bool) -> None:
        self.weights = weights
        self.shape = shape
        self.linear: Callable[[str, str], str] = self.integer_linear if quantised else self.float_linear
        self.attention: Callable[[str, str], str] = self.integer_attention if quantised else self.float_attention
        self.quantised = quantised
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.known: set[str] = set()

    def node(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        from onnx import helper

        names = [f"{kind}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.node(kind, *inputs, **attributes)[0]

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if name not in self.known:
            self.known.add(name)
            self.constants.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def number(self, value: float) -> str:
        import numpy as np

        return self.constant(f"number {value!r}", np.asarray(value, dtype=np.float32))

    def integers(self, *values: int) -> str:
        import numpy as np

        return self.constant(f"integers {values}", np.asarray(values, dtype=np.int64))

    def encoder(self) -> None:
        mask = self.op("Cast", "mask", to=1)
        state = self.embeddings()
        for layer in range(self.shape.layers):
            at = f"encoder.layer.{layer}."
            attended = self.linear(self.attention(state, at), at + "attention.output.dense")
            state = self.normed(self.op("Add", attended, state), at + "attention.output.LayerNorm")
            wide = self.gelu(self.linear(state, at + "intermediate.dense"))
            state = self.normed(self.op("Add", self.linear(wide, at + "output.dense"), state), at + "output.LayerNorm")
        self.pooled(state, mask)

    def embeddings(self) -> str:
        import numpy as np

        words = self.weights["embeddings.word_embeddings.weight"]
        if self.quantised:
            rows, scales = _levels(words, axis=1, most=127)
            ints = self.op("Gather", self.constant("words", rows), "ids")
            scale = self.op("Gather", self.constant("word scales", scales), "ids")
            words_here = self.op("Mul", self.op("Cast", ints, to=1), scale)
        else:
            words_here = self.op("Gather", self.constant("words", words), "ids")
        # Every text is one segment, so that the embedding of segment 0 can be added to the positions beforehand.
        places = self.weights["embeddings.position_embeddings.weight"]
        places = np.ascontiguousarray(places + self.weights["embeddings.token_type_embeddings.weight"][0])
        length = self.op("Gather", self.op("Shape", "ids"), self.integers(1), axis=0)
        places_here = self.op("Slice", self.constant("places", places), self.integers(0), length, self.integers(0))
        return self.normed(self.op("Add", words_here, places_here), "embeddings.LayerNorm")

    def normed(self, state: str, at: str) -> str:
        scale, bias = self.weight(at + ".weight"), self.weight(at + ".bias")
        return self.op("LayerNormalization", state, scale, bias, axis=-1, epsilon=self.shape.epsilon)

    def gelu(self, state: str) -> str:
        return self.op("Gelu", state, domain="com.microsoft")

    def float_linear(self, state: str, at: str) -> str:
        import numpy as np

        weight = self.constant(at, np.ascontiguousarray(self.weights[at + ".weight"].T))
        return self.op("Add", self.op("MatMul", state, weight), self.weight(at + ".bias"))

    def integer_linear(self, state: str, at: str) -> str:
        import numpy as np

        levels, scales = _levels(self.weights[at + ".weight"], axis=1, most=WEIGHT_LEVELS)
        weight = self.constant(at, np.ascontiguousarray(levels.T))
        scale = self.constant(at + ".scale", scales[:, 0])
        # An absent zero point is zero.
        bias = self.weight(at + ".bias")
        return self.op("DynamicQuantizeMatMul", state, weight, scale, "", bias, domain="com.microsoft")

    def projections(self, at: str) -> tuple[NDArray[np.float32], str]:
        """The weights of query, key and value under one another, and the constant with their biases."""
        import numpy as np

        parts = [f"{at}attention.self.{name}" for name in ("query", "key", "value")]
        weight = np.concatenate([self.weights[each + ".weight"] for each in parts])
        return weight, self.constant(at + "bias", np.concatenate([self.weights[each + ".bias"] for each in parts]))

    def float_attention(self, state: str, at: str) -> str:
        import numpy as np

        weight, bias = self.projections(at)
        projection = self.constant(at + "weight", np.ascontiguousarray(weight.T))
        mask = self.op("Cast", "mask", to=6)
        heads = self.shape.heads
        return self.op("Attention", state, projection, bias, mask, domain="com.microsoft", num_heads=heads)

    def integer_attention(self, state: str, at: str) -> str:
        import numpy as np

        weight, bias = self.projections(at)
        levels, scales = _levels(weight, axis=1, most=WEIGHT_LEVELS)
        projection = self.constant(at + "weight", np.ascontiguousarray(levels.T))
        scale = self.constant(at + "scale", scales[:, 0])
        zero = self.constant("zeros", np.zeros(1, dtype=np.int8))
        mask = self.op("Cast", "mask", to=6)
        small, step, middle = self.node("DynamicQuantizeLinear", state, outputs=3)
        inputs = (small, projection, bias, step, scale, mask, middle, zero)
        return self.op("QAttention", *inputs, domain="com.microsoft", num_heads=self.shape.heads)

    def pooled(self, state: str, mask: str) -> None:
        from onnx import helper

        # The division by the number of tokens falls away: the vector is divided by its length anyway.
        real = self.op("Mul", state, self.op("Unsqueeze", mask, self.integers(-1)))
        total = self.op("ReduceSum", real, self.integers(1), keepdims=0)
        length = self.op("ReduceL2", total, axes=[-1], keepdims=1)
        whole = self.op("Max", length, self.number(1e-12))
        self.nodes.append(helper.make_node("Div", [total, whole], ["vectors"]))


def _levels(weight: NDArray[np.float32], *, axis: int, most: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers from -`most` to `most`, and the scale of each row (kept as an axis) that gives the weights back."""
    import numpy as np

    scales = np.maximum(np.abs(weight).max(axis=axis, keepdims=True) / most, np.finfo(np.float32).tiny)
    return np.rint(weight / scales).astype(np.int8), scales.astype(np.float32)
