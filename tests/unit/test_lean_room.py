"""How much memory may still be taken, by the files that Linux keeps of it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tacit.server.lean.room import free_memory

MIB = 2**20


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 8000 * MIB}))


def group(root: Path, path: str, files: dict[str, str]) -> None:
    folder = root / "sys/fs/cgroup" / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def belongs(root: Path, *lines: str) -> None:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("".join(f"{line}\n" for line in lines))


def second(limit: str, used: int, *, inactive: int = 0, active: int = 0) -> dict[str, str]:
    stat = f"anon 5\ninactive_file {inactive * MIB}\nactive_file {active * MIB}\n"
    return {"memory.max": f"{limit}\n", "memory.current": f"{used * MIB}\n", "memory.stat": stat}


def test_without_control_groups_it_is_what_the_machine_has_left(tmp_path: Path) -> None:
    assert free_memory(tmp_path) == 8000 * MIB
    assert 0 < free_memory() <= 8000 * MIB


def test_a_limit_counts_and_the_page_cache_does_not(tmp_path: Path) -> None:
    belongs(tmp_path, "0::/user/one")
    group(tmp_path, "user/one", second(str(4096 * MIB), 3000, inactive=500, active=100))
    assert free_memory(tmp_path) == 1696 * MIB


def test_the_tightest_of_those_above_counts(tmp_path: Path) -> None:
    belongs(tmp_path, "0::/user/one")
    group(tmp_path, "user/one", second("max", 1000))
    group(tmp_path, "user", second(str(2000 * MIB), 1500))
    assert free_memory(tmp_path) == 500 * MIB


def test_inside_a_container_the_group_is_the_root(tmp_path: Path) -> None:
    belongs(tmp_path, "0::/docker/of-the-machine")
    group(tmp_path, "", second(str(1000 * MIB), 1200))
    assert free_memory(tmp_path) == 0


def test_the_first_version_too(tmp_path: Path) -> None:
    belongs(tmp_path, "9:name=systemd:/", "7:cpuset:/x", "4:memory:/box", "0::/")
    stat = f"inactive_file {MIB}\ntotal_inactive_file {100 * MIB}\ntotal_active_file 0\n"
    files = {
        "memory.limit_in_bytes": f"{3000 * MIB}\n",
        "memory.usage_in_bytes": f"{2000 * MIB}\n",
        "memory.stat": stat,
    }
    group(tmp_path, "memory/box", files)
    group(tmp_path, "memory", {**files, "memory.limit_in_bytes": "9223372036854771712\n"})
    assert free_memory(tmp_path) == 1100 * MIB


def test_a_limit_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    belongs(tmp_path, "0::/one")
    group(tmp_path, "one", {"memory.max": "1000\n"})
    assert free_memory(tmp_path) == 8000 * MIB
