"""The live Elaborator against a Lean server that behaves as badly as it can."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit.server.errors import BadInput, LeanDied, LeanNotFound
from tacit.server.lean import live, pulse
from tacit.server.lean.checker import Checker, Limits
from tacit.server.lean.elaborator import Elaboration, LeanIdentity, Message, Outcome, Severity
from tacit.server.lean.hole import holes
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import ServerCommand
from tacit.server.lean.process import default_memory_mib, stderr_sentence
from tacit.server.text import Position
from tacit.server.values import Candidate
from tests.protocol.scripted_lean import entries, install, survivors
from tests.unit.properties import any_texts, examples

LONG = 60.0
"""Seconds that no request should need."""
SHORT = 0.6
"""Seconds after which a server that hangs is given up."""
OLD = "4.0.0"
PEER = Path(__file__).with_name("lean_peer.py")

# An error on every `!`, a warning on every `?`, and the text's length for information, all in UTF-16.
RULES = """
def diagnostics(text, version):
    found = []
    for number, line in enumerate(text.split("\\n")):
        for at, char in enumerate(line):
            if char in "!?":
                column = len(line[:at].encode("utf-16-le")) // 2
                start, end = ({"line": number, "character": column + more} for more in (0, 1))
                place = {"start": start, "end": end}
                severity = 1 if char == "!" else 2
                found.append({"range": place, "fullRange": place, "severity": severity, "message": line})
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    found.append({"range": place, "severity": 3, "message": f"{len(text)} characters"})
    return found

def goals(text, line, character):
    return [f"{line}:{character}", "⊢ 𝕜"]
"""


def command(argv: Sequence[str | Path], cwd: Path, *, version: str = "4.27.0") -> ServerCommand:
    return ServerCommand(tuple(map(str, argv)), cwd, lake=False, version=version)


@asynccontextmanager
async def closing(*commands: ServerCommand, **more: Any) -> AsyncIterator[LiveElaborator]:
    lean = LiveElaborator(commands, (commands[0].cwd / "A.lean").as_uri(), **more)
    try:
        yield lean
    finally:
        await lean.aclose()


@asynccontextmanager
async def scripted(
    folder: Path, *words: str, rules: Path | str = RULES, version: str = "4.27.0", **more: Any
) -> AsyncIterator[LiveElaborator]:
    """A live Elaborator over the scripted Lean; at the end nothing of it may be left."""
    lean = install(folder, *words, rules=rules)
    async with closing(command([lean, "--server"], folder, version=version), **more) as elaborator:
        yield elaborator
    await gone(folder)


async def kill(pid: int) -> None:
    """Kill a process, and wait until that has come about."""
    process = psutil.Process(pid)
    process.kill()
    async with asyncio.timeout(60):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def gone(folder: Path) -> None:
    """Waits until no process of the scripted Lean is left; the kernel may take a moment."""
    while survivors(folder):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def logged(folder: Path, event: str, count: int = 1) -> list[dict[str, Any]]:
    """Waits until the peer has noted so many events of a kind."""
    while len(found := entries(folder, event)) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return found


def texts_of(folder: Path) -> list[str]:
    return [entry["text"] for entry in entries(folder, "text")]


def starts(folder: Path) -> int:
    return len(entries(folder, "start"))


async def ask(lean: LiveElaborator, text: str, *, timeout: float = LONG) -> Elaboration:
    return await lean.elaborate(text, timeout=timeout)


def said(answer: Elaboration, severity: Severity) -> list[str]:
    return [m.text for m in answer.messages if m.severity is severity]


def whole(text: str) -> str:
    return f"{len(text)} characters"


def is_for(answer: Elaboration, text: str) -> bool:
    """Whether an answer is the whole one, for exactly this text."""
    return answer.outcome is Outcome.DONE and said(answer, Severity.INFORMATION) == [whole(text)]


# ---------------------------------------------------------------------------------------------- answers


async def test_an_answer_has_every_diagnostic_in_code_points(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        text = "𝕜𝓝!\n\u2028é\u0301𝕜?\r\n!"
        answer = await ask(lean, text)
        assert answer == Elaboration(
            Outcome.DONE,
            (
                Message(Severity.ERROR, Position(0, 2), Position(0, 3), "𝕜𝓝!"),
                Message(Severity.WARNING, Position(1, 4), Position(1, 5), "\u2028é\u0301𝕜?\r"),
                Message(Severity.ERROR, Position(2, 0), Position(2, 1), "!"),
                Message(Severity.INFORMATION, Position(0, 0), Position(0, 0), whole(text)),
            ),
        )
        assert texts_of(tmp_path) == [text]
        assert lean.identity == LeanIdentity("4.27.0")
        assert lean.running


async def test_one_process_answers_one_text_after_the_other(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        texts = ["", "a!", "a!\nb", "", "𝕜", "𝕜x!", "x!"]
        for text in texts:
            assert is_for(await ask(lean, text), text)
        assert texts_of(tmp_path) == texts
        assert starts(tmp_path) == 1
        assert lean.restarts == 0
        versions = [entry["version"] for entry in entries(tmp_path, "text")]
        assert versions == list(range(1, len(texts) + 1))


async def test_requests_at_once_are_answered_each_for_its_own_text(tmp_path: Path) -> None:
    async with scripted(tmp_path, "slow=0.02") as lean:
        texts = [f"{'x' * n}!" for n in range(8)]
        answers = await asyncio.gather(*(ask(lean, text) for text in texts))
        assert all(is_for(answer, text) for answer, text in zip(answers, texts, strict=True))
        assert starts(tmp_path) == 1


edits = st.lists(any_texts, min_size=2, max_size=5)


@given(edits)
@settings(examples, max_examples=20)
def test_what_is_sent_adds_up_to_the_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Changes are sent as ranges in UTF-16; applied one by one they give each text again."""
    folder = tmp_path_factory.mktemp("lean")
    # Texts that share beginnings are what is sent in practice.
    texts = [*texts, texts[0] + texts[1], texts[0] + texts[-1], texts[0]]

    async def run() -> None:
        async with scripted(folder) as lean:
            for text in texts:
                assert is_for(await ask(lean, text), text)

    asyncio.run(run())
    assert texts_of(folder) == texts


