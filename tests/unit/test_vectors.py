"""The vectors on disk: what is found, what is embedded again and what is not, and what a kill or a fault leaves."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tacit.index import vectors
from tacit.index.store import Store
from tacit.index.vectors import NoVectors, OtherEncoder, Vectors, VectorsBusy, VectorsError, change, fill, read_manifest
from tests.unit.corpus import index, write


class FakeEncoder:
    """A random direction for each text, always the same one; remembers what it was asked."""

    def __init__(self, *, name: str = "fake", fingerprint: str = "fake0", dimension: int = 24) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            seed = int.from_bytes(hashlib.sha256((self.fingerprint + text).encode()).digest()[:8], "little")
            found[row] = np.random.default_rng(seed).standard_normal(self.dimension)
        return found / np.linalg.norm(found, axis=1, keepdims=True) if len(texts) else found


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 10 vectors, 5 texts at once, 4 files."""
    monkeypatch.setattr(vectors, "SHARD", 10)
    monkeypatch.setattr(vectors, "AT_ONCE", 5)
    monkeypatch.setattr(vectors, "MOST_FILES", 4)


def corpus(count: int, start: int = 0) -> list[tuple[int, str]]:
    return [(100 + 3 * number, f"theorem {number}") for number in range(start, start + count)]


def nearest(folder: Path, encoder: FakeEncoder, text: str) -> int:
    (found, _), *_ = Vectors.open(folder, encoder).search(FakeEncoder.encode(encoder, [text])[0], 3)
    return found


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.faiss"))


def test_the_nearest_are_found_with_their_products(tmp_path: Path, encoder: FakeEncoder) -> None:
    texts = corpus(300)
    assert fill(tmp_path, encoder, texts) == vectors.Filled(300, 0, 300)
    opened = Vectors.open(tmp_path, encoder)
    assert len(opened) == 300
    query = encoder.encode(["a question"])[0]
    exact = encoder.encode([text for _, text in texts]) @ query
    best = sorted(zip(exact.tolist(), (id for id, _ in texts), strict=True), reverse=True)
    found = opened.search(query, 20)
    assert len({id for id, _ in found} & {id for _, id in best[:20]}) >= 18
    assert [score for _, score in found] == pytest.approx([score for score, _ in best[:20]], abs=0.02)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    ids = [id for _, id in best[40:60]]
    assert opened.scores(query, [*ids, 7]) == pytest.approx([score for score, _ in best[40:60]] + [0], abs=0.02)
    assert len(opened.search(query, 10_000)) == 300
    assert opened.search(query, 0) == []


def test_the_same_text_twice_is_embedded_once(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, [(1, "same"), (2, "same"), (3, "other")])
    assert sorted(encoder.seen) == ["other", "same"]
    found = Vectors.open(tmp_path, encoder).search(encoder.encode(["same"])[0], 2)
    assert {id for id, _ in found} == {1, 2}


def test_nothing_is_embedded_again_when_ids_change(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(20))
    encoder.seen.clear()
    renumbered = [(7_000_000_000 + id, text) for id, text in reversed(corpus(20))]
    assert fill(tmp_path, encoder, renumbered) == vectors.Filled(0, 20, 20)
    assert encoder.seen == []
    assert nearest(tmp_path, encoder, "theorem 4") == 7_000_000_000 + 112


@pytest.mark.usefixtures("small")
def test_what_was_embedded_before_an_interruption_is_kept(tmp_path: Path, encoder: FakeEncoder) -> None:
    def stop_at_half(_what: str, done: int, total: int) -> None:
        assert total == 40
        if done >= 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path, encoder, corpus(40), stop_at_half)
    assert len(encoder.seen) == 25
    halfway = Vectors.open(tmp_path, encoder)
    assert (len(halfway), halfway.manifest.count, halfway.manifest.complete) == (25, 40, False)
    encoder.seen.clear()
    assert fill(tmp_path, encoder, corpus(40)) == vectors.Filled(15, 25, 40)
    assert len(encoder.seen) == 15
    assert read_manifest(tmp_path).complete
    assert len(Vectors.open(tmp_path, encoder)) == 40


KILLED = """
import sys
from pathlib import Path
from tacit.index import vectors
from tests.unit.test_vectors import FakeEncoder, corpus
vectors.SHARD, vectors.AT_ONCE, vectors.MOST_FILES = 10, 5, 2
vectors.fill(Path(sys.argv[1]), FakeEncoder(), corpus(1_000), lambda *state: print(state[1], flush=True))
"""


