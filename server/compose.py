"""The composition root: the one module that knows every concrete class and puts them together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tacit.index.encoder import available_cores
from tacit.server.errors import LeanNotFound
from tacit.server.lean.checker import Limits
from tacit.server.lean.elaborator import Elaborator
from tacit.server.lean.live import LiveElaborator
from tacit.server.lean.locate import QUIET, LeanInstall, LeanSettings, find_lean, server_commands, workspace_root
from tacit.server.lean.pool import SIZE, Pool
from tacit.server.lean.recordings import Recorder, Recordings, ReplayElaborator, replay_notice
from tacit.server.memory_library import WorkspaceMemory
from tacit.server.mirror import path_of
from tacit.server.model_choice import Choice
from tacit.server.model_choice import choose as choose_model
from tacit.server.model_generator import LocalModel
from tacit.server.premise_library import IndexedPremises
from tacit.server.prover.experience import Experience, store
from tacit.server.prover.search import search
from tacit.server.settings import Settings
from tacit.server.suggest import LeanStatus, ModelState, Suggester
from tacit.server.tactics.above import FileLemmas
from tacit.server.tactics.definitions import DefinitionTactics
from tacit.server.tactics.hypotheses import HypothesisTactics
from tacit.server.tactics.memory import MemoryTactics
from tacit.server.tactics.model import ModelTactics
from tacit.server.tactics.nearby import NearbyTactics
from tacit.server.tactics.portfolio import Portfolio
from tacit.server.tactics.premises import PremiseTactics
from tacit.server.tactics.probes import probe_names
from tacit.server.tactics.source import PremiseFinder, ProofMemory, TacticSource
from tacit.server.tactics.try_this import harvest
from tacit.server.tactics.unknowns import UnknownTactics


def lean_settings(settings: Settings) -> LeanSettings:
    """The part of the settings that finding and starting Lean needs."""
    return LeanSettings(
        settings.lean_path or None,
        settings.lean_args,
        settings.lean_memory_mib,
        file_mib=settings.lean_file_mib,
        sandbox=settings.sandbox == "on",
    )


class LiveLean:
    """Opens live Elaborators and knows what to say of them. One install is looked up for each workspace folder."""

    def __init__(self, settings: Settings, recorder: Recorder | None = None) -> None:
        self._settings = lean_settings(settings)
        self._recorder = recorder
        self._installs: dict[Path, asyncio.Task[LeanInstall]] = {}
        self._open: list[LiveElaborator] = []
        # Workspaces where `lake serve` does not start, with the reason: it is not tried for every document.
        self._without_lake: dict[Path, str] = {}
        self._status = LeanStatus("not started")

    async def install(self, file: Path) -> LeanInstall:
        """The Lean for a file. Raises LeanNotFound, and asks anew next time: installing Lean helps at once."""
        root, _ = workspace_root(file)
        task = self._installs.get(root)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            folder = root if os.path.isdir(root) else QUIET  # noqa: ASYNC240, PTH112  # Path.is_dir raises for long names
            task = self._installs[root] = asyncio.ensure_future(find_lean(self._settings, folder))
        # Shielded: a request that is cancelled must not take the look-up from the others.
        return await asyncio.shield(task)

    async def __call__(self, uri: str) -> Elaborator:
        """Make the Elaborator of a document."""
        file = path_of(uri)
        if file is None:
            # An untitled document has no folder: Lean gets a name for it that no file has, where nobody put a lakefile.
            file = QUIET / "tacit-untitled.lean"
            uri = file.as_uri()
        try:
            self._status = LeanStatus("starting")
            install = await self.install(file)
            commands = server_commands(install, file, self._settings)
            root = commands[0].cwd
            if root in self._without_lake:
                commands = commands[-1:]
            elaborator = LiveElaborator(commands, uri, memory_mib=self._settings.memory_mib)
            await elaborator.start()
            if elaborator.notice:
                self._without_lake[root] = elaborator.notice
            elaborator.notice = self._without_lake.get(root, "")
        except LeanNotFound as exc:
            self._status = LeanStatus("missing", sentence=str(exc))
            raise
        self._open.append(elaborator)
        self._status = LeanStatus("ready", install.version)
        return self._recorder.wrap(elaborator) if self._recorder is not None else elaborator

    def status(self) -> LeanStatus:
        """What can be said of Lean now."""
        self._open = [e for e in self._open if not e.closed]
        if not self._open:
            return self._status if self._status.state != "ready" else LeanStatus("not started", self._status.version)
        last = next((each for each in reversed(self._open) if each.running), self._open[-1])
        return LeanStatus(
            "ready" if last.running else "failed",
            last.identity.version,
            last.command.argv,
            sentence=last.notice or last.ended,
            documents=len({each.uri for each in self._open}),
            restarts=sum(max(0, e.restarts) for e in self._open),
        )


class RecordedLean:
    """Opens Elaborators that answer from recordings."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    async def __call__(self, uri: str) -> Elaborator:
        """Make one; all documents share the recordings."""
        del uri
        return ReplayElaborator(self._recordings)

    def status(self) -> LeanStatus:
        """Says plainly that this is no live Lean."""
        version = self._recordings.version
        return LeanStatus("replaying", version, replayed=True, sentence=replay_notice(version))


