"""Files: read exactly, written whole or not at all, and diffs that other programs take."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tacit.server.errors import BadInput
from tacit.server.patch import LeanFile, apply, difference
from tacit.server.text import Span
from tacit.server.values import TextEdit


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_text_is_read_as_it_is() -> None:
    text = "\ufeffa\r\nb\rc\u2028d\x0c\ne"
    Path("A.lean").write_bytes(text.encode())
    file = LeanFile.read(Path("A.lean"))
    assert file.text == text
    assert file.shown == "A.lean"
    assert file.document().uri == Path("A.lean").resolve().as_uri()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "There is no file A.lean."),
        (lambda path: path.mkdir(), "A.lean is a folder."),
        (lambda path: path.write_bytes(b"a\xff"), "A.lean is not UTF-8 text (byte 1)."),
    ],
)
def test_what_cannot_be_read_is_said(make: object, sentence: str, here: Path) -> None:
    make(here / "A.lean")  # type: ignore[operator]
    with pytest.raises(BadInput) as error:
        LeanFile.read(Path("A.lean"))
    assert str(error.value).startswith(sentence)


def test_writing_keeps_permissions_and_leaves_nothing_beside(here: Path) -> None:
    path = here / "A.lean"
    path.write_text("sorry")
    path.chmod(0o640)
    LeanFile.read(path).write("rfl\r\n")
    assert path.read_bytes() == b"rfl\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in here.iterdir()] == ["A.lean"]


def test_writing_through_a_link_keeps_the_link(here: Path) -> None:
    (here / "A.lean").write_text("sorry")
    (here / "B.lean").symlink_to("A.lean")
    LeanFile.read(Path("B.lean")).write("rfl")
    assert (here / "B.lean").is_symlink()
    assert (here / "A.lean").read_text() == "rfl"


def test_a_file_that_changed_meanwhile_is_not_overwritten(here: Path) -> None:
    path = here / "A.lean"
    path.write_text("sorry")
    file = LeanFile.read(path)
    path.write_text("mine")
    with pytest.raises(BadInput, match="changed on disk"):
        file.write("rfl")
    assert path.read_text() == "mine"
    path.unlink()
    with pytest.raises(BadInput, match="cannot be written"):
        file.write("rfl")
    assert list(here.iterdir()) == []


def test_a_write_protected_file_is_not_overwritten(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = here / "A.lean"
    path.write_text("sorry")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(BadInput, match="write-protected"):
        LeanFile.read(path).write("rfl")
    assert path.read_text() == "sorry"


@pytest.mark.parametrize(
    ("text", "result"),
    [("a\nsorry\nb", "a\nx\n  y\nb"), ("a\r\nsorry\r\nb", "a\r\nx\r\n  y\r\nb"), ("a\r\nsorry\n", "a\r\nx\n  y\n")],
)
def test_an_edit_takes_the_line_ends_of_its_line(text: str, result: str) -> None:
    start = text.index("sorry")
    assert apply(text, TextEdit(Span(start, start + 5), "x\n  y")) == result


def test_equal_texts_have_no_difference() -> None:
    assert difference("a\n", "a\n", "A.lean") == ""


def test_a_difference_names_the_file_as_patch_and_git_want_it() -> None:
    assert difference("a\n", "b\n", "x/A.lean").startswith("--- a/x/A.lean\n+++ b/x/A.lean\n@@ ")
    assert difference("a\n", "b\n", "/x/A.lean").startswith("--- /x/A.lean\n+++ /x/A.lean\n@@ ")


LINES = st.lists(st.sampled_from(["a", "b", "  sorry", "", "x\u2028y", "z\x0c"]), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=LINES, after=LINES, end=ENDS, last=st.booleans(), other=st.booleans())
def test_git_takes_every_difference(
    before: list[str], after: list[str], end: str, last: bool, other: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old, new = end.join([*before, "k"]) + end * last, end.join([*after, "k"]) + end * other
    folder = tmp_path_factory.mktemp("git")
    (folder / "A.lean").write_bytes(old.encode())
    shown = difference(old, new, "A.lean")
    if old != new:
        command = ["git", "apply", "--whitespace=nowarn", "-"]
        subprocess.run(command, input=shown.encode(), cwd=folder, check=True, env={**os.environ, "GIT_DIR": "none"})
    assert (folder / "A.lean").read_bytes() == new.encode()