@pytest.mark.usefixtures("small")
def test_a_builder_that_is_killed_leaves_what_it_wrote(tmp_path: Path, encoder: FakeEncoder) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], cwd=root, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 50:
            pass
        child.kill()
    (tmp_path / ".half-written").write_bytes(b"what a kill in the middle of writing leaves")
    there = len(Vectors.open(tmp_path, encoder))
    assert there >= 50
    assert fill(tmp_path, encoder, corpus(1_000)) == vectors.Filled(1_000 - there, there, 1_000)
    assert len(Vectors.open(tmp_path, encoder)) == 1_000
    assert len(files(tmp_path)) <= 4
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("small")
def test_a_reader_sees_what_a_builder_has_so_far(tmp_path: Path, encoder: FakeEncoder) -> None:
    sizes = []

    def look(_what: str, done: int, _total: int) -> None:
        if done % 10 == 0:
            sizes.append(len(Vectors.open(tmp_path, encoder)))

    fill(tmp_path, encoder, corpus(30), look)
    assert sizes == [0, 10, 20, 30]


@pytest.mark.usefixtures("small")
def test_changes_replace_add_and_remove(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(30))
    encoder.seen.clear()
    done = change(tmp_path, encoder, [(103, "rewritten"), (999, "new")], removed=[106])
    assert done == vectors.Filled(2, 0, 30)
    assert sorted(encoder.seen) == ["new", "rewritten"]
    assert nearest(tmp_path, encoder, "rewritten") == 103
    assert nearest(tmp_path, encoder, "new") == 999
    opened = Vectors.open(tmp_path, encoder)
    assert 106 not in opened.ids
    assert nearest(tmp_path, encoder, "theorem 29") == 187
    # Undoing costs nothing: the vectors are still there.
    assert change(tmp_path, encoder, [(103, "theorem 1"), (106, "theorem 2")], removed=[999]).embedded == 0
    assert nearest(tmp_path, encoder, "theorem 2") == 106


@pytest.mark.usefixtures("small")
def test_files_are_merged_and_what_nobody_needs_goes(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(100))
    assert len(files(tmp_path)) == 2
    for number in range(12):
        change(tmp_path, encoder, [(1_000 + number, f"lemma {number}")])
        assert len(files(tmp_path)) <= 4
    assert len(Vectors.open(tmp_path, encoder)) == 112
    size = sum(file.stat().st_size for file in files(tmp_path))
    fill(tmp_path, encoder, corpus(50))
    (left,) = files(tmp_path)
    assert left.stat().st_size < size / 1.9
    assert nearest(tmp_path, encoder, "theorem 49") == 247


def test_an_emptied_folder_answers_nothing(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(5))
    assert fill(tmp_path, encoder, []) == vectors.Filled(0, 0, 0)
    opened = Vectors.open(tmp_path, encoder)
    assert opened.search(encoder.encode(["x"])[0], 5) == []
    assert opened.scores(encoder.encode(["x"])[0], [100, 103]) == [0, 0]
    assert opened.manifest.complete


def test_the_old_vectors_answer_until_those_of_another_encoder_are_complete(
    tmp_path: Path, encoder: FakeEncoder
) -> None:
    fill(tmp_path, encoder, corpus(20))
    other = FakeEncoder(name="better", fingerprint="better0", dimension=32)
    with pytest.raises(OtherEncoder, match=r"were made by fake, and the encoder is better: `tacit index update`"):
        Vectors.open(tmp_path, other)
    with pytest.raises(OtherEncoder):
        change(tmp_path, other, [(1, "x")])

    def look(_what: str, _done: int, _total: int) -> None:
        assert len(Vectors.open(tmp_path, encoder)) == 20

    fill(tmp_path, other, corpus(20), look)
    assert nearest(tmp_path, other, "theorem 3") == 109
    with pytest.raises(OtherEncoder):
        Vectors.open(tmp_path, encoder)
    assert {file.name.partition("-")[0] for file in files(tmp_path)} == {"better0"}


def test_another_version_of_the_same_encoder_is_told_apart(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(3))
    with pytest.raises(OtherEncoder, match="were made by another version of fake"):
        Vectors.open(tmp_path, FakeEncoder(fingerprint="fake1"))


def test_nothing_there_yet(tmp_path: Path, encoder: FakeEncoder) -> None:
    with pytest.raises(NoVectors, match="There are no vectors in"):
        Vectors.open(tmp_path / "absent", encoder)


@pytest.mark.parametrize("left", [0, 100, 200])
@pytest.mark.usefixtures("small")
def test_a_torn_file_costs_its_own_vectors_only(tmp_path: Path, encoder: FakeEncoder, left: int) -> None:
    fill(tmp_path, encoder, corpus(30))
    torn = files(tmp_path)[0]
    torn.write_bytes(torn.read_bytes()[:left])
    assert len(Vectors.open(tmp_path, encoder)) == 20
    assert fill(tmp_path, encoder, corpus(30)).embedded == 10
    assert len(Vectors.open(tmp_path, encoder)) == 30


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', '{"schema": 99}'])
def test_a_spoilt_manifest_is_one_sentence(tmp_path: Path, encoder: FakeEncoder, content: str) -> None:
    fill(tmp_path, encoder, corpus(3))
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(VectorsError, match=r"^The vectors in .* (cannot be read|were made by another version)"):
        Vectors.open(tmp_path, encoder)
    assert fill(tmp_path, encoder, corpus(3)).embedded == 0