async def test_text_goes_over_the_wire_as_utf_8(tmp_path: Path) -> None:
    """The Lean of 2021 misreads JSON's `\\u` escapes."""
    lean = install(tmp_path, rules=RULES)
    wire = tmp_path / "wire"
    tapped = command(["sh", "-c", f'tee "{wire}" | exec "{lean}" --server'], tmp_path)
    async with closing(tapped) as elaborator:
        for text in ("theorem 𝕜 : ⟨α⟩ := by\n", "theorem 𝕜 : ⟨β⟩ := by\n"):
            assert is_for(await ask(elaborator, text), text)
    sent = wire.read_bytes()
    for part in ("theorem 𝕜 : ⟨α⟩ := by", "β⟩ := by"):
        assert part.encode() in sent
    assert b"\\u" not in sent
    await gone(tmp_path)


async def test_only_the_change_is_sent(tmp_path: Path) -> None:
    log = tmp_path / "wire"
    async with closing(command([sys.executable, PEER, "quiet", log], tmp_path)) as lean:
        await ask(lean, "import A\n" + "x" * 5000)
        before = len(log.read_bytes())
        await ask(lean, "import A\n" + "x" * 5000 + "y")
        assert len(log.read_bytes()) - before < 1000


# ---------------------------------------------------------------------------------------------- diagnostics


