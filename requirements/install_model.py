"""Installs llama-cpp-python, which runs the local model, into the environment of the Python that runs this.

    .venv/bin/python requirements/install_model.py [--again]

It is published as source alone. What model.lock pins is built once for this kind of processor, without the parts of
llama.cpp that Tacit does not use, and the wheel is kept in the user's cache: another clone, or .venv made anew, takes
it from there. Where that fails, one sentence says why and how to have it, the exit status is 0 all the same, and the
reason is kept, so that the next run does not spend minutes failing again. With --again it tries again, and a failure
is exit status 1. TACIT_MODEL_AGAIN says what else than `make model` tries again: VS Code's extension runs this too.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK, TOOLS, PARTS = HERE / "model.lock", HERE / "model-build.lock", HERE / "model.cmake"
NEEDS = HERE / "model-run.lock"
ENVIRONMENT = Path(sys.prefix)
STATE = ENVIRONMENT / ".model"
COMMAND = os.environ.get("TACIT_MODEL_AGAIN") or "`make model`"
AGAIN = f"{COMMAND} tries again."

# llama.cpp's options, and what /proc/cpuinfo must say for each. No AMX: some virtual machines announce it and end the
# process that uses it.
INSTRUCTIONS: tuple[tuple[str, str], ...] = (
    ("GGML_SSE42", "sse4_2"),
    ("GGML_AVX", "avx"),
    ("GGML_F16C", "f16c"),
    ("GGML_FMA", "fma"),
    ("GGML_AVX2", "avx2"),
    ("GGML_BMI2", "bmi2"),
    ("GGML_AVX512", "avx512f avx512cd avx512vl avx512dq avx512bw"),
    ("GGML_AVX512_VBMI", "avx512f avx512cd avx512vl avx512dq avx512bw avx512vbmi"),
    ("GGML_AVX512_VNNI", "avx512f avx512cd avx512vl avx512dq avx512bw avx512_vnni"),
)


class LeftOut(Exception):
    """The local model cannot be installed: why, and what to do about it, two halves of a sentence."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"The local model is left out: {why}. To have it: {remedy}")
        self.why = why


def main(arguments: Sequence[str]) -> int:
    """Install, or say in one line why not."""
    again = "--again" in arguments
    options = cmake_options(platform.machine(), processor())
    key = name_of_build(options)
    done, _, why = STATE.read_text(encoding="utf-8").partition("\n") if STATE.is_file() else ("", "", "")
    if done == key and not again:
        if why:
            say(f"The local model is left out: {why}. {AGAIN}")
        return 0
    try:
        try:
            install(key, options)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise LeftOut(what, f"mend that, then {COMMAND}.") from error
    except LeftOut as left_out:
        STATE.write_text(f"{key}\n{left_out.why}", encoding="utf-8")
        say(str(left_out))
        return int(again)
    STATE.write_text(f"{key}\n", encoding="utf-8")
    if again:
        say("The local model can run: llama-cpp-python is installed.")
    return 0


def cmake_options(machine: str, flags: frozenset[str]) -> list[str]:
    """What llama.cpp is built with: what this processor has, and nothing that another build of this name lacks."""
    options = [f"-D{name}=OFF" for name in ("LLAVA_BUILD", "GGML_CCACHE", "LLAMA_ALL_WARNINGS")]
    options.append(f"-DCMAKE_PROJECT_INCLUDE={PARTS}")
    if machine not in ("x86_64", "AMD64"):
        return options
    options.append("-DGGML_NATIVE=OFF")
    return options + [
        f"-D{name}={'ON' if flags.issuperset(needed.split()) else 'OFF'}" for name, needed in INSTRUCTIONS
    ]


def processor() -> frozenset[str]:
    """What the processor says it can do; empty where the system does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split() if found else ())


def name_of_build(options: Sequence[str]) -> str:
    """One name for what goes into a build: the same name is the same wheel, in every clone."""
    digest = hashlib.sha256()
    for file in (LOCK, TOOLS, PARTS):
        digest.update(file.read_bytes())
    for option in options:
        digest.update(option.replace(str(HERE), "").encode())
    digest.update(f"{platform.system()} {platform.machine()} {platform.libc_ver()}".encode())
    pinned = re.search(r"^llama-cpp-python==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if not pinned:
        raise SystemExit(f"{LOCK} does not name llama-cpp-python: `make lock` writes it.")
    return f"llama-cpp-python-{pinned[1]}-{digest.hexdigest()[:16]}"


def cache() -> Path:
    """Where the wheels are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tacit" / "wheels"


