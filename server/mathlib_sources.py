"""Fetches the sources of Mathlib as of a tag or commit: with git, or as a .tar.gz where there is none.

Nothing of it is run. What arrives is unpacked aside and takes its place when it is whole; whatever ends the fetching,
nothing is left of it.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from tacit.index.folders import make_folder
from tacit.index.places import ABOUT
from tacit.index.reader import LARGEST
from tacit.server import web
from tacit.server.errors import BadInput, TacitError

URL = "https://github.com/leanprover-community/mathlib4"
VARIABLE = "TACIT_MATHLIB_FROM"
MOST_FILES = 200_000
MOST_BYTES = 4_000_000_000
"""Of an archive once it is unpacked, what is not wanted of it included."""
LARGEST_NAME = 1 << 16
"""Bytes of what an archive says of one file beside its content."""
TIMEOUT = 60.0
"""Seconds without a byte."""
_BESIDE = frozenset(("Mathlib.lean", "lean-toolchain", "lakefile.lean", "lakefile.toml"))
_REVISION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]*(?:/[0-9A-Za-z._+-]+)*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PERCENT = re.compile(rb"(?P<what>[A-Za-z ]+):\s+\d+% \((?P<done>\d+)/(?P<all>\d+)\)")
_ELSEWHERE = "Where its sources are on this machine, name them: MATHLIB=path, or `tacit index build PATH`."

Progress = Callable[[str, int, int], None]


class Unreachable(TacitError):
    """Mathlib could not be fetched."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which Mathlib: a tag or a commit, and where from. `name` is how the folder and people call it."""

    revision: str
    url: str = ""
    is_tag: bool = True

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self.url or os.environ.get(VARIABLE) or URL


