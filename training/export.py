"""Writes a trained decoder and its tokenizer as one GGUF file that llama.cpp loads, quantised or not. Nothing else.

Names and keys are those of llama.cpp's `llama` architecture (gguf-py, constants.py). Tables of weights are quantised by
the `gguf` package itself, so neither llama.cpp nor a compiler is needed; norms stay 32 bits wide, as llama.cpp wants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tacit.training.errors import TrainingError, library
from tacit.training.model import BASE, EPSILON
from tacit.training.prompt import END, SPECIAL
from tacit.training.tokenizer import PRE, Tokenizer

TYPES = ("Q8_0", "F16", "F32")
NAME = "tacit-tiny"
LICENCE = "apache-2.0"
_TABLES = {
    "query": "attn_q", "key": "attn_k", "value": "attn_v", "out": "attn_output",
    "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip
_NORMS = {"attention_norm": "attn_norm", "hidden_norm": "ffn_norm"}


def export(model: Any, tokenizer: Tokenizer, path: Path, type_: str = "Q8_0", *, about: str = "") -> int:
    """Write the file, whole or not at all; its size in bytes. Raises TrainingError, OSError."""
    gguf = library("gguf")
    if type_ not in TYPES:
        raise TrainingError(f"{type_} is no type of weights that can be written.", f"Name one of: {', '.join(TYPES)}.")
    sizes = model.sizes
    if tokenizer.size != sizes.vocabulary:
        raise TrainingError(
            f"The model knows {sizes.vocabulary} tokens and the tokenizer {tokenizer.size}.",
            "Export with the tokenizer that the model was trained with.",
        )
    growing = path.with_name(f"{path.name}.new")
    writer = gguf.GGUFWriter(growing, "llama")
    try:
        writer.add_name(NAME)
        writer.add_license(LICENCE)
        writer.add_description(about or "Proposes the next tactic of a Lean 4 proof.")
        writer.add_file_type(getattr(gguf.LlamaFileType, {"F32": "ALL_F32"}.get(type_, f"MOSTLY_{type_}")))
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        writer.add_vocab_size(sizes.vocabulary)
        writer.add_context_length(sizes.context)
        writer.add_embedding_length(sizes.width)
        writer.add_block_count(sizes.layers)
        writer.add_feed_forward_length(sizes.hidden)
        writer.add_head_count(sizes.heads)
        writer.add_head_count_kv(sizes.kv_heads)
        writer.add_rope_dimension_count(sizes.head)
        writer.add_rope_freq_base(BASE)
        writer.add_layer_norm_rms_eps(EPSILON)
        _tokenizer(gguf, writer, tokenizer)
        for name, weights in model.state_dict().items():
            _tensor(gguf, writer, _name(name), weights.detach().float().cpu().numpy(), type_)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        growing.replace(path)
    except BaseException:
        writer.close()
        growing.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def _tokenizer(gguf: Any, writer: Any, tokenizer: Tokenizer) -> None:
    kinds = gguf.TokenType
    tokens = tokenizer.tokens()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE)
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.CONTROL if each in SPECIAL else kinds.NORMAL for each in tokens])
    writer.add_token_merges(tokenizer.merges())
    writer.add_bos_token_id(SPECIAL.index(END))  # never added; llama.cpp wants one
    writer.add_eos_token_id(tokenizer.end)
    writer.add_pad_token_id(tokenizer.pad)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)


def _name(name: str) -> str:
    """A tensor's name there: `layers.3.query.weight` is `blk.3.attn_q.weight`."""
    if name == "embedding.weight":
        return "token_embd.weight"  # the output, too, where there is no output.weight
    if name == "norm.weight":
        return "output_norm.weight"
    _, number, part, weight = name.split(".")
    return f"blk.{number}.{({**_TABLES, **_NORMS})[part]}.{weight}"


def _tensor(gguf: Any, writer: Any, name: str, weights: Any, type_: str) -> None:
    kind = getattr(gguf.GGMLQuantizationType, type_)
    if weights.ndim == 1 or type_ == "F32":
        writer.add_tensor(name, weights)
        return
    writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
