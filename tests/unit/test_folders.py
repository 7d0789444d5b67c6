"""What Tacit keeps is its owner's alone: folders and files of the cache, whatever the umask is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tacit.index.encoder import cache_folder
from tacit.index.folders import make_folder, make_private
from tacit.index.store import Store
from tacit.server import memory_store, models
from tacit.server.memory_proofs import Known, Step


@pytest.fixture(autouse=True)
def lax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everybody may read what is made here, if nobody says otherwise."""
    monkeypatch.delenv("TACIT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(root: Path) -> list[str]:
    """What others than the owner can get at, below a folder of which they know every name."""
    if not root.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH):
        return []
    found = [each for each in root.rglob("*") if each.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    return [str(each.relative_to(root)) for each in found]


def keep_everything(root: Path) -> None:
    Store.create(root / "index" / "project.db").close()
    memory_store.append(
        memory_store.store_of(root), "A.lean", Known("⊢ p", "t", "", (), (Step("simp", "accepted", ""),))
    )
    make_folder(models.folder())


def test_the_cache_of_a_user_is_closed_to_others(tmp_path: Path) -> None:
    keep_everything(cache_folder())
    assert stat.S_IMODE(cache_folder().stat().st_mode) == 0o700
    assert open_to_others(cache_folder()) == []


def test_a_cache_of_an_older_version_is_closed_when_something_is_kept(tmp_path: Path) -> None:
    (cache_folder() / "index").mkdir(parents=True)
    cache_folder().chmod(0o755)
    make_folder(cache_folder() / "index")
    assert stat.S_IMODE(cache_folder().stat().st_mode) == 0o700


def test_a_cache_that_the_user_named_stays_as_it_is_but_for_what_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users of a machine may share indexes. What somebody proved and accepted is their own all the same."""
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir(mode=0o777)
    keep_everything(tmp_path / "shared")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o777
    assert stat.S_IMODE((tmp_path / "shared" / "index" / "project.db").stat().st_mode) & 0o044
    assert stat.S_IMODE((tmp_path / "shared" / "memory").stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    make_private(tmp_path / "theirs")
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o755
