"""Benchmarks: `make bench`, or `python tests/bench/run.py [SECTION …] [options]`. Most need a real Lean.

Every figure that matters is a ratio of two things measured side by side in one run; absolute times belong to
the machine. Nothing is asserted: what falls short is printed like the rest.

Sections:
  batch     32 candidates, one batch against one edit each, on the same Lean: with its delay and without
  first     seconds to the first checked suggestion, demo goals, warm server
  closed    goals closed in one step, and the share of each source: demo goals, and those of --files
  premises  goals of --files closed with premises of the indexed packages at --packages and without, side by side
  memory    first tactics that the memory of proofs proposes, theorems of --packages; goals of --files closed with it
            and without, beside premises of the indexed packages, side by side
  model     goals of the demo and of --files closed without a model, by --model alone and by either, and how soon
  proof     states and candidates a second of a search for proofs, demo goals and --files, against one edit for each
  workers   candidates a second of a search with one Lean and with two, demo goals and --files
  startup   import time of the sidecar and its memory
  search    search by BM25 alone, by vectors alone and as it is, side by side over what MATHLIB names: --questions
  editor    search in the sidecar over what MATHLIB and TACIT_CACHE name: questions, texts typed and saved, memory
  vscode    ghost text, keys, sizes, activation and memory in a real VS Code, --minutes of writing; only when named
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tacit.server.compose import build_suggester  # noqa: E402
from tacit.server.errors import NoGoal, TacitError  # noqa: E402
from tacit.server.lean.checker import Checker, Limits  # noqa: E402
from tacit.server.lean.hole import holes  # noqa: E402
from tacit.server.lean.live import LiveElaborator  # noqa: E402
from tacit.server.lean.locate import LeanSettings, find_lean, server_commands  # noqa: E402
from tacit.server.memory_library import WorkspaceMemory  # noqa: E402
from tacit.server.premise_library import IndexedPremises  # noqa: E402
from tacit.server.settings import Settings  # noqa: E402
from tacit.server.suggest import BatchChecked, Document, Found, Options, Suggester  # noqa: E402
from tacit.server.theorems import Goal, proved, sorries  # noqa: E402
from tacit.server.values import Candidate, Suggestion, Verdict  # noqa: E402
from tests.bench.closing_model import section as model_section  # noqa: E402
from tests.bench.editor_search import editor_section  # noqa: E402
from tests.bench.memory import section as proposed_section  # noqa: E402
from tests.bench.proof_search import section as proof_section  # noqa: E402
from tests.bench.search import section as search_section  # noqa: E402
from tests.bench.vscode import vscode_section  # noqa: E402
from tests.bench.workers import section as workers_section  # noqa: E402

DEMO = ROOT / "lean-project" / "Demo"
SECTIONS = (
    "batch", "first", "closed", "startup", "premises", "memory", "model", "proof", "workers", "search", "editor",
)  # fmt: skip
WHEN_NAMED = ("vscode",)
"""Takes an hour."""
PROOFS = 20
"""Goals of each set in `proof` and `workers`: each is searched for its whole budget twice."""
WITHOUT_LEAN = frozenset(("startup", "search", "editor"))

BATCH_TEXT = "theorem bench (p q r : Prop) (hp : p) (hq : q) (h : p → q → r) : (p ∧ q) ∧ r := by\n  sorry\n"
# The same goal where goals mostly stand: in a proof with some steps above, which every edit elaborates again (a Lean
# of 2021) or finds again (today's).
DEEP_TEXT = """theorem bench (p q r : Prop) (hp : p) (hq : q) (h : p → q → r) (a b c d : Nat) (xs ys zs : List Nat) :
    (p ∧ q) ∧ r := by
  have h₁ : a + b + c + d = d + c + b + a := by simp [Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]
  have h₂ : a * (b + c) + d = d + (c * a + b * a) := by
    simp [Nat.mul_add, Nat.mul_comm, Nat.add_comm, Nat.add_left_comm]
  have h₃ : (xs ++ ys ++ zs).length = zs.length + ys.length + xs.length := by
    induction xs <;> simp_all [Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]
  sorry