def tag_of(lean: str) -> str:
    """Mathlib's tag for a version of Lean: `4.27.0`, `v4.27.0` and `leanprover/lean4:v4.27.0` have `v4.27.0`."""
    version = lean.strip().rpartition(":")[2].removeprefix("v")
    if not re.fullmatch(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?", version):
        raise BadInput(
            f"{lean.strip()!r} is no released version of Lean, and Mathlib has tags for those.",
            hint="Write --lean 4.27.0, or name a tag, branch or commit of Mathlib: --revision REV.",
        )
    return f"v{version}"


def fetch(wanted: Wanted, folder: Path, progress: Progress) -> None:
    """Put the Lean files into `folder`, which is not there yet. Raises BadInput and Unreachable."""
    if not _REVISION.fullmatch(wanted.revision) or ".." in wanted.revision:
        raise BadInput(f"{wanted.revision!r} is no tag, branch or commit.")
    try:
        with _alone(folder.parent) as aside:
            if folder.exists():  # somebody else was faster
                return
            growing = aside / "sources"
            growing.mkdir()
            if wanted.source.endswith((".tar.gz", ".tgz")):
                commit = _from_tarball(wanted, wanted.source, growing, progress)
            elif shutil.which("git"):
                commit = _from_git(wanted, aside / "git", growing, progress)
            elif wanted.source.startswith("https://github.com/"):
                address = f"{wanted.source.removesuffix('.git')}/archive/{wanted.revision}.tar.gz"
                commit = _from_tarball(wanted, address, growing, progress)
            else:
                raise BadInput(f"Without git nothing can be fetched from {wanted.source}.", hint="Install git.")
            about = {"revision": commit, "asked": wanted.revision, "from": wanted.source}
            (growing / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
            growing.rename(folder)
    except OSError as error:
        raise TacitError(f"Mathlib was not written to {folder}: {error.strerror or error}.") from error


@contextmanager
def _alone(parent: Path) -> Iterator[Path]:
    """A folder to work in that is gone afterwards, together with what those left behind that were killed."""
    make_folder(parent)
    with (parent / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TacitError(f"Another process is fetching sources into {parent}; wait for it.") from None
        for old in parent.glob(".fetching-*"):
            shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".fetching-") as aside:
            yield Path(aside)


def _no_such(wanted: Wanted) -> BadInput:
    what = "tag" if wanted.is_tag else "revision"
    return BadInput(
        f"There is no {what} {wanted.revision} at {wanted.source}.",
        hint="Name a version of Lean that Mathlib has a tag for (--lean 4.27.0), or a commit (--revision REV).",
    )


def _too_large(wanted: Wanted) -> BadInput:
    return BadInput(f"What {wanted.source} has at {wanted.revision} is too large to be Mathlib.")


def _unreachable(wanted: Wanted, why: str) -> Unreachable:
    return Unreachable(f"Mathlib could not be fetched from {wanted.source}: {why.rstrip('.')}.", hint=_ELSEWHERE)


# ---------------------------------------------------------------- git


def _from_git(wanted: Wanted, repository: Path, folder: Path, progress: Progress) -> str:
    command = ["git", "--git-dir", str(repository)]
    # No hooks, no templates, no transport that runs a command, nobody asked for a password.
    careful = ["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"]
    subprocess.run([*command, "init", "--quiet", "--bare", "--template="], check=True, capture_output=True)
    what = f"refs/tags/{wanted.revision}" if wanted.is_tag else wanted.revision
    options = ["--progress", "--depth=1", "--no-tags", "--no-recurse-submodules"]
    with _running([*command, *careful, "fetch", *options, "--", wanted.source, what], errors=True) as process:
        assert process.stderr is not None
        said = _follow(process.stderr, progress)
        if process.wait() != 0:
            missing = any(each in said for each in ("find remote ref", "not our ref", "no such ref"))
            raise _no_such(wanted) if missing else _unreachable(wanted, said or "git failed")
    found = subprocess.run([*command, "rev-parse", "FETCH_HEAD^{commit}"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise _no_such(wanted)
    with _running([*command, "archive", "--format=tar", "FETCH_HEAD"], errors=False) as process:
        assert process.stdout is not None
        with _as_archive(wanted), tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            _unpack(tar, folder, wanted, 0, progress)
    return found.stdout.strip()


@contextmanager
def _running(command: list[str], *, errors: bool) -> Iterator[subprocess.Popen[bytes]]:
    """A child that ends with the block, and what it started too. Ctrl-C is ours: it ends the block."""
    environment = {
        **os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",  # also where an address leads elsewhere
    }  # fmt: skip
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    if errors:
        pipes |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    try:
        yield process
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _follow(stream: IO[bytes], progress: Progress) -> str:
    """Turn git's progress into ours; the last thing that it said besides."""
    said, rest = "", b""
    while chunk := os.read(stream.fileno(), 4096):
        *lines, rest = re.split(rb"[\r\n]", rest + chunk)
        for line in lines:
            if found := _PERCENT.search(line):
                what = found["what"].decode().strip().lower()
                progress(what, int(found["done"]), int(found["all"]))
            elif line.strip() and not line.startswith((b"remote:", b"hint:", b"From ", b" *")):
                text = line.decode(errors="replace").strip()
                said = text.removeprefix("fatal: ").removeprefix("error: ") if "fatal: " in text or not said else said
    return said


# ---------------------------------------------------------------- .tar.gz


def _from_tarball(wanted: Wanted, address: str, folder: Path, progress: Progress) -> str:
    if not address.startswith(("https://", "file://")):
        raise BadInput(f"{address} is no address that begins with https:// or file://.")
    try:
        with _opened(wanted, address) as (stream, size), _as_archive(wanted):
            counted = _Counted(stream, size, progress)
            with tarfile.open(fileobj=counted, mode="r|gz", tarinfo=_Entry) as tar:  # type: ignore[call-overload]  # reads, no more
                _unpack(tar, folder, wanted, 1, progress)
                commit = str(tar.pax_headers.get("comment", ""))  # where git writes it
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise _unreachable(wanted, str(error) or "the connection broke off") from error
    if _COMMIT.fullmatch(wanted.revision) and commit != wanted.revision:
        raise _unreachable(wanted, f"what arrived is of commit {commit or 'unknown'}, and {wanted.revision} was wanted")
    return commit


@contextmanager
def _opened(wanted: Wanted, address: str) -> Iterator[tuple[IO[bytes], int]]:
    """What is at an address, and its size in bytes, 0 where that is not said. Raises BadInput and Unreachable."""
    try:
        if address.startswith("file://"):
            place = Path(url2pathname(unquote(urlsplit(address).path)))
            stream: IO[bytes] = place.open("rb")
            size = str(place.stat().st_size)
        else:
            answer = web.open_address(address, {}, web.Redirects(), TIMEOUT)
            stream, size = answer, answer.headers.get("Content-Length") or ""
    except BadInput as error:
        raise _no_such(wanted) from error
    except (web.Broken, web.NothingThere, TacitError, OSError) as error:
        raise _unreachable(wanted, web.why_of(error)) from error
    with stream:
        yield stream, int(size) if size.isdecimal() else 0


class _Entry(tarfile.TarInfo):
    """A header of an archive. tarfile reads what stands for a long name into memory, whatever size that says it has."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        entry = super().frombuf(buf, encoding, errors)
        about = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME)
        if entry.type in (*about, tarfile.GNUTYPE_LONGLINK) and not 0 <= entry.size <= LARGEST_NAME:
            raise tarfile.ReadError("a name in it is too long")
        if entry.size < 0:
            raise tarfile.ReadError("a size in it is below zero")
        return entry


class _Counted:
    """A stream that tells how much of it was read."""

    def __init__(self, stream: IO[bytes], size: int, progress: Progress) -> None:
        self._stream, self._size, self._progress, self._done = stream, size, progress, 0

    def read(self, count: int) -> bytes:
        chunk = self._stream.read(count)
        self._done += len(chunk)
        self._progress("receiving, MB", self._done >> 20, max(self._size, self._done) >> 20)
        return chunk


@contextmanager
def _as_archive(wanted: Wanted) -> Iterator[None]:
    """What goes wrong in unpacking is what arrived, not what was asked for."""
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise _unreachable(wanted, f"what arrived is no archive, or not all of one ({error})") from error


def _unpack(tar: tarfile.TarFile, folder: Path, wanted: Wanted, leading: int, progress: Progress) -> None:
    """Write Mathlib's Lean files and what says which Lean they are for; nothing else that an archive may hold."""
    files = total = 0
    for member in tar:
        total += member.size
        if total > MOST_BYTES:
            raise _too_large(wanted)
        parts = PurePosixPath(member.name).parts[leading:]
        wants = (parts[:1] == ("Mathlib",) and parts[-1].endswith(".lean")) or parts in {(each,) for each in _BESIDE}
        if not member.isreg() or not wants or ".." in parts:
            continue
        files += 1
        if member.size > LARGEST or files > MOST_FILES:
            raise _too_large(wanted)
        content = tar.extractfile(member)
        assert content is not None
        place = folder.joinpath(*parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        with content, place.open("xb") as file:
            shutil.copyfileobj(content, file)
        if leading == 0:
            progress("unpacking", files, files)
    if not (folder / "Mathlib").is_dir():
        raise BadInput(f"There is no Mathlib/ in {wanted.source} at {wanted.revision}.")
