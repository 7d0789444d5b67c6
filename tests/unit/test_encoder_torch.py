"""The optional encoder, on a stand-in for sentence-transformers: what it asks for and what it says when it cannot."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tacit.index.encoder import Encoder, EncoderUnavailable, open_encoder


class Tensor:
    def __init__(self, values: list[float]) -> None:
        self._values = np.array(values, dtype=np.float32)

    def detach(self) -> Tensor:
        return self

    cpu = float = detach

    def numpy(self) -> NDArray[np.float32]:
        return self._values


class Model:
    """Has the weights that its name says, and no network."""

    asked: list[dict[str, Any]]

    def __init__(self, name: str, **options: Any) -> None:
        type(self).asked.append(options)
        if name == "absent":
            raise OSError("not on this machine\nand much more")
        self.max_seq_length = 512
        self._weights = [float(each) for each in name.encode()]

    def state_dict(self) -> dict[str, Tensor]:
        return {"weights": Tensor(self._weights)}

    def encode(self, texts: list[str], **_: Any) -> NDArray[np.float64]:
        return np.full((len(texts), 4), 0.5)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "asked", [], raising=False)
    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=Model))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=lambda _: None))


def test_a_model_by_name() -> None:
    opened: Encoder = open_encoder("some/model", threads=1)
    assert (opened.name, opened.dimension) == ("some/model", 4)
    vectors = opened.encode(["one", "two"])
    assert vectors.shape == (2, 4)
    assert vectors.dtype == np.float32
    assert opened.encode([]).shape == (0, 4)


def test_other_weights_are_another_encoder() -> None:
    first, again, other = (open_encoder(name).fingerprint for name in ("a/model", "a/model", "b/model"))
    assert first == again
    assert first != other


def test_nothing_is_fetched_unless_asked() -> None:
    open_encoder("some/model")
    open_encoder("some/model", fetch=True)
    assert [options["local_files_only"] for options in Model.asked] == [True, False]


def test_a_model_that_is_not_here_is_one_sentence() -> None:
    with pytest.raises(EncoderUnavailable, match=r"^The encoder absent cannot be loaded: not on this machine$"):
        open_encoder("absent")