def test_ids_that_are_gone_are_one_sentence(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(3))
    (tmp_path / "fake0.ids").unlink()
    with pytest.raises(VectorsError, match="cannot be read"):
        Vectors.open(tmp_path, encoder)


@pytest.mark.parametrize("how", ["half a number", "out of order", "a folder", "a pipe"])
def test_ids_that_make_no_sense_are_one_sentence_and_made_again(tmp_path: Path, encoder: FakeEncoder, how: str) -> None:
    fill(tmp_path, encoder, corpus(3))
    ids = tmp_path / "fake0.ids"
    content = ids.read_bytes()
    if how == "half a number":
        ids.write_bytes(content[:-9])
    elif how == "out of order":
        ids.write_bytes(content[16:] + content[:16])
    else:
        ids.unlink()
        if how == "a folder":
            ids.mkdir()
        else:
            os.mkfifo(ids)
    with pytest.raises(VectorsError, match="cannot be read"):
        Vectors.open(tmp_path, encoder)
    assert vectors.ids_of(tmp_path, encoder) is None
    if how != "a folder":
        assert fill(tmp_path, encoder, corpus(3)).embedded == 0
        assert len(Vectors.open(tmp_path, encoder)) == 3


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.usefixtures("small")
def test_a_changed_bit_costs_the_vectors_of_its_file_only(tmp_path: Path, encoder: FakeEncoder, seed: int) -> None:
    fill(tmp_path, encoder, corpus(30))
    changed, dice = files(tmp_path)[0], random.Random(seed)
    content = bytearray(changed.read_bytes())
    # In its head, where sizes stand, or anywhere: one that asks for 2⁶³ bytes must not be granted them.
    content[dice.randrange(140 if seed % 2 else len(content) - 15)] ^= 1 << dice.randrange(8)
    changed.write_bytes(content)
    assert len(Vectors.open(tmp_path, encoder)) == 20
    assert fill(tmp_path, encoder, corpus(30)).embedded == 10
    assert not changed.exists()
    assert len(Vectors.open(tmp_path, encoder)) == 30


def test_vectors_of_before_there_were_checksums_are_read(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(3))
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-15])
    assert len(Vectors.open(tmp_path, encoder)) == 3
    assert fill(tmp_path, encoder, corpus(3)).embedded == 0


def test_what_is_no_file_of_vectors_is_passed_over(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(3))
    os.mkfifo(tmp_path / "fake0-000007.faiss")
    (tmp_path / "fake0-000008.faiss").mkdir()
    (tmp_path / "fake0-000009.faiss").write_bytes(random.Random(0).randbytes(3000))
    assert len(Vectors.open(tmp_path, encoder)) == 3
    assert fill(tmp_path, encoder, corpus(4)).embedded == 1
    assert len(Vectors.open(tmp_path, encoder)) == 4


def test_vectors_that_are_lost_are_made_again_by_the_next_update(tmp_path: Path, encoder: FakeEncoder) -> None:
    from tacit.retrieval.dense import embed

    write(tmp_path / "src")
    index(tmp_path / "src", tmp_path / "top.db")
    store = Store.open(tmp_path / "top.db")
    whole = embed(tmp_path / "v", encoder, store)
    (file,) = files(tmp_path / "v")
    file.write_bytes(b"")
    assert embed(tmp_path / "v", encoder, store).embedded == whole.embedded > 0
    assert read_manifest(tmp_path / "v").complete
    store.close()


def test_two_builders_at_once(tmp_path: Path, encoder: FakeEncoder) -> None:
    fill(tmp_path, encoder, corpus(3))
    with (tmp_path / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(VectorsBusy, match="Somebody else is making the vectors"):
            fill(tmp_path, encoder, corpus(4))
    assert fill(tmp_path, encoder, corpus(4)).embedded == 1


def test_a_full_disk_leaves_the_old_vectors(
    tmp_path: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, encoder, corpus(10))

    def full(_place: Path, _content: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(vectors, "replace_file", full)
        with pytest.raises(VectorsError, match=r"cannot be written: No space left on device\.$"):
            fill(tmp_path, encoder, corpus(20))
    assert len(Vectors.open(tmp_path, encoder)) == 10


def test_texts_of_any_kind(tmp_path: Path, encoder: FakeEncoder) -> None:
    odd = [(1, ""), (2, "\0"), (3, "𝕜 ∀ ε"), (4, "x" * 1_000_000)]
    assert fill(tmp_path, encoder, odd).count == 4
    assert nearest(tmp_path, encoder, "𝕜 ∀ ε") == 3
