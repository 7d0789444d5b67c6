"""Installing what runs the local model: once built it is taken from the cache, and a failure costs one line."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from requirements import install_model
from requirements.install_model import cmake_options, main, name_of_build, processor

OLD = frozenset("sse4_2 avx".split())
HASWELL = OLD | frozenset("f16c fma avx2 bmi2".split())
MATRIX = HASWELL | frozenset("avx512f avx512cd avx512vl avx512dq avx512bw avx512vbmi avx512_vnni amx_int8".split())


class Commands:
    """What the script would run: `fails` maps a word of a command to what it says when it fails."""

    def __init__(self) -> None:
        self.fails: dict[str, str] = {}
        self.ran: list[str] = []
        self.environment: Mapping[str, str] = {}

    def __call__(self, command: Sequence[str], environment: Mapping[str, str]) -> str | None:
        line = " ".join(command)
        self.ran.append(line)
        for word, said in self.fails.items():
            if f" {word} " in f"{line} ":
                return said
        if " download " in line:
            (Path(command[command.index("-d") + 1]) / "llama_cpp_python-1.tar.gz").touch()
        if " wheel " in line:
            self.environment = environment
            (Path(command[command.index("-w") + 1]) / "llama_cpp_python-1-py3-none-any.whl").write_bytes(b"wheel")
        return None

    @property
    def built(self) -> bool:
        return any(" wheel " in line for line in self.ran)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    made = Commands()
    monkeypatch.setattr(install_model, "run", made)
    monkeypatch.setattr(install_model, "STATE", tmp_path / "state")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("CC", raising=False)
    return made


def build_here() -> str:
    return name_of_build(cmake_options(platform.machine(), processor()))


def test_it_is_built_once_and_another_environment_takes_it_from_the_cache(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_model, "PARTS", tmp_path / "my parts.cmake")
    (tmp_path / "my parts.cmake").touch()
    assert main([]) == 0
    assert commands.built
    options = shlex.split(commands.environment["CMAKE_ARGS"])
    assert {"-DLLAVA_BUILD=OFF", f"-DCMAKE_PROJECT_INCLUDE={tmp_path}/my parts.cmake"} <= set(options)
    (wheel,) = (tmp_path / "cache" / "tacit" / "wheels").glob("*/*.whl")
    assert wheel.read_bytes() == b"wheel"
    assert [each.name for each in wheel.parent.iterdir()] == [wheel.name]
    commands.ran.clear()
    assert main([]) == 0
    assert commands.ran == []
    monkeypatch.setattr(install_model, "STATE", tmp_path / "another")
    assert main([]) == 0
    assert [line for line in commands.ran if str(wheel) in line] == commands.ran[:1]
    assert not commands.built


def test_a_processor_with_other_instructions_gets_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name_of_build(cmake_options("x86_64", flags)) for flags in (OLD, HASWELL, MATRIX)}
    assert len(names) == 3
    assert name_of_build(cmake_options("x86_64", MATRIX)) == name_of_build(
        cmake_options("x86_64", MATRIX | {"amx_tile"})
    )


@pytest.mark.parametrize(("flags", "on"), [(OLD, 2), (HASWELL, 6), (MATRIX, 9)])
def test_only_what_the_processor_has_is_used_and_never_its_matrix_instructions(flags: frozenset[str], on: int) -> None:
    options = cmake_options("x86_64", flags)
    assert "-DGGML_NATIVE=OFF" in options
    assert sum(option.endswith("=ON") for option in options) == on
    assert not [option for option in options if "AMX" in option]


@pytest.mark.parametrize(
    ("word", "said", "why", "remedy"),
    [
        (
            "download",
            "ERROR: No matching distribution found for llama-cpp-python==1\n\n[notice] A new pip\nexit status 1",
            "pip could not get llama-cpp-python (No matching distribution found for llama-cpp-python==1)",
            "connect to the network, then `make model`.",
        ),
        (
            "wheel",
            "Processing\n/x/ggml.c:1:2: error: unknown type name\nninja: failed\nERROR: Failed building wheel\n",
            "llama.cpp does not build here (/x/ggml.c:1:2: error: unknown type name; all of it is in {log})",
            "mend that, then `make model`.",
        ),
        (
            "wheel",
            '  CMake Error at C.cmake:65 (message):\n    The C compiler\n\n      "cc"\n\n    is broken.\n',
            'llama.cpp does not build here (The C compiler "cc" is broken; all of it is in {log})',
            "mend that, then `make model`.",
        ),
        (
            "-c",
            "Traceback\nOSError: libgomp.so.1: cannot open shared object file\nexit status 1",
            "llama-cpp-python is built and does not load (OSError: libgomp.so.1: cannot open shared object file)",
            "`make model` builds it anew.",
        ),
    ],
)
def test_a_failure_is_one_sentence_and_is_not_tried_again_unasked(
    commands: Commands, capsys: pytest.CaptureFixture[str], tmp_path: Path, word: str, said: str, why: str, remedy: str
) -> None:
    commands.fails[word] = said
    assert main([]) == 0
    folder = tmp_path / "cache" / "tacit" / "wheels" / build_here()
    why = f"The local model is left out: {why.format(log=folder / 'build.log')}"
    building, left_out = capsys.readouterr().out.splitlines()
    assert building.startswith("Building llama.cpp for the local model (once for this machine, ")
    assert left_out == f"{why}. To have it: {remedy}"
    assert not list(folder.glob("*.whl"))
    commands.ran.clear()
    assert main([]) == 0
    assert commands.ran == []
    assert capsys.readouterr().out == f"{why}. `make model` tries again.\n"
    assert main(["--again"]) == 1
    commands.fails.clear()
    assert main(["--again"]) == 0
    assert capsys.readouterr().out.endswith("The local model can run: llama-cpp-python is installed.\n")


def test_what_it_needs_is_installed_with_hashes_and_the_wheel_is_kept_where_that_fails(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.fails[str(install_model.NEEDS)] = "ERROR: No matching distribution found for diskcache==1\nexit status 1"
    assert main([]) == 0
    built = commands.built  # asserted itself, it would count as true below
    assert built
    assert capsys.readouterr().out.splitlines()[-1] == (
        "The local model is left out: pip could not get what llama-cpp-python needs (No matching distribution found "
        "for diskcache==1). To have it: connect to the network, then `make model`."
    )
    commands.fails.clear()
    commands.ran.clear()
    assert main(["--again"]) == 0
    assert not commands.built
    (needs,) = [line for line in commands.ran if str(install_model.NEEDS) in line]
    assert "--require-hashes" in needs


@pytest.mark.parametrize(
    ("variable", "missing", "why"),
    [
        ("", {"c++", "g++", "clang++"}, "there is no C++ compiler"),
        ("", {"cc", "gcc", "clang"}, "there is no C compiler"),
        ("CXX", {"icpx"}, "there is no C++ compiler icpx, which CXX names"),
    ],
)
def test_without_a_compiler_nothing_is_fetched(
    commands: Commands, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    variable: str, missing: set[str], why: str,
) -> None:  # fmt: skip
    if variable:
        monkeypatch.setenv(variable, "icpx -O2")
    monkeypatch.setattr("shutil.which", lambda name: None if name in missing else f"/usr/bin/{name}")
    assert main([]) == 0
    assert commands.ran == []
    assert capsys.readouterr().out == (
        f"The local model is left out: {why}. To have it: install one "
        "(on Debian and Ubuntu: apt install build-essential), then `make model`.\n"
    )


def test_a_cache_that_cannot_be_written_stops_nothing_else(
    commands: Commands, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "cache").touch()
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"The local model is left out: {tmp_path}/cache/tacit/wheels/{build_here()}: "
        "Not a directory. To have it: mend that, then `make model`."
    )
