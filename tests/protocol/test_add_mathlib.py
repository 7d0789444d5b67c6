"""`tacit index add-mathlib` as a person runs it, from a git repository and from a .tar.gz on this machine."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from tacit.server.errors import TacitError
from tacit.server.mathlib_sources import Wanted, fetch
from tests.unit.corpus import write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
LAKEFILE = 'name = "mathlib"\ndefaultTargets = ["Mathlib"]\n[[lean_lib]]\nname = "Mathlib"\n'
LEMMA = "/-- A lemma of the order of {n}. -/\ntheorem order_lemma_{n} : {n} = {n} := rfl\n"


def git(folder: Path, *arguments: str) -> str:
    about = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]
    done = subprocess.run(["git", *about, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with Mathlib as of two versions, hooks and all that is not wanted."""
    work = tmp_path_factory.mktemp("work")
    git(work, "init", "--quiet", "--initial-branch=master")
    (work / "lakefile.toml").write_text(LAKEFILE)
    (work / "lake-manifest.json").write_text('{"packages": [{"type": "git", "name": "batteries", "rev": "abc"}]}')
    for version in ("4.26.0", "4.27.0"):
        (work / "lean-toolchain").write_text(f"leanprover/lean4:v{version}\n")
        minor = version.split(".")[1]
        write(work, {"Mathlib.lean": "import Mathlib.Order\n", "Mathlib/Order.lean": LEMMA.format(n=minor)})
        write(work, {"MathlibTest/Other.lean": "theorem unwanted : 1 = 1 := rfl\n", "scripts/run.sh": "rm -rf /\n"})
        (work / "Mathlib" / "Linked.lean").unlink(missing_ok=True)
        (work / "Mathlib" / "Linked.lean").symlink_to("/etc/passwd")
        git(work, "add", "-A")
        git(work, "commit", "--quiet", "-m", version)
        git(work, "tag", f"v{version}")
    bare = tmp_path_factory.mktemp("bare") / "mathlib4.git"
    git(work, "clone", "--quiet", "--bare", str(work), str(bare))
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    return bare