def workers(settings: Settings) -> int:
    """How many Leans one search may have, where memory allows."""
    if settings.prove_workers is not None:
        return settings.prove_workers
    # A second one only where a core is left for the sidecar and the editor, and none beside other searches: each loads
    # what the file imports and holds it. On two cores the two would take turns.
    return 2 if settings.prove_jobs == 1 and available_cores() > 2 else 1


def sources() -> list[TacticSource]:
    """Every tactic source that needs no index, in the order in which ties between their candidates are broken."""
    return [Portfolio(), HypothesisTactics(), NearbyTactics(), FileLemmas(), DefinitionTactics(), UnknownTactics()]


def local_model(choice: Choice, settings: Settings) -> LocalModel | None:
    """The model that was chosen; nothing is started, and what is wrong with it is said when it is asked."""
    if choice.path is None:
        return None
    return LocalModel(
        choice.path, choice.preset, choice.own, context=settings.model_context, sandbox=settings.sandbox == "on"
    )


def model_state(choice: Choice, model: LocalModel | None) -> ModelState:
    """What can be said of the chosen model now."""
    if model is None:
        return ModelState(sentence=f"{choice.sentence} {choice.hint}".rstrip())
    status = model.client.status()
    loaded = status.loaded
    return ModelState(
        status.state,
        choice.name,
        str(choice.path),
        choice.preset,
        status.sentence or choice.sentence,
        loaded.context if loaded is not None else 0,
        loaded.parameters if loaded is not None else 0,
        status.restarts,
    )


def build_suggester(
    settings: Settings | None = None,
    *,
    recordings: Sequence[Path] = (),
    recorder: Recorder | None = None,
    limits: Limits | None = None,
    choose: Callable[[list[TacticSource]], list[TacticSource]] = lambda all_: all_,
    premises: PremiseFinder | None = None,
    memory: ProofMemory | None = None,
    folders: Sequence[Path] = (),
    measured: bool = False,
    experience: Experience | None = None,
) -> Suggester:
    """A Suggester over a live Lean; over recordings only when files of them are given.

    `recorder` notes what the live Lean answers. `choose` narrows the sources, for measurements. `premises` finds those
    of the source that needs an index, `memory` what stands in proofs of the workspace; both are their maker's to close,
    and without them this suggester has its own: premises of a file's workspace and of `folders`. `measured`: to prove
    anew what is proved; what stands below a place or was accepted once is not remembered. `experience` judges what
    searches meet and learns from them; without one that of this machine does, where it may. What is recorded must not
    depend on what is indexed, installed or was accepted on one machine: with recordings, and while recording, neither
    premises nor memory nor a model are asked; nor is a model without settings.
    """
    lean = RecordedLean(Recordings.load(recordings)) if recordings else LiveLean(settings or Settings(), recorder)
    given = settings or Settings()
    # What is recorded must not depend on which Lean was ready first.
    each = workers(given) if recorder is None and not recordings else 1
    pool = Pool(lean, probe_names(), size=max(SIZE, given.prove_jobs * each), limits=limits, workers=each)
    all_ = sources()
    closing = []
    # What is measured or recorded must not depend on what was searched for before.
    learns = settings is not None and given.prove_learn and not measured and recorder is None
    experience = experience or Experience(store() if learns else None)
    choice, model = Choice(None, "No model is used."), None
    if not recordings and recorder is None:
        if premises is None:
            premises = found = IndexedPremises(folders, lean=given.lean_path)
            closing.append(found.aclose)
        if memory is None:
            memory = own = WorkspaceMemory(below=not measured, keep=not measured)
            closing.append(own.aclose)
        all_ += [MemoryTactics(memory), PremiseTactics(premises)]
        if settings is not None:
            choice = choose_model(settings)
            model = local_model(choice, settings)
        if model is not None:
            closing.append(model.aclose)
            all_.append(ModelTactics(model, premises))
    return Suggester(
        pool,
        choose(all_),
        harvest,
        lean.status,
        closing,
        lambda: model_state(choice, model),
        partial(search, experience=experience),
    )