"""
BATCH = (
    "exact ⟨⟨hp, hq⟩, h hp hq⟩", "constructor", "exact hp", "assumption", "simp", "simp_all", "simp [hp]", "simp [*]",
    "exact ⟨hp, hq⟩", "apply And.intro", "exact And.intro ⟨hp, hq⟩ (h hp hq)", "contradiction", "intro x", "cases hp",
    "exact h hp hq", "decide", "exact ⟨⟨hq, hp⟩, h hp hq⟩", "refine ⟨?_, ?_⟩", "refine ⟨⟨hp, ?_⟩, ?_⟩", "exact trivial",
    "have hr := h hp hq", "exact ⟨⟨hp, hq⟩, h hq hp⟩", "apply h", "rw [h]", "exact (h hp hq)", "skip",
    "exact ⟨hp, hq, h⟩",
    "refine ⟨⟨?_, hq⟩, ?_⟩", "exact ⟨by assumption, h hp hq⟩", "apply And.intro <;> assumption", "exact id hp", "done",
)  # fmt: skip


@dataclass
class Report:
    """Lines for people, figures for machines."""

    figures: dict[str, object] = field(default_factory=dict)

    def say(self, line: str = "") -> None:
        print(line, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


async def batch_section(report: Report, rounds: int) -> None:
    """One batch against one edit each."""
    report.say(f"## One batch of {len(BATCH)} candidates against one edit each")
    folder = Path.cwd()
    install = await find_lean(LeanSettings(), folder)
    for delayed in (True, False):
        commands = server_commands(install, folder / "Bench.lean", LeanSettings())[-1:]
        if delayed:
            # The delay as an editor leaves it: 2021's default of 200 ms; today the option not set.
            commands = [
                type(c)(tuple(a for a in c.argv if "Delay" not in a), c.cwd, c.lake, c.version) for c in commands
            ]
        for place, text in (("a bare theorem", BATCH_TEXT), ("after three steps", DEEP_TEXT)):
            lean = LiveElaborator(commands, (folder / "Bench.lean").as_uri(), edit_delay_ms=200 if delayed else 0)
            how = ("with the server's own delay" if delayed else "delay switched off") + f", {place}"
            key = f"{'delay' if delayed else 'no_delay'}_{'bare' if text is BATCH_TEXT else 'deep'}"
            await _batch(report, lean, text, rounds, how, key)


async def _batch(report: Report, lean: LiveElaborator, text: str, rounds: int, how: str, key: str) -> None:
    """One place, both ways."""
    checker = Checker(lean, Limits(batch=60))
    command, places = holes(text, text.index("sorry"))
    site = await checker.open(text, command, places)
    candidates = [Candidate(text, "bench") for text in BATCH]
    await checker.check(site, candidates[:2])
    together: list[float] = []
    apart: list[float] = []
    same = True
    for _ in range(rounds):
        began = time.perf_counter()
        batched = await checker.check(site, candidates)
        together.append(time.perf_counter() - began)
        began = time.perf_counter()
        single = [(await checker.check(site, [c]))[0] for c in candidates]
        apart.append(time.perf_counter() - began)
        same &= [c.verdict for c in batched] == [c.verdict for c in single]
    await lean.aclose()
    ratio = statistics.median(a / t for a, t in zip(apart, together, strict=True))
    report.say(
        f"- {how}: one batch {statistics.median(together):.3f} s, one edit each {statistics.median(apart):.2f} s, "
        f"**{ratio:.1f}×** (median of {rounds}); same verdicts: {'yes' if same else 'NO'}"
    )
    report.figures[f"batch_ratio_{key}"] = round(ratio, 1)
    report.figures[f"batch_same_{key}"] = same


@dataclass
class Outcome:
    """What one goal gave."""

    first: float | None = None
    closed: Suggestion | None = None
    closing_sources: set[str] = field(default_factory=set)
    checked: int = 0
    seconds: float = 0.0
    skipped: str = ""


async def attempt(suggester: Suggester, goal: Goal, options: Options) -> Outcome:
    """Ask for suggestions at a goal."""
    outcome = Outcome()
    began = time.perf_counter()
    document = Document(goal.file.resolve().as_uri(), 1, goal.text, goal.file)
    try:
        async for event in suggester.suggest(document, goal.position, options):
            if isinstance(event, Found):
                outcome.first = outcome.first or event.elapsed
                if event.suggestion.verdict is Verdict.CLOSES and outcome.closed is None:
                    outcome.closed = event.suggestion
            elif isinstance(event, BatchChecked):
                outcome.checked += len(event.checked)
                outcome.closing_sources |= {
                    c.candidate.source for c in event.checked if c.verdict is Verdict.CLOSES and not c.candidate.query
                }
    except NoGoal as exc:
        outcome.skipped = str(exc)
    except TacitError as exc:
        outcome.skipped = f"failed: {exc}"
    outcome.seconds = time.perf_counter() - began
    return outcome


async def first_section(report: Report) -> None:
    """Seconds to the first checked suggestion, and to the first close, warm."""
    report.say("## Time to the first checked suggestion (demo goals, warm server)")
    suggester = build_suggester()
    firsts: list[float] = []
    closes: list[float] = []
    for file in sorted(DEMO.glob("*.lean")):
        goals = list(sorries(file))
        await attempt(suggester, goals[-1], Options(limit=1))  # warms up: imports, what stands above, the probe
        for goal in goals:
            outcome = await attempt(suggester, goal, Options(limit=1))
            if outcome.first is not None:
                firsts.append(outcome.first)
            outcome = await attempt(suggester, goal, Options(stop_at_first_close=True, closes_only=True))
            if outcome.closed is not None:
                closes.append(outcome.seconds)
    await suggester.aclose()
    for name, values in (("first suggestion", firsts), ("first close, where there is one", closes)):
        report.say(
            f"- {name}: {len(values)} goals, p50 {percentile(values, 0.5):.3f} s, p95 {percentile(values, 0.95):.3f} s"
        )
        key = name.split(",")[0].replace(" ", "_")
        report.figures[f"{key}_p50"] = round(percentile(values, 0.5), 3)
        report.figures[f"{key}_p95"] = round(percentile(values, 0.95), 3)


async def closed_section(report: Report, files: Sequence[Path], at_most: int) -> None:
    """How many goals close in one step, all sources and each alone."""
    report.say("## Goals closed in one step")
    for name, goals in _sets(files, at_most).items():
        await _closed(report, name, goals)


def _sets(files: Sequence[Path], at_most: int) -> dict[str, Sequence[Goal]]:
    """The goals of the demo, and of each of these files or folders so many, evenly chosen."""
    sets = {"demo goals": [g for f in sorted(DEMO.glob("*.lean")) for g in sorries(f)]}
    for path in files:
        sets[path.name] = [g for f in (sorted(path.rglob("*.lean")) if path.is_dir() else [path]) for g in proved(f)]
    return {name: goals[:: max(1, len(goals) // at_most)][:at_most] for name, goals in sets.items()}


async def _closed(report: Report, name: str, goals: Sequence[Goal]) -> None:
    suggester = build_suggester()
    first, any_of, only = Counter[str](), Counter[str](), Counter[str]()
    closed = tried = checked = 0
    seconds: list[float] = []
    skipped = Counter[str]()
    # All waves are run, so that every source that can close a goal is seen to.
    options = Options(closes_only=True, limit=1000, budget=20)
    for goal in goals:
        outcome = await attempt(suggester, goal, options)
        if outcome.skipped:
            skipped[outcome.skipped[:60]] += 1
            continue
        tried += 1
        checked += outcome.checked
        seconds.append(outcome.seconds)
        if outcome.closed is not None:
            closed += 1
            first[outcome.closed.source] += 1
            any_of.update(outcome.closing_sources)
            if len(outcome.closing_sources) == 1:
                only.update(outcome.closing_sources)
    await suggester.aclose()
    if not tried:
        report.say(f"- {name}: no goals ({dict(skipped)})")
        return
    report.say(
        f"- {name}: **{closed} of {tried}** closed; all sources run out: {checked / tried:.0f} candidates and "
        f"{statistics.median(seconds):.2f} s a goal; {sum(skipped.values())} places without a goal left out"
    )
    for source, count in any_of.most_common():
        report.say(f"  - {source}: closes {count}, alone {only[source]}, shown first {first[source]}")
    report.figures[f"closed_{name}"] = [closed, tried]
    report.figures[f"sources_{name}"] = {s: [c, only[s], first[s]] for s, c in any_of.items()}


async def premises_section(report: Report, files: Sequence[Path], packages: Sequence[Path], at_most: int) -> None:
    """The same goals with and without the premises of some packages, each goal both ways before the next."""
    report.say("## Goals closed in one step, with premises and without")
    for path in files:
        found = sorted(path.rglob("*.lean")) if path.is_dir() else [path]
        goals = [goal for file in found for goal in proved(file)]
        step = max(1, len(goals) // at_most)
        await _premises(report, path.name, goals[::step][:at_most], packages)


async def _premises(report: Report, name: str, goals: Sequence[Goal], packages: Sequence[Path]) -> None:
    premises = IndexedPremises(packages)
    suggesters = {
        "without": build_suggester(choose=lambda all_: [each for each in all_ if each.name != "premises"]),
        "with": build_suggester(premises=premises),
    }
    await _side_by_side(report, name, goals, suggesters, "premises")
    await premises.aclose()


async def memory_section(report: Report, files: Sequence[Path], packages: Sequence[Path], at_most: int) -> None:
    """What the memory of proofs proposes, and the goals that it closes: nothing below a theorem is remembered."""
    report.figures["memory"] = proposed_section(report.say, packages, at_most)
    report.say("## Goals closed in one step, with the memory of proofs and without")
    for path in files:
        found = sorted(path.rglob("*.lean")) if path.is_dir() else [path]
        goals = [goal for file in found for goal in proved(file)]
        memory, premises = WorkspaceMemory(below=False, keep=False), IndexedPremises(packages)
        suggesters = {
            "without": build_suggester(
                choose=lambda all_: [each for each in all_ if each.name != "memory"], premises=premises
            ),
            "with": build_suggester(premises=premises, memory=memory),
        }
        await _side_by_side(report, path.name, goals[:: max(1, len(goals) // at_most)][:at_most], suggesters, "memory")
        await memory.aclose()
        await premises.aclose()


async def _side_by_side(
    report: Report, name: str, goals: Sequence[Goal], suggesters: dict[str, Suggester], source: str
) -> None:
    """Each goal without a source and with it, before the next; closes the suggesters."""
    options = Options(closes_only=True, limit=1000, budget=10)
    closed = dict.fromkeys(suggesters, 0)
    checked = dict.fromkeys(suggesters, 0)
    seconds: dict[str, list[float]] = {each: [] for each in suggesters}
    tried = by_source = alone = 0
    for goal in goals:
        outcomes = {each: await attempt(suggester, goal, options) for each, suggester in suggesters.items()}
        if any(each.skipped for each in outcomes.values()):
            continue
        tried += 1
        if tried % 10 == 0:
            report.say(f"  - {tried} of {len(goals)} tried")
        for each, outcome in outcomes.items():
            closed[each] += outcome.closed is not None
            checked[each] += outcome.checked
            seconds[each].append(outcome.seconds)
        sources = outcomes["with"].closing_sources if outcomes["with"].closed is not None else set()
        by_source += source in sources
        alone += sources == {source}
        if outcomes["with"].closed is not None and outcomes["without"].closed is None:
            report.say(f"  - {goal.name}: {outcomes['with'].closed.tactic!r}")
        elif outcomes["without"].closed is not None and outcomes["with"].closed is None:
            report.say(f"  - lost: {goal.name}: {outcomes['without'].closed.tactic!r}")
    for suggester in suggesters.values():
        await suggester.aclose()
    if not tried:
        report.say(f"- {name}: no goals")
        return
    report.say(
        f"- {name}: of {tried} goals **{closed['without']}** closed without {source} and **{closed['with']}** with;"
        f" {source} closes {by_source}, alone {alone}"
    )
    for each in suggesters:
        middle = statistics.median(seconds[each])
        report.say(f"  - {each}: {checked[each] / tried:.0f} candidates and {middle:.2f} s a goal, all sources run out")
    report.figures[f"{source}_{name}"] = [tried, closed["without"], closed["with"], by_source, alone]


def startup_section(report: Report) -> None:
    """Import time and memory of the sidecar."""
    report.say("## Start-up of the sidecar")
    times: list[float] = []
    bare: list[float] = []
    for _ in range(7):
        for code, values in (("import tacit.server.app", times), ("pass", bare)):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            values.append(time.perf_counter() - began)
    imported = statistics.median(times) - statistics.median(bare)
    report.say(
        f"- `import tacit.server.app`: {imported:.3f} s over a bare interpreter's {statistics.median(bare):.3f} s"
    )
    code = "import tacit.server.app, os; print(__import__('psutil').Process().memory_info().rss)"
    rss = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    report.say(f"- resident after import: {rss / 2**20:.0f} MiB")
    report.figures |= {"import_seconds": round(imported, 3), "import_mib": round(rss / 2**20)}
    answers: list[float] = []
    rss = 0
    for _ in range(5):
        began = time.perf_counter()
        sidecar = subprocess.Popen(
            [sys.executable, "-m", "tacit.server.cli", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert sidecar.stdin is not None
        assert sidecar.stdout is not None
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
        sidecar.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        sidecar.stdin.flush()
        sidecar.stdout.readline()
        answers.append(time.perf_counter() - began)
        rss = psutil.Process(sidecar.pid).memory_info().rss
        sidecar.kill()
        sidecar.wait()
    answered = statistics.median(answers)
    report.say(f"- from start to the answer to `initialize` (pygls and its message types loaded): {answered:.3f} s")
    report.say(f"- resident, initialised: {rss / 2**20:.0f} MiB")
    report.figures |= {"initialize_seconds": round(answered, 3), "serve_mib": round(rss / 2**20)}


async def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sections", nargs="*", choices=[*SECTIONS, *WHEN_NAMED, []], default=list(SECTIONS), metavar="SECTION"
    )
    parser.add_argument("--files", nargs="*", type=Path, default=[], help="Lean files or folders whose theorems to try")
    parser.add_argument(
        "--packages",
        nargs="*",
        type=Path,
        default=[],
        help="indexed packages for `premises` and `memory`",
    )
    parser.add_argument("--at-most", type=int, default=200, help="goals of each set, evenly chosen (default 200)")
    parser.add_argument("--model", default="", help="a GGUF for `model` (default: what Tacit uses)")
    parser.add_argument("--preset", default="", help="how it is asked")
    parser.add_argument(
        "--budget", type=float, default=5.0, help="seconds of a search in `proof`, `workers` (default 5)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=60.0, help="of writing in `vscode` (default 60)")
    parser.add_argument("--questions", type=Path, help="questions to ask of search, as for `tacit eval search`")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    report = Report()
    if not WITHOUT_LEAN.issuperset(arguments.sections):
        install = await find_lean(LeanSettings(), Path.cwd())
        report.say(f"Lean {install.version}, {psutil.cpu_count()} cores\n")
        report.figures["lean"] = install.version
    if "batch" in arguments.sections:
        await batch_section(report, arguments.rounds)
    if "first" in arguments.sections:
        await first_section(report)
    if "closed" in arguments.sections:
        await closed_section(report, arguments.files, arguments.at_most)
    if "premises" in arguments.sections:
        await premises_section(report, arguments.files, arguments.packages, arguments.at_most)
    if "memory" in arguments.sections:
        await memory_section(report, arguments.files, arguments.packages, arguments.at_most)
    if "model" in arguments.sections:
        settings = Settings(model_path=arguments.model, model_preset=arguments.preset)
        sets = _sets(arguments.files, arguments.at_most)
        report.figures["model"] = await model_section(report.say, sets, settings, arguments.packages)
    if "proof" in arguments.sections:
        sets = _sets(arguments.files, min(arguments.at_most, PROOFS))
        report.figures["proof"] = await proof_section(report.say, sets, arguments.budget)
    if "workers" in arguments.sections:
        sets = _sets(arguments.files, min(arguments.at_most, PROOFS))
        report.figures["workers"] = await workers_section(report.say, sets, arguments.budget)
    if "startup" in arguments.sections:
        startup_section(report)
    if "search" in arguments.sections:
        report.figures["search"] = search_section(report.say, arguments.questions)
    if "editor" in arguments.sections:
        await editor_section(report, arguments.questions)
    if "vscode" in arguments.sections:
        vscode_section(report, arguments.minutes)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except TacitError as error:
        sys.exit(str(error))