class Shell:
    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder, self.project = folder, folder / "project"
        kept = {key: value for key, value in os.environ.items() if key not in ("MATHLIB", "TACIT_MATHLIB_FROM")}
        self.environment = {
            **kept,
            "TACIT_CACHE": str(folder / "cache"),
            "ELAN_HOME": str(folder / "elan"),
            "TACIT_MATHLIB_FROM": upstream,
        }

    @property
    def sources(self) -> Path:
        return self.folder / "cache" / "sources"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tacit.server.cli", *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(command, cwd=self.project, env=self.environment, **pipes)

    def run(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, err
        assert "Traceback" not in err
        return out, err

    def add(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        return self.run("index", "add-mathlib", "--no-vectors", *arguments, status=status)

    def held(self) -> list[str]:
        return sorted(each.name for each in self.sources.iterdir() if each.name != ".lock")


@pytest.fixture
def shell(tmp_path: Path, upstream: Path) -> Shell:
    write(tmp_path / "project", {"Top.lean": "theorem top_lemma : 1 = 1 := rfl\n"})
    (tmp_path / "project" / "lakefile.toml").write_text('name = "top"\n[[lean_lib]]\nname = "Top"\n')
    (tmp_path / "project" / "lean-toolchain").write_text("leanprover/lean4:v4.27.0\n")
    return Shell(tmp_path, upstream.as_uri())


def test_the_version_of_the_project_is_fetched_indexed_and_searched(shell: Shell, upstream: Path) -> None:
    out, err = shell.add()
    assert out.startswith("mathlib: 2 files read, 1 declaration;")
    assert "Mathlib v4.27.0 is in" in err
    (folder,) = shell.sources.glob("mathlib-*")
    assert sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()) == [
        *("Mathlib.lean", "Mathlib/Order.lean", "lakefile.toml", "lean-toolchain", "tacit-source.json"),
    ]
    commit = git(upstream, "rev-parse", "v4.27.0")
    assert json.loads((folder / "tacit-source.json").read_text())["revision"] == commit
    shell.run("index", "update", "--no-vectors")
    hits = json.loads(shell.run("search", "order_lemma_27", "--json")[0])
    assert (hits[0]["package"], hits[0]["path"]) == ("mathlib", str(folder / "Mathlib" / "Order.lean"))
    status = {each["package"]: each for each in json.loads(shell.run("index", "status", "--json")[0])}
    assert status["mathlib"]["revision"] == commit
    _, err = shell.add()
    assert "is here already" in err
    assert shell.held() == [folder.name]
    out, _ = shell.run("index", "remove", str(folder))
    assert "mathlib: removed" in out
    assert shell.held() == []


def test_versions_and_revisions_by_name(shell: Shell, upstream: Path) -> None:
    shell.add("--lean", "4.26.0")
    shell.run("index", "update", "--no-vectors")
    assert "order_lemma_26" in shell.run("search", "order_lemma", "package:mathlib")[0]
    shell.add("--lean", "leanprover/lean4:v4.27.0")
    # Both are there: the one for the project's Lean is searched.
    assert "order_lemma_27" in shell.run("search", "order_lemma", "package:mathlib")[0]
    commit = git(upstream, "rev-parse", "v4.26.0")
    shell.add("--revision", commit)
    shell.add("--revision", "master")
    assert shell.held() == sorted(["mathlib-v4.26.0", "mathlib-v4.27.0", f"mathlib-{commit}", "mathlib-master"])


def test_the_commit_in_the_manifest_comes_first(shell: Shell, upstream: Path) -> None:
    commit = git(upstream, "rev-parse", "v4.26.0")
    manifest = {"packages": [{"type": "git", "name": "mathlib", "rev": commit}]}
    (shell.project / "lake-manifest.json").write_text(json.dumps(manifest))
    shell.add("--lean", "4.27.0")
    shell.add()
    assert "order_lemma_26" in shell.run("search", "order_lemma", "package:mathlib")[0]
    own = shell.project / ".lake" / "packages" / "mathlib"
    write(own, {"Mathlib.lean": "", "Mathlib/Own.lean": "theorem own_lemma : 1 = 1 := rfl\n"})
    (own / "lakefile.toml").write_text(LAKEFILE)
    _, err = shell.add()
    assert "has Mathlib's sources already" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--lean", "4.99.0"), "There is no tag v4.99.0 at"),
        (("--revision", "0" * 40), "There is no revision 0000"),
        (("--revision", "nowhere"), "There is no revision nowhere at"),
        (("--revision", "--upload-pack=x"), "expected one argument"),
        (("--revision", "a..b"), "is no tag, branch or commit"),
        (("--lean", "nightly-2026-01-01"), "is no released version of Lean"),
        (("--from", "file:///nowhere/at/all"), "Mathlib could not be fetched from file:///nowhere/at/all"),
        (("--from", "https://127.0.0.1:9/mathlib4"), "`tacit index build PATH`"),
        (("--from", "https://127.0.0.1:9/mathlib4.tar.gz"), "MATHLIB=path"),
        (("--from", "ftp://a/b.tar.gz"), "https:// or file://"),
        (("--from", "http://127.0.0.1:9/mathlib4"), "not allowed"),
        (("--from", "git://127.0.0.1:9/mathlib4"), "not allowed"),
        (("--from", "ext::sh -c touch% made"), "could not be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence_and_leaves_nothing(
    arguments: tuple[str, ...], sentence: str, shell: Shell
) -> None:
    out, err = shell.add(*arguments, status=2)
    assert out == ""
    assert sentence in err
    if "usage:" not in err:
        assert len(err.strip().splitlines()) == 1
    assert not shell.sources.exists() or shell.held() == []
    assert not (shell.project / "made").exists()


def test_nothing_says_which_version(shell: Shell) -> None:
    (shell.project / "lean-toolchain").unlink()
    assert "no lean-toolchain" in shell.add(status=2)[1]
    (shell.project / "lakefile.toml").unlink()
    assert "Outside a Lean project" in shell.add(status=2)[1]


def test_without_git_there_are_archives(shell: Shell, tmp_path: Path) -> None:
    shell.environment["PATH"] = str(tmp_path)
    assert "Install git." in shell.add(status=2)[1]
    archive(
        tmp_path / "m.tar.gz", {"Mathlib/Order.lean": LEMMA.format(n=1).encode(), "lakefile.toml": LAKEFILE.encode()}
    )
    out, _ = shell.add("--from", (tmp_path / "m.tar.gz").as_uri())
    assert "mathlib: 1 file read" in out
    about = json.loads((shell.sources / "mathlib-v4.27.0" / "tacit-source.json").read_text())
    assert about["revision"] == "c" * 40


def test_an_archive_that_is_hostile_writes_only_what_it_may(shell: Shell, tmp_path: Path) -> None:
    files = {
        "Mathlib/Good.lean": b"theorem good : 1 = 1 := rfl\n",
        "Mathlib/../../../evil.lean": b"",
        "../Mathlib/Evil.lean": b"",
        "Mathlib/run.sh": b"",
        "lakefile.toml": LAKEFILE.encode(),
    }
    archive(tmp_path / "m.tar.gz", files, link="Mathlib/Link.lean")
    shell.add("--from", (tmp_path / "m.tar.gz").as_uri())
    assert not list(tmp_path.rglob("*vil.lean"))
    folder = shell.sources / "mathlib-v4.27.0"
    assert [each.name for each in (folder / "Mathlib").iterdir()] == ["Good.lean"]


@pytest.mark.parametrize("content", [b"", b"no archive at all", "empty"])
def test_an_archive_without_mathlib_is_refused(content: bytes | str, shell: Shell, tmp_path: Path) -> None:
    if isinstance(content, bytes):
        (tmp_path / "m.tar.gz").write_bytes(content)
    else:
        archive(tmp_path / "m.tar.gz", {"readme.md": b"hello"})
    _, err = shell.add("--from", (tmp_path / "m.tar.gz").as_uri(), status=2)
    assert "no archive" in err or "There is no Mathlib/" in err
    assert shell.held() == []


def entry(name: str, content: bytes = b"", *, type_: bytes = tarfile.REGTYPE, size: int | None = None) -> bytes:
    """One entry of an archive as bytes; `size` is what it says, whatever it holds."""
    header = tarfile.TarInfo(name)
    header.type, header.size = type_, len(content) if size is None else size
    return header.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


GOOD = entry("m/Mathlib/Good.lean", b"theorem good : 1 = 1 := rfl\n")
ENDLESS = 1 << 40
LEADS_OUT = tarfile.TarInfo("m/Mathlib/Out.lean")
LEADS_OUT.type, LEADS_OUT.linkname = tarfile.LNKTYPE, "../../../../canary"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + entry("m/name", type_=tarfile.XHDTYPE, size=ENDLESS) + bytes(1 << 20), "a name in it is too long"),
        (GOOD + entry("m/name", type_=tarfile.GNUTYPE_LONGNAME, size=ENDLESS), "a name in it is too long"),
        (GOOD + entry("m/.git/huge", size=ENDLESS) + bytes(1 << 20), "too large to be Mathlib"),
        (GOOD + entry("m/Mathlib/Huge.lean", size=ENDLESS), "too large to be Mathlib"),
        (GOOD + GOOD, "was not written"),
        (GOOD + entry("m/Mathlib/Good.lean/More.lean", b"x"), "was not written"),
        (GOOD + entry("m/Mathlib/" + "x" * 80 + "/y.lean", b"x") + entry("m/Mathlib/./Good.lean"), "was not written"),
        (entry("/m/Mathlib/Absolute.lean", b"x"), "There is no Mathlib/"),
        (entry("m/../../../canary.lean", b"x"), "There is no Mathlib/"),
        (entry("m/Mathlib/\\..\\canary.lean", type_=tarfile.CHRTYPE), "There is no Mathlib/"),
        (entry("m/Mathlib/Pipe.lean", type_=tarfile.FIFOTYPE), "There is no Mathlib/"),
        (entry("m/Mathlib", type_=tarfile.SYMTYPE) + LEADS_OUT.tobuf(), "There is no Mathlib/"),
    ],
    ids=[
        "endless header", "endless name", "endless file beside", "endless file", "twice", "a file as a folder",
        "twice by a dot", "absolute", "above", "device", "pipe", "links",
    ],
)  # fmt: skip
def test_an_archive_that_means_harm_is_refused_and_leaves_nothing(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("as it was")
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(content + bytes(1024), 1))
    before = {*tmp_path.rglob("*"), tmp_path / "sources", tmp_path / "sources" / ".lock"}
    wanted = Wanted("v4.27.0", (tmp_path / "m.tar.gz").as_uri())
    with pytest.raises(TacitError, match=said) as raised:
        fetch(wanted, tmp_path / "sources" / "mathlib", lambda *_: None)
    assert "\n" not in str(raised.value)
    assert {*tmp_path.rglob("*")} == before
    assert (tmp_path / "canary").read_text() == "as it was"


