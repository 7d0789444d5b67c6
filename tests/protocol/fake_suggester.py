"""A sidecar with a suggester that does what the document says. Run as a script; it stands in for Lean.

The document holds one comment line `--! [step, …]` (JSON), taken in turn:

    ["goal"]                    a goal; its hole is the `sorry` at the place asked for, else the place itself
    ["found", tactic, {…}]      a suggestion that closes; fields of Suggestion in the second may say otherwise
                                (`left`: how many goals are left; `text`: the new text of the edit)
    ["proved", tactic, [other, …]]   a search's proof, and others beside it
    ["batch", n]                n failures were checked
    ["remark", text, about]     something that a source says; it failed with `true` behind
    ["gate", name]              go on when the file `name` exists beside the log
    ["hang"]                    never go on
    ["stubborn", seconds]       never go on, and take so long to close
    ["raise", error, text]      NoGoal, LeanNotFound, LeanDied or ValueError
    ["print", text]             print on standard output, as a careless library would
    ["finish", notice]          the end; comes by itself after the last step. A number after it: the seconds it took

TACIT_FAKE_BUG is the text of a ValueError that `prepare` raises.

Every call is appended as one JSON line to the file named by TACIT_FAKE_LOG: {"event": …, "version": …}.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tacit.server.accepting import Taken
from tacit.server.app import serve
from tacit.server.errors import LeanDied, LeanNotFound, NoGoal
from tacit.server.memory_library import WorkspaceMemory
from tacit.server.prover.events import Proved
from tacit.server.settings import Settings
from tacit.server.suggest import (
    BatchChecked,
    Document,
    Event,
    Finished,
    Found,
    GoalFound,
    LeanStatus,
    ModelState,
    Options,
    Remark,
    Suggester,
)
from tacit.server.text import LineIndex, Position, Span
from tacit.server.values import Candidate, CheckedTactic, Goal, Hypothesis, Suggestion, TextEdit, Verdict

LOG = Path(os.environ["TACIT_FAKE_LOG"])
ERRORS = {"NoGoal": NoGoal, "LeanNotFound": LeanNotFound, "LeanDied": LeanDied, "ValueError": ValueError}
GOAL = Goal((Hypothesis(("𝕜", "n"), "Nat"),), "𝕜 + n = n + 𝕜", None, "𝕜 n : Nat\n⊢ 𝕜 + n = n + 𝕜")


def note(event: str, **more: Any) -> None:
    with LOG.open("a", encoding="utf-8") as log:
        log.write(json.dumps({"event": event, **more}) + "\n")


class FakeSuggester(Suggester):
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = "not started"
        # A child in a session of its own, as Lean's worker is: it must not outlive the sidecar.
        self.child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        note("built", path=settings.lean_path, args=list(settings.lean_args), child=self.child.pid)

    async def suggest(  # type: ignore[override]
        self, document: Document, position: Position, options: Options = Options()
    ) -> AsyncIterator[Event]:
        began = time.monotonic()
        about = {"version": document.version, "line": position.line, "column": position.column}
        wanted = {"simp_only": True} if options.finish.simp_only else {}
        note("suggest", **about, budget=options.budget, text=document.text, **wanted)
        offset = LineIndex(document.text).offset(position)
        hole = next(
            (Span(*m.span()) for m in re.finditer(r"\bsorry\b", document.text) if m.start() <= offset <= m.end()),
            Span(offset, offset),
        )
        checked = 0
        script = re.search(r"--! (.*)", document.text)
        steps: list[list[Any]] = json.loads(script[1]) if script else [["goal"]]
        try:
            for step, *rest in steps:
                if step == "goal":
                    yield GoalFound((GOAL,), hole, "foo")
                elif step == "found":
                    checked += 1
                    yield Found(self.suggestion(document, hole, *rest), time.monotonic() - began)
                elif step == "proved":
                    checked += 1
                    others = tuple(self.suggestion(document, hole, each) for each in rest[1])
                    proof = self.suggestion(document, hole, rest[0])
                    yield Proved(proof, (), time.monotonic() - began, others)
                    yield Found(proof, time.monotonic() - began)
                elif step == "batch":
                    checked += rest[0]
                    failed = CheckedTactic(Candidate("simp", "fixed"), Verdict.FAILS, message="no")
                    yield BatchChecked((failed,) * rest[0], 0.01)
                elif step == "remark":
                    yield Remark(rest[0], rest[1], failed=bool(rest[2:]))
                elif step == "gate":
                    while not (LOG.parent / rest[0]).exists():  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                elif step == "hang":
                    await asyncio.Event().wait()
                elif step == "stubborn":
                    try:
                        await asyncio.Event().wait()
                    finally:
                        await asyncio.sleep(rest[0])
                elif step == "raise":
                    raise ERRORS[rest[0]](rest[1])
                elif step == "print":
                    print(rest[0], flush=True)
                    os.write(1, rest[0].encode())
                    subprocess.run(["echo", rest[0]], check=True)  # noqa: ASYNC221
                elif step == "finish":
                    yield Finished(checked, rest[1] if rest[1:] else time.monotonic() - began, rest[0])
                    return
            yield Finished(checked, time.monotonic() - began)
        finally:
            note("closed", **about)

    def suggestion(self, document: Document, hole: Span, tactic: str, more: dict[str, Any] | None = None) -> Suggestion:
        more = dict(more or {})
        return Suggestion(
            tactic=tactic,
            verdict=Verdict(more.get("verdict", "closes")),
            goals=(GOAL,) * more.get("left", 0),
            edit=TextEdit(hole, more.get("text", tactic)),
            source=more.get("source", "fixed"),
            version=document.version,
            axioms=("propext",),
            verified=more.get("verified", True),
            note=more.get("note", ""),
        )

    async def prepare(self, document: Document) -> None:
        note("prepare", version=document.version)
        if text := os.environ.get("TACIT_FAKE_BUG"):
            raise ValueError(text)
        self.state = "ready"

    async def forget(self, uri: str) -> None:
        note("forget", uri=uri)

    def status(self) -> LeanStatus:
        return LeanStatus(self.state, "4.27.0", ("lean", "--server"))

    def model(self) -> ModelState:
        return ModelState("ready", "fake", "/m/fake.gguf", "few-shot", "fake, as `tacit models use` says.", 2048, 7)

    async def aclose(self) -> None:
        self.child.kill()
        self.child.wait()
        note("aclose")


def build(settings: Settings, _: object) -> Suggester:
    if settings.lean_path == "/nowhere":
        raise LeanNotFound("Lean was not found at /nowhere.", hint="Set tacit.lean.path.")
    return FakeSuggester(settings)


class NotingMemory(WorkspaceMemory):
    def accepted(self, taken: Taken) -> None:
        note("accepted", tactic=taken.tactic, goal=taken.goal.text, declaration=taken.declaration, at=taken.at)


if __name__ == "__main__":
    sys.exit(serve(build, memory=NotingMemory(keep=False), log_level="INFO"))
