"""`tacit mcp` as agents use it: a real client of the official package, the real server, and a scripted Lean."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult, ListRootsResult, Root
from pydantic import FileUrl

from tests.protocol import scripted_lean
from tests.protocol.scripted_lean import entries, survivors

RULES = Path(__file__).with_name("lean_rules.py")
WORLD = """--# goal 𝕜 : Nat\\n⊢ 𝕜 = 𝕜
--# closes rfl
--# leaves simp => ⊢ 𝕜 = 0
--# unknown norm_num
"""
LINE = WORLD.count("\n") + 1
THEOREM = "theorem foo (𝕜 : Nat) : 𝕜 = 𝕜 := by sorry\n"
TEXT = WORLD + THEOREM
COLUMN = THEOREM.index("sorry") + 1
PATIENCE = 60.0

Mode = Literal["auto", "legacy"]


def parameters(folder: Path, *arguments: str, lean: Path | None = None) -> StdioServerParameters:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TACIT_MODEL": "off", "TACIT_CACHE": f"{folder}/cache"}
    kept = {key: value for key, value in os.environ.items() if key in ("TACIT_LEAN_SOURCES", "PYTHONPATH")}
    if lean is not None:
        environment["TACIT_LEAN"] = str(lean)
    command = ["-m", "tacit.server.cli", "mcp", *arguments]
    return StdioServerParameters(command=sys.executable, args=command, cwd=folder, env={**environment, **kept})


@asynccontextmanager
async def agent(
    folder: Path, *arguments: str, words: tuple[str, ...] = (), mode: Mode = "auto", roots: tuple[Path, ...] = ()
) -> AsyncIterator[Client]:
    """A client with `tacit mcp`, whose Lean is the scripted one."""
    peer = folder / "peer"
    peer.mkdir(exist_ok=True)
    lean = scripted_lean.install(peer, *words, rules=RULES)

    async def named(context: Any) -> ListRootsResult:
        del context
        return ListRootsResult(roots=[Root(uri=FileUrl(each.as_uri())) for each in roots])

    try:
        async with Client(
            parameters(folder, *arguments, lean=lean), mode=mode, list_roots_callback=named if roots else None
        ) as client:
            yield client
        assert survivors(peer) == [], "no Lean is left behind"
    finally:
        for pid in survivors(peer):
            os.kill(pid, signal.SIGKILL)


def write(folder: Path, text: str = TEXT, name: str = "Foo.lean") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a tool that did not fail; the text beside it says the same."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, said(answer)
    assert json.loads(said(answer)) == answer.structured_content
    found: dict[str, Any] = answer.structured_content
    return found


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return said(answer)


def said(answer: CallToolResult) -> str:
    (content,) = answer.content
    assert content.type == "text"
    return content.text


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  # a file says it
            await asyncio.sleep(0.02)


# ---------------------------------------------------------------- what is offered


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_tools_say_what_they_take_and_what_they_answer(tmp_path: Path, mode: Mode) -> None:
    async with agent(tmp_path, mode=mode) as client:
        assert client.server_info is not None
        assert client.server_info.name == "tacit"
        assert "save the file" in (client.instructions or "")
        tools = {each.name: each for each in (await client.list_tools()).tools}
    assert set(tools) == {"goal", "suggest", "check", "prove", "search"}
    for tool in tools.values():
        assert tool.description
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert tool.output_schema is not None
        undescribed = [name for name, each in tool.input_schema["properties"].items() if "description" not in each]
        assert undescribed == [], tool.name
    assert tools["goal"].input_schema["required"] == ["file", "line"]
    assert tools["check"].input_schema["required"] == ["file", "line", "tactic"]
    assert tools["search"].input_schema["required"] == ["query"]


# ---------------------------------------------------------------- goals and tactics


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_goal_at_a_sorry(tmp_path: Path, mode: Mode) -> None:
    write(tmp_path)
    async with agent(tmp_path, mode=mode) as client:
        found = await call(client, "goal", file="Foo.lean", line=LINE)
        inside = await call(client, "goal", file="Foo.lean", line=LINE, column=COLUMN + 2)
    assert (found["declaration"], found["goals"]) == ("foo", ["𝕜 : Nat\n⊢ 𝕜 = 𝕜"])
    assert (found["file"], found["line"], found["column"], found["is_data"]) == ("Foo.lean", LINE, COLUMN, False)
    assert inside["goals"] == found["goals"]


async def test_suggestions_come_with_their_edits(tmp_path: Path) -> None:
    write(tmp_path)
    async with agent(tmp_path) as client:
        found = await call(client, "suggest", file="Foo.lean", line=LINE)
    assert {each["tactic"]: each["result"] for each in found["suggestions"]} == {"rfl": "closes", "simp": "progresses"}
    best, other = found["suggestions"]
    assert best["edit"] == {
        "line": LINE, "column": COLUMN, "end_line": LINE, "end_column": COLUMN + len("sorry"), "new_text": "rfl",
    }  # fmt: skip
    assert other["left"] == ["⊢ 𝕜 = 0"]
    assert found["checked"] > 2


async def test_a_tactic_of_ones_own_is_checked(tmp_path: Path) -> None:
    write(tmp_path)
    async with agent(tmp_path) as client:

        async def check(tactic: str) -> dict[str, Any]:
            return await call(client, "check", file="Foo.lean", line=LINE, tactic=tactic)

        closes, leaves, fails, refused = [await check(each) for each in ("rfl", "simp", "ring", "sorry")]
    assert (closes["verdict"], closes["left"], closes["message"]) == ("closes", [], "")
    assert closes["edit"]["new_text"] == "rfl"
    assert f"-{THEOREM}+{THEOREM.replace('sorry', 'rfl')}" in closes["diff"]
    assert (leaves["verdict"], leaves["left"]) == ("progresses", ["⊢ 𝕜 = 0"])
    assert (fails["verdict"], fails["message"], fails["edit"]) == ("fails", "The tactic `ring` failed.", None)
    assert (refused["verdict"], refused["diff"]) == ("refused", "")
    assert "proves nothing" in refused["message"]


async def test_a_proof_and_nothing_is_written(tmp_path: Path) -> None:
    path = write(tmp_path)
    async with agent(tmp_path) as client:
        found = await call(client, "prove", file="Foo.lean", line=LINE, budget=20)
    assert (found["proved"], found["proof"], found["declaration"]) == (True, "rfl", "foo")
    assert found["edit"]["new_text"] == "rfl"
    assert "+theorem foo (𝕜 : Nat) : 𝕜 = 𝕜 := by rfl" in found["diff"]
    assert path.read_text(encoding="utf-8") == TEXT


async def test_a_goal_that_stays_open_is_told_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path, "theorem foo : False := by\n  sorry\n")
    async with agent(tmp_path) as client:
        found = await call(client, "prove", file="Foo.lean", line=2, budget=20)
    assert (found["proved"], found["proof"], found["edit"], found["diff"]) == (False, None, None, "")
    assert found["reason"]


async def test_the_file_counts_as_it_is_on_disk_now(tmp_path: Path) -> None:
    write(tmp_path)
    async with agent(tmp_path) as client:
        await call(client, "goal", file="Foo.lean", line=LINE)
        write(tmp_path, TEXT.replace("𝕜 = 𝕜\n--# closes", "𝕜 < 𝕜\n--# closes"))
        found = await call(client, "goal", file="Foo.lean", line=LINE)
    assert found["goals"] == ["𝕜 : Nat\n⊢ 𝕜 < 𝕜"]


async def test_lean_is_started_anew_when_an_import_has_changed(tmp_path: Path) -> None:
    (tmp_path / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
    write(tmp_path, "def one := 1\n", "Bar.lean")
    write(tmp_path, "import Bar\n" + TEXT)

    def starts() -> int:
        return sum(each["event"] == "start" for each in entries(tmp_path / "peer"))

    async with agent(tmp_path) as client:
        await call(client, "goal", file="Foo.lean", line=LINE + 1)
        await call(client, "goal", file="Foo.lean", line=LINE + 1)
        before = starts()
        write(tmp_path, "def one := 2 -- changed\n", "Bar.lean")
        await call(client, "goal", file="Foo.lean", line=LINE + 1)
        assert starts() > before
        before = starts()
        await call(client, "goal", file="Foo.lean", line=LINE + 1)
        assert starts() == before


# ---------------------------------------------------------------- what cannot be done, in a sentence


async def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "secret.txt").write_text("no", encoding="utf-8")
    async with agent(tmp_path) as client:
        assert await refused(client, "goal", file="Bar.lean", line=1) == (
            f"There is no file Bar.lean in {tmp_path}. Give its path from there, or its whole path."
        )
        assert "ends in .lean" in await refused(client, "goal", file="secret.txt", line=1)
        assert "none is number 99" in await refused(client, "goal", file="Foo.lean", line=99)
        assert "Columns of line" in await refused(client, "goal", file="Foo.lean", line=1, column=400)
        assert "inside a comment" in await refused(client, "suggest", file="Foo.lean", line=1)
        wrong = await refused(client, "goal", file="Foo.lean", line=0)
        assert wrong.startswith("These arguments cannot be used: `line`: ")
        assert "\n" not in wrong
        assert "`line`" in await refused(client, "goal", file="Foo.lean")
        assert "Unknown tool" in await refused(client, "solve", file="Foo.lean", line=1)
        assert await refused(client, "search", query=" ") == (
            "There is nothing to search for. Ask in words or symbols: `a + b = b + a`."
        )
        assert (await call(client, "goal", file="Foo.lean", line=LINE))["goals"], "and it goes on"


async def test_files_outside_are_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    path = write(outside)
    inside.mkdir()
    (inside / "Link.lean").symlink_to(path)
    async with agent(inside) as client:
        for name in (str(path), "../outside/Foo.lean", path.as_uri(), "Link.lean"):
            assert "outside of the folders" in await refused(client, "goal", file=name, line=LINE)
    async with agent(inside, str(outside)) as client:
        assert (await call(client, "goal", file=str(path), line=LINE))["goals"]
        assert (await call(client, "goal", file="Foo.lean", line=LINE))["goals"]


async def test_folders_of_the_client_count_too(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    path = write(outside)
    inside.mkdir()
    async with agent(inside, mode="legacy", roots=(outside,)) as client:
        assert (await call(client, "goal", file=path.as_uri(), line=LINE))["goals"]
        assert (await call(client, "goal", file="Foo.lean", line=LINE))["goals"]


async def test_without_lean_a_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    write(tmp_path)
    async with Client(parameters(tmp_path, lean=tmp_path / "no-lean")) as client:
        sentence = await refused(client, "goal", file="Foo.lean", line=LINE)
    assert "no-lean" in sentence


async def test_lean_that_dies_is_started_again(tmp_path: Path) -> None:
    write(tmp_path)
    async with agent(tmp_path, words=("die@2",)) as client:
        answers = [await client.call_tool("goal", {"file": "Foo.lean", "line": LINE}) for _ in range(3)]
    assert not answers[-1].is_error


# ---------------------------------------------------------------- search


async def test_search_with_filters_and_what_is_usable(tmp_path: Path) -> None:
    (tmp_path / "lakefile.toml").write_text('name = "top"\n', encoding="utf-8")
    text = "/-- Adding in the other order. -/\ntheorem turned (a b : Nat) : a + b = b + a := sorry\n"
    write(tmp_path, text + "def turning := 1\n", "Top/Bar.lean")
    write(tmp_path, "theorem baz : True := by\n  sorry\n", "Top/Baz.lean")
    async with agent(tmp_path) as client:
        nothing = await call(client, "search", query="turned")
        assert (nothing["premises"], nothing["total"]) == ([], 0)
        assert "tacit index build" in nothing["notice"]
        environment = {**os.environ, "TACIT_CACHE": f"{tmp_path}/cache"}
        build = [sys.executable, "-m", "tacit.server.cli", "index", "build", "--no-vectors"]
        process = await asyncio.create_subprocess_exec(*build, cwd=tmp_path, env=environment)
        assert await process.wait() == 0
        found = await call(client, "search", query="adding in the other order", limit=3)
        best = found["premises"][0]
        assert (best["name"], best["kind"], best["module"]) == ("turned", "theorem", "Top.Bar")
        assert (best["line"], best["usable"]) == (2, None)
        kinds = await call(client, "search", query="turn", kind="def")
        assert [each["name"] for each in kinds["premises"]] == ["turning"]
        listed = await call(client, "search", query="", module="Top.Baz")
        assert [each["name"] for each in listed["premises"]] == ["baz"]
        usable = await call(client, "search", query="turned", usable_in="Top/Baz.lean", line=2)
        assert "turned" not in [each["name"] for each in usable["premises"]]
        write(tmp_path, "import Top.Bar\ntheorem baz : True := by\n  sorry\n", "Top/Baz.lean")
        usable = await call(client, "search", query="turned", usable_in="Top/Baz.lean", line=3)
        assert usable["premises"][0]["name"] == "turned"
        assert usable["premises"][0]["usable"] is True


# ---------------------------------------------------------------- progress, cancelling, the end


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_progress_is_told_and_a_cancelled_search_ends(tmp_path: Path, mode: Mode) -> None:
    write(tmp_path)
    told: list[tuple[float, str | None]] = []
    enough = asyncio.Event()

    async def follow(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        told.append((progress, message))
        if len(told) == 2:
            enough.set()

    async with agent(tmp_path, words=("slow=20@3",), mode=mode) as client:
        arguments = {"file": "Foo.lean", "line": LINE, "budget": 300}
        asked = asyncio.ensure_future(client.call_tool("prove", arguments, progress_callback=follow))
        async with asyncio.timeout(PATIENCE):
            await enough.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        # Lean is free again, though what it was asked takes long.
        async with asyncio.timeout(PATIENCE):
            found = await call(client, "goal", file="Foo.lean", line=LINE)
    assert found["goals"]
    assert [done for done, _ in told] == sorted({done for done, _ in told}), "always further"
    assert all(message for _, message in told)


async def test_a_client_that_goes_away_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path)
    async with agent(tmp_path, words=("hang@3", "worker")) as client:
        asked = asyncio.ensure_future(client.call_tool("prove", {"file": "Foo.lean", "line": LINE, "budget": 300}))
        await until(lambda: sum(each["event"] == "text" for each in entries(tmp_path / "peer")) >= 3)
        asked.cancel()
    # `agent` asserts that no Lean survives


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_its_lean(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path)
    peer = tmp_path / "peer"
    peer.mkdir()
    lean = scripted_lean.install(peer, "worker", rules=RULES)
    command = parameters(tmp_path, lean=lean)
    process = await asyncio.create_subprocess_exec(
        command.command, *command.args, cwd=tmp_path, env=command.env,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    goal = {"name": "goal", "arguments": {"file": "Foo.lean", "line": LINE}}
    messages = (
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": goal},
    )
    for each in messages:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **each}).encode() + b"\n")
    async with asyncio.timeout(PATIENCE):
        answers = [json.loads(await process.stdout.readline()) for _ in range(2)]
        assert answers[1]["result"]["structuredContent"]["goals"]
        process.send_signal(number)
        assert await process.wait() == 128 + number
    assert survivors(peer) == []


def test_without_the_package_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys\nsys.modules['mcp'] = None\nfrom tacit.server.cli import main\nsys.exit(main(['mcp']))"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "pip install 'lean-tacit[mcp]'" in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tacit.server.cli", "mcp", "nowhere"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert "nowhere is no folder" in run.stderr