def test_an_archive_of_another_commit_than_was_named_is_refused(shell: Shell, tmp_path: Path) -> None:
    archive(tmp_path / "m.tar.gz", {"Mathlib/Order.lean": b"", "lakefile.toml": LAKEFILE.encode()})
    address = (tmp_path / "m.tar.gz").as_uri()
    assert "and dddddd" in shell.add("--from", address, "--revision", "d" * 40, status=2)[1]
    assert shell.held() == []
    shell.add("--from", address, "--revision", "c" * 40)


def archive(place: Path, files: dict[str, bytes], link: str = "") -> None:
    with tarfile.open(place, "w:gz", pax_headers={"comment": "c" * 40}) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"mathlib4-1/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        if link:
            entry = tarfile.TarInfo(f"mathlib4-1/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(entry)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_and_no_git(shell: Shell, tmp_path: Path, number: int) -> None:
    """A git that never ends stands for a slow network."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "git"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *fetch*) echo $$ > {tmp_path}/pid; echo "Receiving objects:  5% (5/100)" >&2;'
        " sleep 600;; esac\n"
    )
    script.chmod(0o755)
    shell.environment["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{shell.environment['PATH']}"
    process = shell.start("index", "add-mathlib", "--no-vectors")
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # A second one does not get in its way.
    assert "Another process is fetching" in shell.add(status=2)[1]
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert shell.held() == []
    child = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_what_a_killed_one_left_is_cleared_away(shell: Shell) -> None:
    left = shell.sources / ".fetching-old"
    write(left, {"half.lean": ""})
    shell.add()
    assert shell.held() == ["mathlib-v4.27.0"]
