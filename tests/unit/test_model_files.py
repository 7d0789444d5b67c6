"""Model files that cannot be used: one sentence each, before anything is loaded."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.errors import BadInput
from tacit.server.model.client import default_threads
from tacit.server.model.gguf_file import GgufFile, read
from tacit.server.model.llama import ModelError
from tacit.server.model.loading import check_memory
from tests.unit.gguf_bytes import gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def test_the_head_of_a_whole_file_is_read(file: Path) -> None:
    file.write_bytes(gguf())
    found = read(file)
    assert (found.architecture, found.name, found.context, found.parameters) == ("llama", "Tiny ∀", 512, 16)
    # 2 layers, 2 heads of 64 / 4 numbers, keys and values, 2 bytes each
    assert found.cache_bytes(100) == 100 * 2 * 2 * 16 * 2 * 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no GGUF file"),
        (b"PK\x03\x04" + bytes(100), "is no GGUF file"),
        (gguf(version=1), "version 1; Tacit reads 2 and 3"),
        (gguf(data=63), "is cut off: "),
        (gguf(data=0), "is cut off: "),
        (gguf()[:200], "is damaged, or was not copied whole. Fetch or copy it again."),
        (gguf()[:8], "is damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60), "is damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 62), "is damaged"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no model file"):
        read(tmp_path / "none.gguf")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        read(tmp_path)


@given(st.data())
def test_a_damaged_head_ends_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(gguf())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.gguf"
    file.write_bytes(bytes(content[: data.draw(st.integers(8, len(content)))]))
    said = str(file)
    try:
        read(file)
    except BadInput as error:
        said = str(error)
    assert str(file) in said


def test_a_model_that_does_not_fit_into_memory_is_not_loaded() -> None:
    metadata = {
        "general.architecture": "llama",
        "general.name": "Big",
        "llama.block_count": 32,
        "llama.embedding_length": 4096,
        "llama.attention.head_count": 32,
    }
    big = GgufFile(Path("big.gguf"), 4_700_000_000, metadata, 7_000_000_000)
    cache = 2048 * 32 * 4096 * 2 * 2
    check_memory(big, 2048, 4_700_000_000 + cache + (256 << 20))
    with pytest.raises(ModelError, match=r"Big needs 6\.0 GB of memory, and 6\.0 GB are free\. Close something"):
        check_memory(big, 2048, 4_700_000_000 + cache + (256 << 20) - 1)


def test_a_core_is_left_to_the_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 1), (4, 3), (64, 8)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert default_threads() == threads