@pytest.mark.parametrize(
    "words",
    [
        ("split",),
        ("incremental",),
        ("late",),
        ("silent",),
        ("flood",),
        ("out-of-order",),
        ("stderr",),
        ("worker",),
        ("slow=0.05",),
        ("slow-start=0.2",),
        ("split", "late", "silent", "stderr", "worker"),
        ("incremental", "late", "silent"),
    ],
    ids=" ".join,
)
async def test_odd_but_allowed(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with scripted(tmp_path, *words) as lean:
        for text in ("a!b!c!", "a!", "a!b!c!d?", ""):
            answer = await ask(lean, text)
            assert is_for(answer, text)
            assert len(said(answer, Severity.ERROR)) == text.count("!")
            assert len(said(answer, Severity.WARNING)) == text.count("?")
            assert "stale" not in said(answer, Severity.ERROR)
        assert lean.restarts == 0


async def test_diagnostics_of_no_known_version_are_no_evidence(tmp_path: Path) -> None:
    async with scripted(tmp_path, "unversioned") as lean:
        assert (await ask(lean, "a!")).outcome is Outcome.CRASHED


async def test_diagnostics_of_another_document_are_not_this_ones(tmp_path: Path) -> None:
    log = tmp_path / "wire"
    async with closing(command([sys.executable, PEER, "other", log], tmp_path)) as lean:
        assert await ask(lean, "a") == Elaboration(Outcome.DONE)


async def test_no_diagnostics_at_all_mean_that_the_worker_died(tmp_path: Path) -> None:
    """Both Leans answer the wait all the same."""
    async with scripted(tmp_path, "overflow@2") as lean:
        assert is_for(await ask(lean, "a"), "a")
        answer = await ask(lean, "b")
        assert answer.outcome is Outcome.CRASHED
        assert answer.detail == "Stack overflow detected. Aborting."
        assert is_for(await ask(lean, "c"), "c")
        assert lean.restarts == 1


HEADER_ERROR = """
def diagnostics(text, version):
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
    if version == 1:
        return [{"range": place, "severity": 1, "message": "unknown package 'Foo'"}]
    return "overflow"
"""


async def test_after_a_header_that_did_not_load_silence_is_no_crash(tmp_path: Path) -> None:
    """In 2021 nothing is published for later versions then; the error stays true."""
    async with scripted(tmp_path, rules=HEADER_ERROR) as lean:
        for text in ("import Foo", "import Foo\nx", "import Foo\ny"):
            answer = await ask(lean, text)
            assert answer.outcome is Outcome.DONE
            assert said(answer, Severity.ERROR) == ["unknown package 'Foo'"]
        assert lean.restarts == 0


async def test_imports_that_did_not_load_are_tried_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may have been built by now; a Lean that is up never looks again."""
    async with scripted(tmp_path, rules=HEADER_ERROR) as lean:
        for text in ("import Foo", "import Foo\nx"):
            assert said(await ask(lean, text), Severity.ERROR) == ["unknown package 'Foo'"]
        assert starts(tmp_path) == 1
        monkeypatch.setattr(live, "_RELOAD", 0.0)
        for count, text in ((2, "import Foo\ny"), (3, "import Foo\nz")):
            assert said(await ask(lean, text), Severity.ERROR) == ["unknown package 'Foo'"]
            assert starts(tmp_path) == count


@pytest.mark.parametrize(("mode", "outcome"), [("twice", Outcome.DONE), ("asks", Outcome.DONE), ("null", Outcome.DONE),
                                               ("quiet", Outcome.DONE), ("shapes", Outcome.CRASHED)])  # fmt: skip
async def test_a_peer_that_breaks_the_protocol(tmp_path: Path, mode: str, outcome: Outcome) -> None:
    log = tmp_path / "wire"
    async with closing(command([sys.executable, PEER, mode, log], tmp_path)) as lean:
        for text in ("a", "b"):
            assert (await ask(lean, text)).outcome is outcome
    if mode == "asks":
        answers = log.read_text(encoding="utf-8")
        # Two texts; each time one known request, one unknown to the client, and one unknown to all.
        assert answers.count('"result":null') + answers.count('"error"') == 2 * 3
        assert answers.count("-32601") >= 2


# ---------------------------------------------------------------------------------------------- death


@pytest.mark.parametrize(
    ("word", "detail"),
    [
        ("die", "uncaught exception: the scripted Lean died"),
        ("cut", ""),
        ("bad-header", ""),
        ("bad-json", ""),
        ("overflow", "Stack overflow detected. Aborting."),
        ("worker-error", "The Lean worker for this file crashed."),
    ],
)
@pytest.mark.parametrize("when", [1, 2])
async def test_a_death_is_told_and_the_next_call_works(tmp_path: Path, word: str, detail: str, when: int) -> None:
    async with scripted(tmp_path, f"{word}@{when}") as lean:
        if when == 2:
            assert is_for(await ask(lean, "first!"), "first!")
        answer = await ask(lean, "second!")
        assert answer.outcome is Outcome.CRASHED
        assert bool(answer.messages) is word.startswith("bad"), "what was told before"
        assert answer.detail
        assert detail in answer.detail
        assert not lean.running
        assert is_for(await ask(lean, "third!"), "third!")
        assert starts(tmp_path) == 2


async def test_after_each_death_a_fresh_process_answers(tmp_path: Path) -> None:
    async with scripted(tmp_path, "die@2", "cut@4", "die@6") as lean:
        for n in range(3):
            assert is_for(await ask(lean, f"a{n}!"), f"a{n}!")
            assert (await ask(lean, "b")).outcome is Outcome.CRASHED
        assert starts(tmp_path) == 3
        assert lean.restarts == 2
        assert texts_of(tmp_path) == ["a0!", "b", "a1!", "b", "a2!", "b"]


async def test_a_hang_that_ignores_sigterm_is_ended_and_the_next_call_works(tmp_path: Path) -> None:
    async with scripted(tmp_path, "hang@2", "worker", version=OLD) as lean:
        assert is_for(await ask(lean, "a"), "a")
        answer = await ask(lean, "b", timeout=SHORT)
        assert answer.outcome is Outcome.TIMED_OUT
        assert answer.messages == ()
        await gone(tmp_path)
        assert is_for(await ask(lean, "c"), "c")
        assert starts(tmp_path) == 2


# ---------------------------------------------------------------------------------------------- today's Lean


async def test_what_ran_out_of_time_is_stopped_by_the_next_text(tmp_path: Path) -> None:
    """Imports and all that stands above are kept then; what was told before is told."""
    async with scripted(tmp_path, "runs@2", "runs@4") as lean:
        for text in ("a", "b"):
            assert is_for(await ask(lean, text), text)
            answer = await ask(lean, f"{text}!?", timeout=SHORT)
            assert answer.outcome is Outcome.TIMED_OUT
            assert [m.severity for m in answer.messages] == [Severity.ERROR, Severity.WARNING]
        assert is_for(await ask(lean, "c"), "c")
        assert starts(tmp_path) == 1


async def test_who_has_enough_does_not_wait_for_the_rest(tmp_path: Path) -> None:
    """What stands behind a batch may take long; a Lean of 2021 tells nothing before its end."""
    for version, outcome in (("4.27.0", Outcome.DONE), (OLD, Outcome.TIMED_OUT)):
        folder = tmp_path / version
        folder.mkdir()
        async with scripted(folder, "runs@2", version=version) as lean:
            assert is_for(await ask(lean, "a"), "a")
            timeout = LONG if outcome is Outcome.DONE else SHORT
            answer = await lean.elaborate("b!?", timeout=timeout, enough=lambda told: len(told) == 2)
            assert answer.outcome is outcome
            assert [m.severity for m in answer.messages] == [Severity.ERROR, Severity.WARNING]
            answer = await lean.elaborate("c!", timeout=LONG, enough=lambda told: len(told) == 9)
            assert is_for(answer, "c!"), "never enough"
            assert starts(folder) == (1 if outcome is Outcome.DONE else 2)


async def test_a_lean_that_takes_no_notice_of_the_next_text_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_PATIENCE", SHORT)
    async with scripted(tmp_path, "hang@2", "worker") as lean:
        assert is_for(await ask(lean, "a"), "a")
        assert (await ask(lean, "b", timeout=SHORT)).outcome is Outcome.TIMED_OUT
        assert is_for(await ask(lean, "c"), "c")
        assert starts(tmp_path) == 2


async def test_a_lean_that_computes_on_is_ended_once_the_next_text_is_done(tmp_path: Path) -> None:
    async with scripted(tmp_path, "spins@2") as lean:
        assert is_for(await ask(lean, "a"), "a")
        assert (await ask(lean, "b", timeout=SHORT)).outcome is Outcome.TIMED_OUT
        assert is_for(await ask(lean, "c"), "c")
        await gone(tmp_path)
        assert is_for(await ask(lean, "d"), "d")
        assert starts(tmp_path) == 2


async def test_two_texts_without_an_answer_cost_the_process_and_the_second_has_its_own_chance(tmp_path: Path) -> None:
    async with scripted(tmp_path, "runs@2", "runs@3") as lean:
        assert is_for(await ask(lean, "a"), "a")
        assert (await ask(lean, "b", timeout=SHORT)).outcome is Outcome.TIMED_OUT
        assert is_for(await ask(lean, "c", timeout=SHORT), "c")
        assert starts(tmp_path) == 2
        assert texts_of(tmp_path) == ["a", "b", "c", "c"]


async def test_what_was_told_before_a_death_is_told(tmp_path: Path) -> None:
    rules = RULES.replace("    return found", "    return ('die', found[:1]) if 'x' in text else found")
    async with scripted(tmp_path, rules=rules) as lean:
        answer = await ask(lean, "!\nx!")
        assert answer.outcome is Outcome.CRASHED
        assert said(answer, Severity.ERROR) == ["!"]
        assert is_for(await ask(lean, "!"), "!")


async def test_a_peer_that_reads_nothing_is_given_up(tmp_path: Path) -> None:
    """More text than the pipe holds: writing itself would wait for ever."""
    log = tmp_path / "wire"
    async with closing(command([sys.executable, PEER, "deaf", log], tmp_path)) as lean:
        answer = await ask(lean, "x" * 2_000_000, timeout=SHORT)
        assert answer.outcome is Outcome.TIMED_OUT
        assert not lean.running


async def test_a_killed_server_is_noticed_while_it_is_idle(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        assert is_for(await ask(lean, "a"), "a")
        process = psutil.Process(entries(tmp_path, "start")[0]["pid"])
        process.kill()
        await gone(tmp_path)
        while lean.running:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert is_for(await ask(lean, "b"), "b")
        assert lean.restarts == 1


async def test_half_a_character_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """An editor may send half of a surrogate pair; no UTF-8 has it."""
    async with scripted(tmp_path) as lean:
        assert is_for(await ask(lean, "a"), "a")
        with pytest.raises(BadInput, match="line 2"):
            await ask(lean, "a\nb \ud800")
        with pytest.raises(BadInput):
            await lean.goals("\udfff", Position(0, 0), timeout=LONG)
        assert is_for(await ask(lean, "ab"), "ab")
        assert texts_of(tmp_path) == ["a", "ab"]


# ---------------------------------------------------------------------------------------------- start


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("no-start",), "error: the scripted Lean does not start"),
        (("no-start", "stderr"), "error: the scripted Lean does not start"),
        (("refuses",), "out of luck"),
    ],
)
async def test_a_start_that_fails_says_why(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    async with scripted(tmp_path, *words) as lean:
        for _ in range(2):
            with pytest.raises(LeanNotFound, match=reason):
                await ask(lean, "a")
        with pytest.raises(LeanNotFound, match=reason):
            await lean.start()
        assert not lean.running


async def test_what_cannot_be_executed_says_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program", encoding="utf-8")
    for argv in (["/nowhere/lean", "--server"], [tmp_path / "text"], [tmp_path]):
        async with closing(command(argv, tmp_path)) as lean:
            with pytest.raises(LeanNotFound, match=re.escape(str(argv[0]))):
                await ask(lean, "a")


async def test_the_next_command_takes_over_where_one_does_not_start(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    first = command([install(bad, "no-start").with_name("lake"), "serve"], tmp_path)
    second = command([install(good, "die@2", rules=RULES), "--server"], tmp_path)
    async with closing(first, second) as lean:
        assert is_for(await ask(lean, "a"), "a")
        assert lean.command == second
        assert "does not start" in lean.notice
        assert "lake serve" in lean.notice
        assert (await ask(lean, "b")).outcome is Outcome.CRASHED
        assert is_for(await ask(lean, "c"), "c")
        assert len(entries(bad, "message")) == 0
    await gone(good)


async def test_when_no_command_starts_the_last_reason_is_told(tmp_path: Path) -> None:
    bad = install(tmp_path, "no-start")
    async with closing(command(["/nowhere/lake"], tmp_path), command([bad, "--server"], tmp_path)) as lean:
        with pytest.raises(LeanNotFound, match="the scripted Lean does not start"):
            await ask(lean, "a")


async def test_a_folder_that_is_gone_is_told_and_costs_no_command(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    lean = install(tmp_path, rules=RULES)
    first, second = command([lean, "--server"], folder), command([lean, "--server", "second"], folder)
    async with closing(first, second) as elaborator:
        folder.rmdir()
        with pytest.raises(LeanDied, match=r"There is no folder .* any more, so Lean cannot be started there"):
            await elaborator.start()
        folder.mkdir()
        await elaborator.start()
        assert elaborator.command is first


async def test_starting_twice_starts_once(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        running = [lean.running]
        await lean.start()
        await lean.start()
        running.append(lean.running)
        assert running == [False, True]
        assert is_for(await ask(lean, "a"), "a")
        assert starts(tmp_path) == 1


def test_without_a_command_there_is_nothing_to_start() -> None:
    with pytest.raises(ValueError, match="command"):
        LiveElaborator([], "file:///A.lean")


# ---------------------------------------------------------------------------------------------- giving up


async def test_a_cancelled_request_does_not_spoil_the_next(tmp_path: Path) -> None:
    async with scripted(tmp_path, "slow=0.3@2") as lean:
        assert is_for(await ask(lean, "a"), "a")
        task = asyncio.ensure_future(ask(lean, "b!"))
        await logged(tmp_path, "text", 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert is_for(await ask(lean, "c!!"), "c!!")
        assert starts(tmp_path) == 1
        assert texts_of(tmp_path) == ["a", "b!", "c!!"]


async def test_what_a_cancelled_request_left_hanging_costs_the_next_no_verdict(tmp_path: Path) -> None:
    """The time that goes to what was cancelled is not charged to the text that follows."""
    async with scripted(tmp_path, "hang@2") as lean:
        assert is_for(await ask(lean, "a"), "a")
        task = asyncio.ensure_future(ask(lean, "b"))
        await logged(tmp_path, "text", 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert is_for(await ask(lean, "c", timeout=SHORT), "c")
        assert starts(tmp_path) == 2


async def test_a_request_cancelled_while_it_waits_for_another_leaves_it_alone(tmp_path: Path) -> None:
    async with scripted(tmp_path, "slow=0.2") as lean:
        first = asyncio.ensure_future(ask(lean, "a"))
        second = asyncio.ensure_future(ask(lean, "b"))
        await logged(tmp_path, "text")
        second.cancel()
        assert is_for(await first, "a")
        with pytest.raises(asyncio.CancelledError):
            await second
        assert texts_of(tmp_path) == ["a"]


async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    async with scripted(tmp_path, "slow-start=600") as lean:
        task = asyncio.ensure_future(ask(lean, "a"))
        await logged(tmp_path, "message")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(tmp_path)


async def test_closing_leaves_no_process_behind(tmp_path: Path) -> None:
    """Not even a worker with a session of its own that ignores every signal it can."""
    async with scripted(tmp_path, "worker") as lean:
        assert is_for(await ask(lean, "a"), "a")
        pids = [entry["pid"] for entry in entries(tmp_path) if "pid" in entry]
        assert len(pids) == 2
        assert survivors(tmp_path) == pids
        await lean.aclose()
        await gone(tmp_path)
        await lean.aclose()
        assert lean.closed
        with pytest.raises(LeanDied):
            await ask(lean, "b")
        assert starts(tmp_path) == 1


@pytest.mark.parametrize(
    "words", [("worker", "hang@1"), ("worker", "hang@2"), ("worker", "die@2"), ("worker", "cut@2")]
)
async def test_no_worker_outlives_its_server(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with scripted(tmp_path, *words) as lean:
        outcomes = [(await ask(lean, text, timeout=SHORT)).outcome for text in ("a", "b")]
        assert outcomes != [Outcome.DONE, Outcome.DONE]


async def test_closing_ends_a_request_and_starts_nothing_new(tmp_path: Path) -> None:
    async with scripted(tmp_path, "hang@1") as lean:
        task = asyncio.ensure_future(ask(lean, "a"))
        await logged(tmp_path, "text")
        await lean.aclose()
        assert (await task).outcome is Outcome.CRASHED
        with pytest.raises(LeanDied):
            await ask(lean, "b")
    assert starts(tmp_path) == 1


async def test_closing_during_the_start_starts_no_other_command(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    first = command([install(one, "slow-start=600"), "--server"], tmp_path)
    second = command([install(two, rules=RULES), "--server"], tmp_path)
    async with closing(first, second) as lean:
        task = asyncio.ensure_future(ask(lean, "a"))
        await logged(one, "message")
        await lean.aclose()
        with pytest.raises((LeanDied, LeanNotFound)):
            await task
    await gone(one)
    await gone(two)
    assert entries(two) == []


# ---------------------------------------------------------------------------------------------- goals


async def test_goals_at_a_place_are_asked_for_in_utf_16(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        text = "a\n𝕜𝕜 x"
        assert await lean.goals(text, Position(1, 3), timeout=LONG) == ("1:5", "⊢ 𝕜")
        assert texts_of(tmp_path) == [text]
        assert await lean.goals(text, Position(0, 0), timeout=LONG) == ("0:0", "⊢ 𝕜")
        assert texts_of(tmp_path) == [text], "a text that stands there already is not sent again"
        assert is_for(await ask(lean, "b"), "b")
        assert await lean.goals(text, Position(0, 0), timeout=LONG) == ("0:0", "⊢ 𝕜")
        assert texts_of(tmp_path) == [text, "b", text]


async def test_a_header_error_is_forgotten_once_lean_says_other_things(tmp_path: Path) -> None:
    rules = HEADER_ERROR.replace('return "overflow"', 'return [] if version == 2 else "overflow"')
    async with scripted(tmp_path, rules=rules) as lean:
        outcomes = [(await ask(lean, text)).outcome for text in ("import Foo", "", "boom")]
        assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.CRASHED]


@pytest.mark.parametrize("goals", ["None", "[]"])
async def test_no_goals_are_no_error(tmp_path: Path, goals: str) -> None:
    async with scripted(tmp_path, rules=f"def goals(text, line, character):\n    return {goals}\n") as lean:
        assert await lean.goals("a", Position(0, 0), timeout=LONG) == ()


@pytest.mark.parametrize("words", [("die@1",), ("hang@1",), ("overflow@1",)])
async def test_goals_of_a_text_that_lean_does_not_survive_are_none(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with scripted(tmp_path, *words) as lean:
        assert await lean.goals("a", Position(0, 0), timeout=SHORT) == ()


async def test_a_death_while_goals_are_asked_for_is_told(tmp_path: Path) -> None:
    rules = "import os\ndef goals(text, line, character):\n    os._exit(1)\n"
    async with scripted(tmp_path, rules=rules) as lean:
        with pytest.raises(LeanDied):
            await lean.goals("a", Position(0, 0), timeout=LONG)
        assert (await ask(lean, "b")).outcome is Outcome.DONE


# ---------------------------------------------------------------------------------------------- memory, words


async def test_the_memory_limit_holds_for_the_server_and_its_workers(tmp_path: Path) -> None:
    async with scripted(tmp_path, "worker", memory_mib=3000) as lean:
        await ask(lean, "a")
        for event in ("start", "worker"):
            (entry,) = entries(tmp_path, event)
            limit = 3000 * 2**20
            assert psutil.Process(entry["pid"]).rlimit(psutil.RLIMIT_AS) == (limit, limit)


async def test_without_a_limit_memory_is_not_limited(tmp_path: Path) -> None:
    own = psutil.Process().rlimit(psutil.RLIMIT_AS)
    async with scripted(tmp_path, memory_mib=0) as lean:
        await ask(lean, "a")
        (entry,) = entries(tmp_path, "start")
        assert psutil.Process(entry["pid"]).rlimit(psutil.RLIMIT_AS) == own


async def test_the_default_limit_is_generous(tmp_path: Path) -> None:
    assert default_memory_mib() >= 12 * 1024
    async with scripted(tmp_path) as lean:
        await ask(lean, "a")
        (entry,) = entries(tmp_path, "start")
        limit, _ = psutil.Process(entry["pid"]).rlimit(psutil.RLIMIT_AS)
        assert limit == default_memory_mib() * 2**20


@pytest.mark.parametrize(
    ("tail", "sentence"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("  spaced  \n", "spaced"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_last_telling_line_of_standard_error(tail: str, sentence: str) -> None:
    assert stderr_sentence(tail) == sentence


# ---------------------------------------------------------------------------------------------- the checker over it


async def test_a_candidate_that_runs_on_costs_one_wait_more_and_no_process(tmp_path: Path) -> None:
    """What Lean told of the candidates before it counts; it is run alone once more, and the others behind it."""
    text = "--# closes rfl\n--# runs grind\n--# closes simp\ntheorem a : True := by\n  sorry\n"
    command_, places = holes(text, text.index("sorry"))
    async with scripted(tmp_path, rules=Path(__file__).with_name("lean_rules.py")) as lean:
        checker = Checker(lean, Limits(batch=SHORT, split=SHORT, each=0.0))
        site = await checker.open(text, command_, places)
        checked = await checker.check(site, [Candidate(each, "test") for each in ("rfl", "grind", "omega", "simp")])
        assert [each.verdict.value for each in checked] == ["closes", "times out", "fails", "closes"]
        assert starts(tmp_path) == 1
    upto = {each[: each.index("\n  ")] for each in texts_of(tmp_path)}
    assert len(upto) == 1, "the same up to the hole"


# ---------------------------------------------------------------------------------------------- standing still


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "LOOK", 0.05)


@pytest.mark.usefixtures("impatient")
async def test_a_lean_that_was_stopped_is_replaced_and_costs_no_answer(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        assert is_for(await ask(lean, "a"), "a")
        os.kill(entries(tmp_path, "start")[0]["pid"], signal.SIGSTOP)
        assert is_for(await ask(lean, "b!"), "b!")
        assert starts(tmp_path) == 2
        assert lean.ended == "Lean was started again: it was stopped by a signal."


@pytest.mark.usefixtures("impatient")
async def test_a_lean_that_does_nothing_at_all_is_given_up(tmp_path: Path) -> None:
    async with scripted(tmp_path, "hang@2") as lean:
        assert is_for(await ask(lean, "a"), "a")
        assert is_for(await ask(lean, "b!"), "b!")
        assert starts(tmp_path) == 2
        assert lean.ended.startswith("Lean was started again: it did nothing for")


async def test_a_lean_that_was_killed_between_two_texts_costs_no_answer(tmp_path: Path) -> None:
    async with scripted(tmp_path) as lean:
        assert is_for(await ask(lean, "a"), "a")
        os.kill(entries(tmp_path, "start")[0]["pid"], signal.SIGKILL)
        assert is_for(await ask(lean, "b!"), "b!")
        assert lean.ended == "Lean was started again: it ended by itself (SIGKILL)."


async def test_a_worker_that_was_killed_between_two_texts_costs_no_answer(tmp_path: Path) -> None:
    async with scripted(tmp_path, "worker") as lean:
        assert is_for(await ask(lean, "a"), "a")
        await kill(entries(tmp_path, "worker")[0]["pid"])
        assert is_for(await ask(lean, "b!"), "b!")
        assert starts(tmp_path) == 2
        assert lean.ended == "Lean was started again: its worker ended."


@pytest.mark.usefixtures("impatient")
async def test_a_lean_that_stands_still_before_its_first_word_is_said_not_to_start(tmp_path: Path) -> None:
    async with closing(command(["sleep", "600"], tmp_path)) as lean:
        with pytest.raises(LeanNotFound, match="it did nothing for"):
            await ask(lean, "a")


@pytest.mark.parametrize(("name", "hint"), [("KILL", "memory runs out"), ("ILL", "another processor")])
async def test_how_a_lean_ended_that_does_not_start_says_what_to_do(tmp_path: Path, name: str, hint: str) -> None:
    async with closing(command(["sh", "-c", f"kill -{name} $$"], tmp_path)) as lean:
        with pytest.raises(LeanNotFound, match=f"did not start: SIG{name}.*{hint}"):
            await ask(lean, "a")
