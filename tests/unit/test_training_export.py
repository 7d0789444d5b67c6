"""The GGUF file says what llama.cpp needs, and llama.cpp reads from it the same tokens and the same model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tacit.training.errors import TrainingError
from tacit.training.export import export
from tacit.training.model import Config, build
from tacit.training.prompt import prompt
from tacit.training.tokenizer import Tokenizer, train
from tests.unit.properties import PIECES

torch: Any = pytest.importorskip("torch", reason="needs the extra `train`")
gguf: Any = pytest.importorskip("gguf", reason="needs the extra `train`")

TEXTS = [
    prompt("n m : ℕ\nh₁ : ∀ x ∈ s, f x ≤ 𝓝 a\n⊢ n + m = m + n") + "rw [Nat.add_comm, Diff.mul_left']\n  · exact ⟨a, b⟩",
    prompt(statement="⊢ p", proof="\n  constructor\n  · intro x\n    ") + "simp_all +arith [foo₂] at *",
]  # fmt: skip


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return train(TEXTS * 30, 512, often=10)


@pytest.fixture(scope="module")
def model(words: Tokenizer) -> Any:
    torch.manual_seed(1)
    made = build(Config(words.size, 64, 2, 4, 2, 96, 128))
    for name, weights in made.named_parameters():
        torch.nn.init.normal_(weights, 1.0 if weights.dim() == 1 else 0.0, 0.1 if "embedding" in name else 0.2)
    return made.eval()


@pytest.mark.parametrize(("type_", "table"), [("Q8_0", "Q8_0"), ("F16", "F16"), ("F32", "F32")])
def test_the_file_holds_the_model(tmp_path: Path, words: Tokenizer, model: Any, type_: str, table: str) -> None:
    path = tmp_path / "m.gguf"
    assert export(model, words, path, type_) == path.stat().st_size
    assert [each.name for each in tmp_path.iterdir()] == ["m.gguf"]
    reader = gguf.GGUFReader(path)
    tensors = {each.name: each for each in reader.tensors}
    assert len(tensors) == len(model.state_dict())
    assert {each.tensor_type.name for each in tensors.values() if "norm" not in each.name} == {table}
    assert {each.tensor_type.name for each in tensors.values() if "norm" in each.name} == {"F32"}
    assert list(tensors["blk.1.attn_k.weight"].shape) == [64, 32]
    assert reader.fields["llama.attention.head_count_kv"].contents() == 2
    assert reader.fields["tokenizer.ggml.pre"].contents() == "tekken"
    assert reader.fields["tokenizer.ggml.tokens"].contents() == words.tokens()


def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, words: Tokenizer, model: Any
) -> None:
    with pytest.raises(TrainingError, match=r"^Q3_X is no type of weights"):
        export(model, words, tmp_path / "m.gguf", "Q3_X")
    with pytest.raises(TrainingError, match=r"^The model knows \d+ tokens and the tokenizer 300\.$"):
        export(model, train(TEXTS * 30, 300), tmp_path / "m.gguf")
    with pytest.raises(OSError, match="gone"):
        export(model, words, tmp_path / "gone" / "m.gguf")
    assert list(tmp_path.iterdir()) == []


class Llama:
    """A model in llama.cpp, through its C interface: `llama_cpp.Llama` cannot say what some machines need."""

    def __init__(self, path: Path) -> None:
        self.c: Any = pytest.importorskip("llama_cpp", reason="needs llama-cpp-python")
        self.c.llama_backend_init()
        params = self.c.llama_model_default_params()
        # Some virtual machines name AMX among what they can do and die of it: other layouts of weights are left out.
        params.use_extra_bufts = False
        self.model = self.c.llama_model_load_from_file(os.fsencode(path), params)
        assert self.model
        self.vocabulary = self.c.llama_model_get_vocab(self.model)

    def encode(self, text: str) -> list[int]:
        raw = text.encode()
        ids = (self.c.llama_token * (len(raw) + 8))()
        count = self.c.llama_tokenize(self.vocabulary, raw, len(raw), ids, len(ids), True, True)
        assert count >= 0
        return list(ids[:count])

    def logits(self, ids: list[int]) -> Any:
        """Of every place: (time, vocabulary)."""
        import numpy as np

        params = self.c.llama_context_default_params()
        params.n_ctx, params.n_threads, params.n_threads_batch = 128, 1, 1
        # What stood before is kept in 16 bits otherwise, and the difference is all that one sees.
        params.type_k = params.type_v = self.c.GGML_TYPE_F32
        params.flash_attn_type = self.c.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context = self.c.llama_init_from_model(self.model, params)
        size = self.c.llama_vocab_n_tokens(self.vocabulary)
        rows = []
        for each in ids:
            token = (self.c.llama_token * 1)(each)
            assert self.c.llama_decode(context, self.c.llama_batch_get_one(token, 1)) == 0
            rows.append(np.ctypeslib.as_array(self.c.llama_get_logits(context), (size,)).copy())
        self.c.llama_free(context)
        return np.stack(rows)


def test_llama_cpp_cuts_text_into_the_same_tokens(tmp_path: Path, words: Tokenizer, model: Any) -> None:
    import random

    export(model, words, tmp_path / "m.gguf")
    llama = Llama(tmp_path / "m.gguf")
    chance = random.Random(1)
    texts = [*TEXTS, *("".join(chance.choices(PIECES, k=30)) for _ in range(500))]
    assert [text for text in texts if llama.encode(text) != words.encode(text)] == []


@pytest.mark.parametrize(("type_", "far"), [("F32", 1e-5), ("F16", 0.01), ("Q8_0", 0.1)])
def test_llama_cpp_computes_the_same(tmp_path: Path, words: Tokenizer, model: Any, type_: str, far: float) -> None:
    export(model, words, tmp_path / "m.gguf", type_)
    ids = words.encode(TEXTS[0])
    assert len(ids) > 40
    found = torch.from_numpy(Llama(tmp_path / "m.gguf").logits(ids))
    with torch.inference_mode():
        expected = model(torch.tensor([ids]))[0][0]
    # Beside F32, llama.cpp rounds what it multiplies the weights with, too.
    assert float((found - expected).square().mean().sqrt()) < far * float(expected.std())
