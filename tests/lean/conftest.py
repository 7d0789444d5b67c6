"""A Lean for the tests marked `lean`: a real one where it is found, else the recordings of one; and which it was.

Each test module has one Lean process, or one file of recordings under `recordings/`, with its own name.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tacit.server.errors import LeanNotFound
from tacit.server.lean.checker import Checker, Limits
from tacit.server.lean.elaborator import Elaborator
from tacit.server.lean.hole import holes
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import LeanSettings, find_lean, server_commands
from tacit.server.lean.recordings import Recorder, Recordings, ReplayElaborator
from tacit.server.lean.site import Site
from tacit.server.values import Candidate, CheckedTactic, Verdict

RECORDINGS = Path(__file__).parent / "recordings"
HANG = 2.0  # seconds until a test's candidate counts as hanging; generous against a loaded machine
CURSOR = "‸"


@pytest.fixture(autouse=True)
def nothing_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has indexed, and which model it has, must not change what is suggested."""
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "nothing-indexed"))
    monkeypatch.setenv("TACIT_MODEL", "off")
    monkeypatch.delenv("MATHLIB", raising=False)


@dataclass
class Bench:
    """A checker over the module's Lean, with short hand for tests. `‸` in a text marks the cursor."""

    lean: Elaborator
    checker: Checker = field(init=False)

    def __post_init__(self) -> None:
        self.checker = Checker(self.lean, Limits(batch=HANG, split=HANG, each=0.05))

    async def site(self, text: str) -> Site:
        offset = text.index(CURSOR)
        text = text.replace(CURSOR, "")
        command, places = holes(text, offset)
        return await self.checker.open(text, command, places)

    async def check(self, text: str, *tactics: str) -> dict[str, CheckedTactic]:
        """The final verdicts: every close verified in place."""
        site = await self.site(text)
        checked = await self.checker.check(site, [Candidate(t, "test") for t in tactics])
        final = {}
        for tactic in checked:
            if tactic.verdict is Verdict.CLOSES:
                tactic = await self.checker.verify(site, tactic)
            final[tactic.candidate.text] = tactic
        return final

    async def verdicts(self, text: str, *tactics: str) -> dict[str, str]:
        return {text: tactic.verdict.value for text, tactic in (await self.check(text, *tactics)).items()}


@dataclass(frozen=True)
class _Answers:
    lean: Elaborator
    kind: str


@pytest.fixture
def live_lean(request: pytest.FixtureRequest) -> None:
    """For a test that runs Tacit whole, with a real Lean. Notes for the summary that it did."""
    if not (os.environ.get("TACIT_LEAN") or shutil.which("lean")):
        pytest.skip("No Lean was found.")
    request.node.user_properties.append(("lean", "live"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def _answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[_Answers]:
    file = RECORDINGS / f"{request.path.stem}.jsonl"
    recording = request.config.getoption("--record")
    folder = tmp_path_factory.mktemp("lean")
    try:
        install = await find_lean(LeanSettings(), folder)
    except LeanNotFound as exc:
        if recording:
            pytest.fail(f"Recording needs a real Lean. {exc}")
        if not file.is_file():
            pytest.skip(f"No Lean and no recordings: {exc}")
        yield _Answers(ReplayElaborator(Recordings.load([file])), "replayed")
        return
    commands = server_commands(install, folder / "Test.lean", LeanSettings())
    live = LiveElaborator(commands, (folder / "Test.lean").as_uri())
    recorder = Recorder()
    try:
        yield _Answers(recorder.wrap(live) if recording else live, "live")
    finally:
        await live.aclose()
        await asyncio.sleep(0)
    if recording:
        recorder.write(file)


@pytest.fixture
def bench(_answers: _Answers, request: pytest.FixtureRequest) -> Bench:
    """See Bench. Notes for the summary whether a real Lean or its recordings answered."""
    request.node.user_properties.append(("lean", _answers.kind))
    request.node.user_properties.append(("lean-version", _answers.lean.identity.version))
    return Bench(_answers.lean)