def install(key: str, options: Sequence[str]) -> None:
    """Take the wheel from the cache, or build it; raises LeftOut."""
    folder = cache() / key
    wheels = sorted(folder.glob("*.whl"))
    wheel = wheels[0] if wheels else build(folder, options)
    said = pip(sys.executable, "install", "--no-deps", "--no-index", "--force-reinstall", str(wheel))
    if said is None:
        missing = pip(sys.executable, "install", "--require-hashes", "-r", str(NEEDS))
        if missing is not None:
            why = f"pip could not get what llama-cpp-python needs ({last_line(missing)})"
            raise LeftOut(why, f"connect to the network, then {COMMAND}.")
        said = run([sys.executable, "-c", "import llama_cpp; llama_cpp.llama_backend_init()"], os.environ)
    if said is not None:
        # Whatever is wrong with it, the next try builds another.
        shutil.rmtree(folder, ignore_errors=True)
        raise LeftOut(f"llama-cpp-python is built and does not load ({last_line(said)})", f"{COMMAND} builds it anew.")


def build(folder: Path, options: Sequence[str]) -> Path:
    """The wheel, built and moved into the cache; raises LeftOut."""
    for what, names, variable in (("C++", ("c++", "g++", "clang++"), "CXX"), ("C", ("cc", "gcc", "clang"), "CC")):
        chosen = os.environ.get(variable, "").split()[:1]
        if not any(shutil.which(name) for name in chosen or names):
            raise LeftOut(
                f"there is no {what} compiler" + (f" {chosen[0]}, which {variable} names" if chosen else ""),
                f"install one (on Debian and Ubuntu: apt install build-essential), then {COMMAND}.",
            )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    minutes = max(1, round(2.5 / cores))
    say(f"Building llama.cpp for the local model (once for this machine, about {minutes} min on {cores} of its cores)")
    with tempfile.TemporaryDirectory(prefix="tacit-model-") as name:
        made = Path(name)
        tools = made / "tools"
        python = tools / "bin" / "python"
        said = run([sys.executable, "-m", "venv", str(tools)], os.environ)
        said = said or pip(str(python), "install", "--require-hashes", "-r", str(TOOLS))
        get = ["download", "--no-deps", "--no-build-isolation", "--no-binary", "llama-cpp-python", "-d", str(made)]
        said = said or pip(str(python), *get, "--require-hashes", "-r", str(LOCK))
        if said is not None:
            why = f"pip could not get llama-cpp-python ({last_line(said)})"
            raise LeftOut(why, f"connect to the network, then {COMMAND}.")
        source = next(made.glob("llama_cpp_python-*.tar.gz"))
        environment = {
            **os.environ,
            "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "CMAKE_ARGS": f"{os.environ.get('CMAKE_ARGS', '')} {shlex.join(options)}",
            "CMAKE_BUILD_PARALLEL_LEVEL": os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or str(cores),
            "CMAKE_GENERATOR": "Ninja",
            "SKBUILD_BUILD_TARGETS": "llama",
            "SKBUILD_WHEEL_EXCLUDE": "lib/**;include/**",
        }
        # No cache: pip would take a wheel that it built once with other options.
        make = ["wheel", "-v", "--no-cache-dir", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(made)]
        said = pip(str(python), *make, str(source), environment=environment)
        folder.mkdir(parents=True, exist_ok=True)
        if said is not None:
            log = folder / "build.log"
            log.write_text(said, encoding="utf-8")
            why = f"llama.cpp does not build here ({telling_line(said)}; all of it is in {log})"
            raise LeftOut(why, f"mend that, then {COMMAND}.")
        wheel = next(made.glob("*.whl"))
        # Two clones may build at once: each wheel appears whole.
        arriving = folder / f".{os.getpid()}"
        shutil.copyfile(wheel, arriving)
        return arriving.replace(folder / wheel.name)


def pip(python: str, *arguments: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Run pip; what it said where it failed, else None."""
    return run([python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments], environment)


def run(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Run a command; what it said where it failed, else None."""
    done = subprocess.run(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    return None if done.returncode == 0 else f"{done.stdout}\nexit status {done.returncode}"


def last_line(said: str) -> str:
    """The last line with a reason in it."""
    lines = [line.strip().removeprefix("ERROR: ") for line in said.splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(("exit status", "[notice]", "WARNING"))]
    return (reasons or lines)[-1][:200].rstrip(".")


def telling_line(said: str) -> str:
    """The first line that a compiler or the linker calls an error; a sentence of CMake's stands below such a line."""
    found = re.search(r"^.*(?:\berror:|undefined reference|No space left|Killed).*$", said, re.MULTILINE)
    cmake = re.search(r"CMake Error at .*\n([\s\S]{1,400}?)\.$", said, re.MULTILINE)
    if cmake and not (found and found.start() < cmake.start()):
        return " ".join(cmake[1].split())[:200]
    return found[0].strip()[:200] if found else last_line(said)


def say(line: str) -> None:
    """To the terminal at once: minutes may pass before the next line."""
    print(line, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
