"""Search in the real sidecar: indexed by itself, as new as what is typed and saved, and what goes wrong with it."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.editor import CAPABILITIES, Editor, Message, Refusal, alive, editing, within
from tests.unit.corpus import ALGEBRA, write

OFF = {"index": {"automatic": False}}
GEM = "theorem {} : 2 + 2 = 4 := rfl\n"


def project(folder: Path) -> Path:
    root = folder / "project"
    write(root)
    (root / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
    return root


def environment(folder: Path) -> dict[str, str]:
    # No Lean, no Mathlib, no cache but this test's.
    return {"TACIT_CACHE": str(folder / "cache"), "MATHLIB": "", "PATH": "/usr/bin:/bin", "HOME": str(folder)}


@asynccontextmanager
async def sidecar(folder: Path, *, root: Path | None = None, **more: Any) -> AsyncIterator[Editor]:
    async with editing(
        folder, sys.executable, "-m", "tacit.server.app", environment=environment(folder) | {"TACIT_LEAN": ""}
    ) as editor:
        root = root or project(folder)
        await editor.initialize(rootUri=root.as_uri(), **more)
        try:
            yield editor
            assert editor.garbage == b""
            assert b"Traceback" not in editor.stderr, editor.stderr.decode()
        finally:
            if editor.process.returncode is None and not editor.process.stdin.is_closing():  # type: ignore[union-attr]
                editor.process.terminate()  # ends what it started
                await within(editor.process.wait())


def build(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "tacit.server.cli", "index", *(words or ("build", "--no-vectors"))]
    subprocess.run(
        command, cwd=folder / "project", env=os.environ | environment(folder), check=True, capture_output=True
    )


def indexes(folder: Path) -> list[Path]:
    return sorted((folder / "cache" / "index").glob("*.db"))


async def search(editor: Editor, text: str, **more: Any) -> Message:
    found: Message = await editor.ask("tacit/search", {"text": text, **more})
    return found


async def names(editor: Editor, text: str, **more: Any) -> list[str]:
    return [each["name"] for each in (await search(editor, text, **more))["hits"]]


async def until_found(editor: Editor, text: str, name: str, *, gone: bool = False, **more: Any) -> Message:
    """Ask until it is among the answers (or no more); that answer."""

    async def ask() -> Message:
        while True:
            hits = [each for each in (await search(editor, text, **more))["hits"] if each["name"] == name]
            if bool(hits) is not gone:
                return hits[0] if hits else {}

    found: Message = await within(ask())
    return found


async def state(editor: Editor) -> Message:
    found: Message = (await editor.ask("tacit/status"))["index"]
    return found


def document(path: Path, **more: Any) -> Message:
    return {"textDocument": {"uri": path.as_uri()}, **more}


async def test_a_workspace_is_indexed_and_searched(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        hit = await until_found(editor, "extreme value theorem", "IsCompact.exists_isMaxOn")
        root = tmp_path / "project"
        assert hit["location"]["uri"] == (root / "Top" / "Topology.lean").as_uri()
        line = (root / "Top" / "Topology.lean").read_text().splitlines()[hit["location"]["range"]["start"]["line"]]
        start, end = (hit["location"]["range"][each]["character"] for each in ("start", "end"))
        assert line[start:end] == "exists_isMaxOn"
        assert (hit["kind"], hit["module"], hit["package"]) == ("theorem", "Top.Topology", "top")
        assert hit["doc"].startswith("The extreme value theorem")
        assert (hit["usable"], hit["import"]) == (None, None)
        answer = await search(editor, "compact", limit=1)
        assert len(answer["hits"]) == 1
        assert answer["total"] >= 10
        assert answer["notice"] == ""
        found = await state(editor)
        assert (found["search"], found["packages"][0]["name"], found["packages"][0]["open"]) == ("open", "top", True)
        await editor.until(lambda: [each["search"] for each in editor.said("tacit/indexChanged")])


async def test_says_what_is_usable_and_what_to_import(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        new = tmp_path / "project" / "Top" / "New.lean"
        text = "import Top.Algebra\ntheorem above_gem : 1 = 1 := rfl\n\ntheorem below_gem : 1 = 1 := rfl\n"
        editor.open(text, uri=new.as_uri())
        place = document(new, position={"line": 2, "character": 0})
        above = await until_found(editor, "above_gem", "above_gem", **place)
        assert above["usable"] is True
        (below,) = [each for each in (await search(editor, "below_gem", **place))["hits"] if "below" in each["name"]]
        assert (below["usable"], below["import"]) == (False, None)
        compact = await until_found(editor, "extreme value", "IsCompact.exists_isMaxOn", **place)
        assert (compact["usable"], compact["import"]) == (False, "Top.Topology")
        algebra = await until_found(editor, "mul_comm", "Group.mul_comm", **place)
        assert (algebra["usable"], algebra["import"]) == (True, None)
        assert await names(editor, "extreme value theorem", usableHere=True, **place) == []
        assert "below_gem" not in await names(editor, "below_gem", usableHere=True, **place)
        assert "above_gem" in await names(editor, "above_gem", usableHere=True, **place)
        unopened = document(tmp_path / "project" / "Top" / "Topology.lean")
        assert (await until_found(editor, "mul_comm", "Group.mul_comm", **unopened))["usable"] is True


async def test_what_is_typed_is_found_and_what_is_deleted_is_not(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "inv_unique", "Group.inv_unique")
        algebra = tmp_path / "project" / "Top" / "Algebra.lean"
        editor.open(ALGEBRA, uri=algebra.as_uri())
        typed = ALGEBRA.replace("inv_unique", "inv_is_unique") + "private " + GEM.format("own_secret")
        editor.change(2, {"text": typed}, uri=algebra.as_uri())
        hit = await until_found(editor, "inv_is_unique", "Group.inv_is_unique")
        assert hit["location"]["uri"] == algebra.as_uri()
        assert "Group.inv_unique" not in await names(editor, "inv_unique")
        assert "own_secret" not in await names(editor, "own_secret")
        assert "own_secret" in await names(editor, "own_secret", **document(algebra))
        editor.notify("textDocument/didClose", {"textDocument": {"uri": algebra.as_uri()}})
        await until_found(editor, "inv_unique", "Group.inv_unique")
        await until_found(editor, "inv_is_unique", "Group.inv_is_unique", gone=True)


async def test_what_is_written_removed_and_renamed_on_disk_is_followed(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        new = tmp_path / "project" / "Top" / "New.lean"
        new.write_text(GEM.format("disk_gem"), encoding="utf-8")
        assert (await until_found(editor, "disk_gem", "disk_gem"))["module"] == "Top.New"
        new.write_text(GEM.format("other_gem"), encoding="utf-8")
        await until_found(editor, "other_gem", "other_gem")
        assert "disk_gem" not in await names(editor, "disk_gem")
        folder = tmp_path / "project" / "Top" / "More"
        folder.mkdir()
        new.rename(folder / "Newer.lean")
        moved = await until_found(editor, "other_gem", "other_gem", limit=1)
        while moved["module"] != "Top.More.Newer":
            moved = await until_found(editor, "other_gem", "other_gem", limit=1)
        assert [each for each in await names(editor, "other_gem") if each == "other_gem"] == ["other_gem"]
        shutil.rmtree(folder)
        await until_found(editor, "other_gem", "other_gem", gone=True)
        (tmp_path / "project" / "Top" / "Algebra.lean").unlink()
        await until_found(editor, "mul_comm", "Group.mul_comm", gone=True)
        assert "IsCompact" in await names(editor, "compact")


async def test_a_package_named_by_its_path_is_as_new_as_the_editor(tmp_path: Path) -> None:
    root = project(tmp_path)
    near = tmp_path / "near" / "Near.lean"
    write(near.parent, {"Near.lean": GEM.format("near_gem"), "lakefile.toml": 'name = "near"\n'})
    manifest = '{"packages": [{"type": "path", "name": "near", "dir": "../near"}]}'
    (root / "lake-manifest.json").write_text(manifest, encoding="utf-8")
    build(tmp_path)
    async with sidecar(tmp_path, root=root, initializationOptions=OFF) as editor:
        assert await names(editor, "near_gem", limit=1) == ["near_gem"]
        editor.open(GEM.format("newer_gem"), uri=near.as_uri())
        hit = await until_found(editor, "newer_gem", "newer_gem")
        assert (hit["package"], hit["module"]) == ("near", "Near")
        await until_found(editor, "near_gem", "near_gem", gone=True)


async def test_an_untitled_text_is_found(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        editor.open(GEM.format("scratch_gem"), uri="untitled:Untitled-1")
        hit = await until_found(editor, "scratch_gem", "scratch_gem")
        assert hit["location"]["uri"] == "untitled:Untitled-1"
        editor.notify("textDocument/didClose", {"textDocument": {"uri": "untitled:Untitled-1"}})
        await until_found(editor, "scratch_gem", "scratch_gem", gone=True)


async def test_symbols_of_the_workspace(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        symbols = await editor.ask("workspace/symbol", {"query": "IsCompact"})
        best = symbols[0]
        assert (best["name"], best["containerName"], best["kind"]) == ("IsCompact", "Top.Topology", 12)
        assert best["location"]["range"]["start"]["character"] == 4
        assert await editor.ask("workspace/symbol", {"query": " "}) == []
        assert await editor.ask("workspace/symbol", {"query": "zzzzzz"}) == []


async def test_symbols_are_offered_where_there_is_a_folder(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tacit.server.app")
    for root, offered in ((None, False), (project(tmp_path).as_uri(), True)):
        async with editing(tmp_path, *command, environment=environment(tmp_path)) as editor:
            can = (await editor.initialize(rootUri=root, initializationOptions=OFF))["capabilities"]
            assert ("workspaceSymbolProvider" in can) is offered
            assert can["textDocumentSync"]["save"] == {"includeText": False}


async def test_the_newest_question_of_a_token_wins(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        asked = [editor.begin("tacit/search", {"text": "mul_comm"[:n], "token": "box"})[1] for n in range(1, 9)]
        other = editor.begin("tacit/search", {"text": "compact", "token": "another box"})[1]
        assert (await within(asked[-1]))["hits"][0]["name"] == "Group.mul_comm"
        assert (await within(other))["hits"]
        codes = set()
        for each in asked[:-1]:
            try:
                await within(each)
            except Refusal as refusal:
                codes.add(refusal.code)
        assert codes == {-32802}


async def test_a_question_can_be_cancelled(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        asked = [editor.begin("tacit/search", {"text": "compact " * 200}) for _ in range(20)]
        for number, _ in asked:
            editor.cancel(number)
        codes = []
        for _, answer in asked:
            try:
                await within(answer)
            except Refusal as refusal:
                codes.append(refusal.code)
        assert codes.count(-32800) >= 15
        assert "IsCompact" in await names(editor, "compact")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "text: it is required"),
        ({"text": "a", "limit": 0}, "limit must be a whole number from 1 to 200"),
        ({"text": "a", "limit": "many"}, "limit: it must be a whole number"),
        ({"text": "a", "textDocument": {}}, "textDocument.uri: it is required"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_in_one_sentence(
    tmp_path: Path, params: Message, sentence: str
) -> None:
    async with sidecar(tmp_path, initializationOptions=OFF) as editor:
        with pytest.raises(Refusal) as refusal:
            await editor.ask("tacit/search", params)
        assert refusal.value.code == -32602
        assert sentence in refusal.value.message


async def test_odd_questions_are_answered(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "mul_comm", "Group.mul_comm")
        for text in ("", "   ", "compact " * 12_500, "x" * 100_000, "\x00", "_ + " * 25_000, "(((", "𝕜"):
            await search(editor, text)
        nowhere = document(tmp_path / "nowhere.lean", position={"line": 9, "character": 9})
        assert "IsCompact" in await names(editor, "compact", **nowhere)
        assert (await search(editor, "compact", textDocument={"uri": "git:/x"}))["hits"]


async def test_why_a_question_can_have_no_answer_is_a_notice(tmp_path: Path) -> None:
    root = project(tmp_path)
    build(tmp_path)
    async with sidecar(tmp_path, root=root, initializationOptions=OFF) as editor:
        for text, sentence in (
            ("compact kind:lema", "There is no kind lema;"),
            ("compact module:Nope", "No module that is searched here is called Nope"),
            ("((", "There is no word, name or symbol in it"),
        ):
            answer = await search(editor, text)
            assert answer["hits"] == []
            assert answer["notice"].startswith(sentence)
        assert (await search(editor, "zzz"))["notice"] == ""
        listed = await names(editor, "kind:theorem module:Top.Algebra", limit=2)
        assert listed == ["Group.mul_comm", "Group.add_assoc"]


async def test_without_a_folder_nothing_is_indexed(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tacit.server.app")
    async with editing(tmp_path, *command, environment=environment(tmp_path)) as editor:
        await editor.initialize()
        editor.open(GEM.format("a"), uri=(project(tmp_path) / "Top" / "Algebra.lean").as_uri())
        answer = await search(editor, "compact")
        assert answer["hits"] == []
        assert "tacit index build" in answer["notice"]
        assert (await state(editor))["state"] == "idle"
        assert not (tmp_path / "cache").exists()


async def test_an_index_that_appears_later_is_found(tmp_path: Path) -> None:
    async with sidecar(tmp_path, initializationOptions=OFF) as editor:
        answer = await search(editor, "compact")
        assert (answer["hits"], answer["total"], answer["notice"]) == ([], 0, "top is not indexed yet.")
        assert (await state(editor))["automatic"] is False
        build(tmp_path)
        assert "IsCompact" in await names(editor, "compact")
        (tmp_path / "project" / "Top" / "New.lean").write_text(GEM.format("new_gem"), encoding="utf-8")
        build(tmp_path, "update", "--no-vectors")
        assert "new_gem" in await names(editor, "new_gem")
        build(tmp_path)  # anew: another file takes its place
        assert "new_gem" in await names(editor, "new_gem")


async def test_indexing_begins_when_the_setting_says_so(tmp_path: Path) -> None:
    async with sidecar(tmp_path, initializationOptions=OFF) as editor:
        assert await names(editor, "compact") == []
        editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"index": {"automatic": True}}}})
        await until_found(editor, "compact", "IsCompact")


@pytest.mark.parametrize("how", ["schema", "rubbish", "folder"])
async def test_an_index_that_cannot_be_used_is_a_sentence_and_is_made_again(tmp_path: Path, how: str) -> None:
    project(tmp_path)
    build(tmp_path)
    (index,) = indexes(tmp_path)
    if how == "schema":
        database = sqlite3.connect(index)
        database.execute("UPDATE manifest SET value = '0' WHERE key = 'schema'")
        database.commit()
        database.close()
    elif how == "rubbish":
        index.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    else:
        index.unlink()
        index.mkdir()
    async with sidecar(tmp_path, initializationOptions=OFF) as editor:
        answer = await search(editor, "compact")
        assert answer["hits"] == []
        sentences = {"schema": "another version of Tacit", "rubbish": "cannot be read", "folder": "There is no index"}
        sentence = sentences[how]
        assert sentence in answer["notice"]
        assert sentence in (await state(editor))["sentence"]
        if how != "folder":
            editor.notify("workspace/didChangeConfiguration", {"settings": {"tacit": {"index": {"automatic": True}}}})
            await until_found(editor, "compact", "IsCompact")


async def test_an_index_that_is_deleted_goes_on_answering_until_there_is_another(tmp_path: Path) -> None:
    project(tmp_path)
    build(tmp_path)
    async with sidecar(tmp_path, initializationOptions=OFF) as editor:
        assert "IsCompact" in await names(editor, "compact")
        shutil.rmtree(tmp_path / "cache")
        assert "IsCompact" in await names(editor, "compact")
        assert "was deleted" in (await state(editor))["sentence"]
        build(tmp_path)
        assert "IsCompact" in await names(editor, "compact")
        assert (await state(editor))["sentence"] == ""


async def test_an_index_that_is_damaged_while_it_is_open_breaks_nothing(tmp_path: Path) -> None:
    project(tmp_path)
    build(tmp_path)
    (index,) = indexes(tmp_path)
    async with sidecar(tmp_path, initializationOptions=OFF) as editor:
        assert "IsCompact" in await names(editor, "compact")
        with index.open("r+b") as file:
            file.write(b"\xff" * index.stat().st_size)
        answer = await search(editor, "mul_comm")  # what SQLite remembers of the file, or nothing and why
        assert answer["hits"] or "cannot be read" in answer["notice"]
        index.unlink()
        build(tmp_path)
        assert "IsCompact" in await names(editor, "compact")


@contextmanager
def another_builder(folder: Path) -> Iterator[None]:
    """Somebody else who is writing the index."""
    (index,) = indexes(folder)
    with index.with_name(index.name + ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def test_waits_for_another_builder_and_leaves_nothing_when_the_editor_goes(tmp_path: Path) -> None:
    project(tmp_path)
    build(tmp_path)
    with another_builder(tmp_path):
        async with sidecar(tmp_path) as editor:
            while (await state(editor))["state"] != "waiting":
                pass
            assert "IsCompact" in await names(editor, "compact"), "the old index answers"
            children = started_by(editor.process.pid)
            assert children
            assert await editor.shutdown() == 0
            assert not [each for each in children if alive(each)]
    async with sidecar(tmp_path) as editor:
        (tmp_path / "project" / "Top" / "New.lean").write_text(GEM.format("new_gem"), encoding="utf-8")
        await until_found(editor, "new_gem", "new_gem")


async def test_a_builder_ends_with_a_sidecar_that_is_killed(tmp_path: Path) -> None:
    project(tmp_path)
    build(tmp_path)
    with another_builder(tmp_path):
        async with sidecar(tmp_path) as editor:
            while (await state(editor))["state"] != "waiting":
                pass
            children = started_by(editor.process.pid)
            editor.process.kill()
            await editor.until(lambda: not [each for each in children if alive(each)])


async def test_work_that_is_long_is_shown_and_can_be_stopped(tmp_path: Path) -> None:
    root = project(tmp_path)
    write(root, {f"Top/Part{n}.lean": f"theorem part_{n} : {n} = {n} := rfl\n" * 3 for n in range(120)})
    async with sidecar(tmp_path, root=root) as editor:
        await editor.until(lambda: any(each["value"]["kind"] == "end" for each in editor.said("$/progress")))
        values = [each["value"] for each in editor.said("$/progress")]
        assert (values[0]["kind"], values[0]["cancellable"]) == ("begin", True)
        assert len({each["token"] for each in editor.said("$/progress")}) == 1
        assert values[-1]["message"] == "Everything can be searched"
        assert "part_7" in await names(editor, "part_7")
        assert await editor.shutdown() == 0


async def test_a_builder_is_stopped_by_the_user(tmp_path: Path) -> None:
    root = project(tmp_path)
    write(root, {f"Top/Part{n}.lean": f"theorem part_{n} : {n} = {n} := rfl\n" * 200 for n in range(400)})
    async with sidecar(tmp_path, root=root) as editor:
        began = await editor.until(lambda: [e for e in editor.said("$/progress") if e["value"]["kind"] == "begin"])
        editor.notify("window/workDoneProgress/cancel", {"token": began[0]["token"]})
        await editor.until(lambda: any(each["value"]["kind"] == "end" for each in editor.said("$/progress")))
        assert "stopped" in (await state(editor))["sentence"]
        assert started_by(editor.process.pid) == []


async def test_editors_without_progress_are_shown_none(tmp_path: Path) -> None:
    root = project(tmp_path)
    write(root, {f"Top/Part{n}.lean": f"theorem part_{n} : {n} = {n} := rfl\n" for n in range(80)})
    async with sidecar(tmp_path, root=root, capabilities={**CAPABILITIES, "window": {}}) as editor:
        await until_found(editor, "part_7", "part_7")
        assert not editor.said("$/progress")
        assert not editor.said("window/workDoneProgress/create")


async def test_folders_come_and_go(tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other, {"Other.lean": GEM.format("other_gem")})
    (other / "lakefile.toml").write_text('name = "other"\n', encoding="utf-8")
    async with sidecar(tmp_path) as editor:
        await until_found(editor, "compact", "IsCompact")
        added = {"uri": other.as_uri(), "name": "other"}
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [added], "removed": []}})
        await until_found(editor, "other_gem", "other_gem")
        shutil.rmtree(other)
        await until_found(editor, "other_gem", "other_gem", gone=True)
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [added]}})
        assert "IsCompact" in await names(editor, "compact")


def started_by(pid: int) -> list[int]:
    """The children of a process that run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found if alive(int(each))]
