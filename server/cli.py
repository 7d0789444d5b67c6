"""The command `tacit`: reads its arguments, runs one command, turns every outcome into an exit status. Nothing else.

A command's modules are imported when it is run, so that `tacit --help` is there at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.server.command import Build, Engine, ReadingEngine
    from tacit.server.settings import Settings

DONE, BAD_INPUT, NO_LEAN, FAULT, INTERRUPTED, BROKEN_PIPE = 0, 2, 3, 70, 130, 141

DESCRIPTION = """A copilot for Lean 4 that never shows an unchecked tactic.
Everything runs on this machine; no file is changed unless you ask for it."""

SUGGEST_HELP = """Show the goal at a place of a Lean file, then every checked tactic for it as it is found.

FILE:LINE looks at the `sorry` of that line, or at its end; FILE:LINE:COL at exactly that place. Lines and
columns count from 1, as editors show them."""
SUGGEST_STATUS = """exit status:
  0    a tactic that closes the goal was found
  1    nothing closes it; what makes progress was shown
  2    the place cannot be used, or there is no goal
  3    there is no Lean, or it failed
  130  interrupted

--json prints one object when all is done: file, position, declaration, goals, hole, suggestions (tactic, verdict,
verified, goals, source, axioms, note, elapsed, edit {range, newText}), checked, elapsed, lean {version, live}, notice.
Positions are those of LSP: lines and columns from 0, columns in UTF-16 units."""

PROVE_HELP = """Look for a proof of every `sorry` of a Lean file, or of all files of a folder, over several steps. From
top to bottom, each checked in place on the text that the ones above have left. Prints the difference, or writes it."""
PROVE_STATUS = """exit status:
  0    every `sorry` was closed
  1    some are left
  2    the file cannot be used or written; of a folder, one of them
  3    there is no Lean, or it failed
  130  interrupted; nothing was written

--json prints one object: file, closed, total, goals (range, declaration, closed, tactic, newText, source, axioms,
reason, sketch, alternatives, steps, search, elapsed), diff, written, elapsed, lean {version, live}. Ranges are those of
LSP, in the file as it was. For a folder: folder, closed, total, elapsed, files, amiss (what cannot be used or
written)."""

TRACES_HELP = """Read what `tacit prove --traces FILE` kept. stats counts it by source and verdict; export writes pairs
of goal and tactic as JSON Lines, for `tacit train data --traces`; fit fits the weights that searches judge goals by,
and says how well they judge what they were not fitted on; forget removes what searches on this machine have taught.
Nothing leaves this machine."""

DOCTOR_HELP = """Say what Tacit found, what is missing and how to get it; then start Lean and check a small theorem.

--bundle writes a zip for a report of a fault: this report, versions, settings, limits, what is indexed, and the logs,
without your source, its names and whatever else is not Tacit's own. It lists what is in it, and sends nothing."""
DOCTOR_STATUS = """exit status:
  0    suggestions work
  3    they do not"""

UNINSTALL_HELP = """List all that Tacit has put on this machine, with sizes, and remove it once you say so: indexes,
encoders, fetched sources, models, memory, traces, logs, built wheels, and what the VS Code extension has set up.
Whatever else lies in these folders stays, no link is followed, and no project of yours is touched."""

DEMO_HELP = """Run the sidecar over the goals of a demo project, as an editor would, and show what it finds.
Without Lean, what a real Lean answered is replayed from recordings. Then search what there is: the project, the sources
of its Lean, Mathlib where the project has one or MATHLIB names its sources. The first run indexes them."""
DEMO_STATUS = """exit status:
  0    the demo ran, even if some goals stay open
  2    there is no demo project
  3    there is neither a Lean nor a recording of one
  130  interrupted"""

SEARCH_HELP = """Search the declarations of this project, its dependencies and Mathlib (MATHLIB names its sources).

Ask in English, LaTeX, Lean, a name or a part of one, a statement with holes ("_ + _ = _ + _", "?f ∘ ?g") or with
variables ("a + b = b + a"), or a goal, mixed freely. A QUESTION of "-" is read from standard input. Among the words may
stand, as often as you like:
  module:Mathlib.Order  in this module or below it
  kind:theorem          theorem (or lemma), def, instance, structure, class, inductive, constructor, field, axiom
  package:mathlib       of this package
Alone, they list what satisfies them."""
SEARCH_STATUS = """exit status:
  0    something was found
  1    nothing was
  2    nothing is indexed here, or the question is empty

--json prints a list, best first, of: name, kind, module, statement, doc, score, package, path, line (from 1)."""

INDEX_HELP = """Make what `tacit search` and suggestions look things up in. Without PATH: this project, its
dependencies, its Lean, and Mathlib where MATHLIB names its sources. Sources are enough; nothing is built or fetched.

  build        make the index anew
  update       read what has changed
  status       say what is indexed
  export       write indexes into one file, for other machines
  import       take them from such a file
  add-mathlib  fetch Mathlib's sources and index them
  remove       remove indexes

`tacit index ACTION --help` says more of each."""
INDEX_STATUS = """exit status:
  0    done
  1    (status) something is not indexed
  2    there are no Lean files, a file cannot be used, or the index cannot be written
  130  interrupted; the index is as it was

Indexes lie in $TACIT_CACHE, else in `tacit` in your cache folder. TACIT_LEAN_SOURCES names the sources of Lean itself
where they do not lie beside it; `off` leaves them out."""
EXPORT_HELP = """Write the indexes of the packages at PATH (default: of this project and what it depends on) into FILE,
with their vectors: one machine makes them, all others import them. Paths in it are relative."""
IMPORT_HELP = """Take the indexes in FILE for the packages of their names: those at PATH, else those of this project,
where the revision is the same. What FILE holds is checked before it takes the place of an index; then files that
differ here are read, known by their content and not by their times. A package that is not on this machine is
searched outside of projects."""
MATHLIB_HELP = """Fetch Mathlib's sources, some 100 MB, for a version of Lean and index them. Without --lean and
--revision this project says which: the commit in its lake-manifest.json, else the Lean in its lean-toolchain. Projects
without a Mathlib of their own are searched together with it. TACIT_MATHLIB_FROM is the same as --from."""
REMOVE_HELP = """Remove the index of the package at PATH, and its sources where Tacit fetched them; or every index whose
sources are gone or have another revision now, or which this version of Tacit cannot use."""

EVAL_HELP = """Say how good search, premises and proofs are.

  search FILE      ask every question of FILE, whose right answers are known: how often did they come first?
  premises [PATH]  ask for the premises of theorems of PATH (default: Mathlib, where MATHLIB names it, or this
                   project) whose proofs are known, and count which of those that the proofs name are found
  prove PATH…      prove the theorems of PATH anew (a Lean file, a project, a book in Markdown), in the ways of --ways,
                   side by side
  steps PATH…      take steps out of the proofs of PATH, each with what follows it, and count how often what is
                   suggested there does what the step did"""
EVAL_STATUS = """FILE is a JSON list of objects with `full_name`, the right answer, and questions: every text under a
key that begins with q. An answer that is not indexed counts as not found.

The theorems of `premises` are of files that took no part in fitting the ranking, a fifth of all by their names.

Ways to prove (--ways, a list with commas, or `all`): fixed, portfolio and one are one step with the fixed list of
tactics, with every source that needs no index, memory or model, and with every source; search, +premises, +memory and
+model are the search with the sources of portfolio, and with more of them each. No way knows the theorem's own proof,
what stands below it, or proofs of files that import its file. With --budget 60s what was closed within 10 s is told,
too; with --again FILE --log OTHER, only what the log FILE has open is tried."""

TRAIN_HELP = """Train tacit-tiny, the small model that proposes tactics, from scratch. Everything lies in FOLDER.

  data       gather examples from proofs: of this project, its dependencies and Mathlib, or of PATH
  tokenizer  train the tokenizer on them
  run        train the model, or go on with a run that was interrupted
  eval       measure it on held-out files
  export     write it as GGUF, for llama.cpp
  smoke      do all of this once, on little, to see that it works here (minutes on a CPU)

Needs the extra: pip install 'lean-tacit[train]'. `tacit train ACTION --help` says more of each."""
TRAIN_STATUS = """exit status:
  0    done
  2    a file or a setting cannot be used, or a library is missing
  130  interrupted; `tacit train run` goes on where its last checkpoint was written"""

MODELS_HELP = """The local models that propose tactics: GGUF files, run by llama.cpp on this machine. Nothing is ever
downloaded without `tacit models pull`.

  list    say which there are, which one is used, and which could be fetched
  add     put a GGUF that is on this machine on the list; it stays where it is
  pull    fetch one, by its name in the list or by its address; says its size and licence, and asks first
  use     let one propose tactics; `use off` for none
  remove  take it off the list; files that Tacit fetched or copied are removed
  test    let it write tactics for a goal, and say how fast

`tacit models ACTION --help` says more of each."""
MODELS_STATUS = """exit status:
  0    done
  1    (test) the model writes no tactic
  2    a file, a name or an address cannot be used, or nothing could be fetched
  130  interrupted; `tacit models pull` goes on where it stopped

Models lie in `models` in $TACIT_CACHE, else in `tacit/models` in your cache folder. Used is the one that the editor's
tacit.model.path names, else TACIT_MODEL, else `tacit models use`, else the one that comes with Tacit; `off` is none."""
ADD_HELP = """Put a GGUF on this machine on the list. It is looked at first. How it is asked goes by its name, or
--preset, or --template: a JSON file like an entry of tacit.model.templates, {"prompt": "…{state}…"}."""
PULL_HELP = """Fetch a GGUF: NAME of `tacit models list`, or any https address. Its size and SHA-256 are checked; what
was fetched once must be the same later. HF_ENDPOINT names a mirror of the hub. What broke off goes on where it was."""
TRY_HELP = """Load a model as an editor would, let it write tactics for a goal, and say how fast. On each line stand
the logarithm of a tactic's probability, its tokens, and the tactic. Lean is not asked whether it is right."""

MCP_HELP = """Serve one agent over the Model Context Protocol: the tools goal, suggest, check, prove and search.
Lean files below the FOLDERs may be named, and below those that the client says it works in; they are read and never
written.

Needs the extra: pip install 'lean-tacit[mcp]'."""
MCP_STATUS = """exit status:
  0    the client is gone
  2    a folder cannot be used, or the package mcp is missing"""

ERRORS = "\n\nWith --json, an error is {error: {kind, message, hint}}."


def main(argv: Sequence[str] | None = None, *, build: Build | None = None) -> int:
    """Run a command; the exit status. `build` makes the engine in the place of `tacit.server.compose`, for tests."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return BAD_INPUT
    from tacit.index.encoder import cache_folder
    from tacit.server import logs

    if arguments.command is not _serve:
        role, least = ("mcp", "info") if arguments.command is _mcp else ("command", "warning")
        terminal = logs.to_terminal(arguments.verbose)
        logs.begin(role, cache_folder() / logs.FOLDER, least=least, terminal=terminal, hooks=role == "mcp")
    try:
        status: int = arguments.command(arguments, build or _compose)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`tacit prove … | head`); the interpreter's last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        return _failed(error, arguments)
    finally:
        logs.end()
    return status


def _failed(error: Exception, arguments: argparse.Namespace) -> int:
    import sqlite3

    from tacit.server import logs
    from tacit.server.command import Interrupted
    from tacit.server.errors import LeanDied, LeanNotFound, TacitError
    from tacit.server.terminal import Terminal

    if isinstance(error, Interrupted):
        return error.status
    fault = not isinstance(error, TacitError | OSError | sqlite3.DatabaseError)
    if arguments.verbose or fault:
        logging.getLogger(f"tacit.server.{Path(__file__).stem}").error("what happened:", exc_info=error)
    if isinstance(error, TacitError):
        kind, message, hint = type(error).__name__, str(error.args[0]), error.hint
        status = NO_LEAN if isinstance(error, LeanNotFound | LeanDied) else BAD_INPUT
    elif isinstance(error, OSError) and error.strerror:
        what = f"{error.filename} cannot be used" if error.filename is not None else "This could not be done"
        kind, message, hint, status = "BadInput", f"{what}: {error.strerror}.", "", BAD_INPUT
    elif isinstance(error, sqlite3.DatabaseError):
        kind, message = "NotIndexed", f"An index cannot be read: {error}."
        hint, status = "Make it again with `tacit index build`.", BAD_INPUT
    else:
        kind, message = "Fault", f"Something went wrong inside Tacit: {type(error).__name__}: {error}."
        hint, status = logs.says_more("Run it again with -v to see where."), FAULT
    terminal = Terminal()
    if getattr(arguments, "json", False):
        terminal.json({"error": {"kind": kind, "message": message, "hint": hint}})
    terminal.error(f"{message} {hint}".rstrip())
    return status


# ---------------------------------------------------------------- commands


def _serve(arguments: argparse.Namespace, build: Build) -> int:
    from tacit.server.app import serve
    from tacit.server.memory_library import WorkspaceMemory

    del build
    memory = WorkspaceMemory() if arguments.replay is None else None

    def suggester(settings: Settings, premises: Any) -> Any:
        from tacit.server.compose import build_suggester

        named = replace(settings, lean_path=arguments.lean) if arguments.lean else settings
        if arguments.no_model:
            named = replace(named, model_path="off")
        if arguments.replay is None:
            return build_suggester(named, premises=premises, memory=memory)
        from tacit.server.demo_project import recordings

        return build_suggester(named, recordings=recordings(arguments.replay))

    level = logging.getLevelName(_level(arguments, logging.WARNING, logging.INFO))
    return serve(suggester, search=True, memory=memory, lean=arguments.lean, log_level=level)


def _mcp(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.mcp_command import serve_mcp

    def suggester(run: Any) -> Any:
        from tacit.server.compose import build_suggester
        from tacit.server.premise_library import LibraryPremises

        if arguments.replay is None:
            return build_suggester(_settings(arguments), premises=LibraryPremises(run))
        from tacit.server.demo_project import recordings

        return build_suggester(_settings(arguments), recordings=recordings(arguments.replay))

    return serve_mcp(suggester, arguments.folders, arguments.lean, _version())


def _suggest(arguments: argparse.Namespace, build: Build) -> int:
    from tacit.server.command import run_with
    from tacit.server.suggest_at import Place, suggest_at
    from tacit.server.terminal import Terminal

    place = Place.parse(arguments.place)
    return run_with(
        lambda: build(_settings(arguments)),
        lambda engine: suggest_at(
            engine, Terminal(), place, arguments.budget, limit=arguments.limit, as_json=arguments.json
        ),
    )


def _prove(arguments: argparse.Namespace, build: Build) -> int:
    from tacit.server.close_sorries import Wish, close_sorries
    from tacit.server.command import run_with
    from tacit.server.prove_project import prove_project
    from tacit.server.prover.wanted import ALTERNATIVES, Finish
    from tacit.server.terminal import Terminal

    path: Path = arguments.file
    # Whoever reads JSON can choose.
    others = ALTERNATIVES if arguments.alternatives or arguments.json else 0
    wish = Wish(
        arguments.budget,
        arguments.write,
        arguments.sketch,
        arguments.line,
        arguments.traces,
        arguments.jobs,
        Finish(arguments.simp_only, others, arguments.seed),
    )
    settings = replace(_settings(arguments), prove_workers=arguments.workers, prove_jobs=arguments.jobs)
    as_json: bool = arguments.json
    if path.expanduser().is_dir():
        log = arguments.log
        return run_with(
            lambda: build(settings),
            lambda engine: prove_project(engine, Terminal(), path, wish, log, as_json=as_json),
        )
    if arguments.log is not None:
        from tacit.server.errors import BadInput

        raise BadInput("--log is for folders.", hint="Use --json for one file.")
    return run_with(
        lambda: build(settings),
        lambda engine: close_sorries(engine, Terminal(), path, wish, as_json=as_json),
    )


def _traces(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server import traces_command as command
    from tacit.server.terminal import Terminal

    if arguments.action == "forget":
        return command.forget(Terminal())
    if arguments.action == "export":
        return command.export(Terminal(), arguments.paths, arguments.output, tries=arguments.tries)
    if arguments.action == "fit":
        return command.fit_weights(
            Terminal(), arguments.paths, arguments.held_out, arguments.output, as_json=arguments.json
        )
    return command.stats(Terminal(), arguments.paths, as_json=arguments.json)


def _doctor(arguments: argparse.Namespace, build: Build) -> int:
    from tacit.server.bundle import default_name
    from tacit.server.command import run_with
    from tacit.server.doctor import doctor
    from tacit.server.terminal import Terminal

    settings = _settings(arguments)
    if arguments.settings is not None:
        settings = _read_settings(arguments.settings, settings)
    folder = (arguments.folder or Path.cwd()).resolve()
    bundle = Path(arguments.bundle or default_name()).expanduser().absolute() if arguments.bundle is not None else None
    return run_with(
        lambda: build(replace(settings, model_path="off")),  # a large one would be loaded for a small theorem
        lambda engine: doctor(engine, Terminal(), settings, folder, _version(), as_json=arguments.json, bundle=bundle),
    )


def _uninstall(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server import logs
    from tacit.server.terminal import Terminal
    from tacit.server.uninstall_command import uninstall

    logs.end()  # it would write what is to go
    return uninstall(Terminal(), yes=arguments.yes, keep_mine=arguments.keep_mine, as_json=arguments.json)


def _read_settings(text: str, base: Settings) -> Settings:
    """Settings as an editor has them, as JSON; `-` reads them from standard input."""
    import json

    from tacit.server.errors import BadInput
    from tacit.server.settings import read_settings

    try:
        given = json.loads(sys.stdin.read() if text == "-" else text)
    except (ValueError, RecursionError) as error:
        raise BadInput("--settings is no JSON.", hint="It takes settings as an editor sends them.") from error
    return read_settings(given, base)[0]


def _demo(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.demo import Wish, demo
    from tacit.server.demo_recording import record
    from tacit.server.terminal import Terminal

    search = not arguments.no_search
    wish = Wish(arguments.path, arguments.limit, arguments.budget, arguments.replay, arguments.json, search)
    run: Callable[[Terminal, Settings, Wish], int] = record if arguments.record else demo
    return run(Terminal(), _settings(arguments), wish)


def _search(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.search_command import Ask, search
    from tacit.server.terminal import Terminal

    text = sys.stdin.read() if arguments.text == ["-"] else " ".join(arguments.text)
    within = tuple(arguments.within)
    ask = Ask(text, arguments.limit, within, arguments.json, arguments.usable_in, arguments.lean)
    return search(Terminal(), ask)


def _index(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.index_command import build_indexes, read_traced, show_status
    from tacit.server.terminal import Terminal

    if arguments.action == "status":
        return show_status(Terminal(), arguments.paths, as_json=arguments.json, lean=arguments.lean)
    return build_indexes(
        Terminal(),
        [*arguments.paths, *read_traced(Terminal(), arguments.traced)],
        anew=arguments.action == "build",
        vectors=not arguments.no_vectors,
        as_json=arguments.json,
        lean=arguments.lean,
    )


def _export(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.exchange_command import export_indexes
    from tacit.server.terminal import Terminal

    vectors = not arguments.no_vectors
    lean, as_json = arguments.lean, arguments.json
    return export_indexes(Terminal(), arguments.paths, arguments.output, lean=lean, vectors=vectors, as_json=as_json)


def _import(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.exchange_command import import_indexes
    from tacit.server.terminal import Terminal

    lean, as_json = arguments.lean, arguments.json
    return import_indexes(Terminal(), arguments.file, arguments.paths, lean=lean, as_json=as_json)


def _add_mathlib(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.mathlib_command import add_mathlib
    from tacit.server.terminal import Terminal

    return add_mathlib(
        Terminal(),
        lean=arguments.version,
        revision=arguments.revision,
        url=arguments.url,
        vectors=not arguments.no_vectors,
        as_json=arguments.json,
    )


def _remove(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server.remove_command import remove_indexes
    from tacit.server.terminal import Terminal

    return remove_indexes(Terminal(), arguments.paths, unused=arguments.all_unused, as_json=arguments.json)


def _eval(arguments: argparse.Namespace, build: Build) -> int:
    from tacit.server.errors import BadInput
    from tacit.server.terminal import Terminal

    if arguments.what == "prove":
        from tacit.server.command import run_with
        from tacit.server.eval_prove import Wish, evaluate_proofs
        from tacit.server.eval_ways import chosen

        ways = "+model" if arguments.search_only else arguments.ways
        wish = Wish(
            chosen(ways, _plain_sources()),
            arguments.budget,
            arguments.at_most,
            arguments.log,
            arguments.sorries,
            arguments.terms,
            arguments.again,
            arguments.traces,
            arguments.half or "",
        )
        sets = _eval_sets(arguments)
        return run_with(
            lambda: _measured(arguments, build),
            lambda engine: evaluate_proofs(engine, Terminal(), sets, wish, as_json=arguments.json),
        )
    if arguments.what == "steps":
        from tacit.server.command import run_with
        from tacit.server.eval_steps import evaluate_steps

        sets = _eval_sets(arguments)
        return run_with(
            lambda: _measured(arguments, build),
            lambda engine: evaluate_steps(
                engine, Terminal(), sets, arguments.budget, arguments.at_most, arguments.log, as_json=arguments.json
            ),
        )
    if arguments.what == "premises":
        from tacit.server.eval_premises import evaluate_premises

        paths = [*([arguments.file] if arguments.file else []), *arguments.within]
        return evaluate_premises(Terminal(), paths, arguments.sample, arguments.seed, as_json=arguments.json)
    if arguments.file is None:
        raise BadInput("Which questions?", hint="Name their file: `tacit eval search FILE`.")
    from tacit.server.eval_command import evaluate_search

    return evaluate_search(Terminal(), arguments.file, tuple(arguments.within), as_json=arguments.json)


def _eval_sets(arguments: argparse.Namespace) -> list[Path]:
    from tacit.server.errors import BadInput

    sets = [*([arguments.file] if arguments.file else []), *arguments.more]
    if not sets:
        raise BadInput("Which theorems?", hint=f"Name a Lean file or a folder: `tacit eval {arguments.what} PATH`.")
    return sets


def _measured(arguments: argparse.Namespace, build: Build) -> Engine:
    """An engine that does not know what it is measured on."""
    if build is not _compose:
        return build(_settings(arguments))
    from tacit.server.compose import build_suggester

    return build_suggester(_settings(arguments), folders=arguments.within, measured=True)


def _plain_sources() -> frozenset[str]:
    from tacit.server.compose import sources

    return frozenset(each.name for each in sources())


def _train(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server import train_command as command
    from tacit.server.terminal import Terminal

    terminal, action = Terminal(), arguments.action
    as_json: bool = getattr(arguments, "json", False)
    if action == "smoke":
        return command.train_smoke(terminal, arguments.paths, as_json=as_json)
    folder: Path = arguments.folder
    if action == "trace":
        from tacit.server.trace_command import train_trace

        return train_trace(terminal, _settings(arguments), folder, arguments.paths, as_json=as_json)
    if action == "data":
        workers = arguments.workers
        return command.train_data(terminal, folder, arguments.paths, arguments.traces, workers, as_json=as_json)
    if action == "tokenizer":
        return command.train_tokenizer(terminal, folder, arguments.size, as_json=as_json)
    if action == "eval":
        return command.train_eval(terminal, folder, arguments.sample, arguments.seed, as_json=as_json)
    if action == "export":
        return command.train_export(terminal, folder, arguments.output, arguments.type, as_json=as_json)
    wish = command.Wish(**{name: getattr(arguments, name) for name in command.Wish.__dataclass_fields__})
    return command.train_run(terminal, folder, wish, as_json=as_json)


def _models(arguments: argparse.Namespace, build: Build) -> int:
    del build
    from tacit.server import models_command as command
    from tacit.server.terminal import Terminal

    terminal, action = Terminal(), arguments.action
    as_json: bool = getattr(arguments, "json", False)
    if action == "pull":
        from tacit.server import models_pull

        return models_pull.pull(terminal, models_pull.Wish(**_wished(models_pull.Wish, arguments), as_json=as_json))
    if action == "test":
        from tacit.server.models_trial import try_model

        goal = sys.stdin.read() if arguments.goal == "-" else arguments.goal
        return try_model(terminal, arguments.name, goal, as_json=as_json)
    if action == "add":
        return command.add_model(terminal, command.Wish(**_wished(command.Wish, arguments), as_json=as_json))
    if action == "use":
        return command.use_model(terminal, arguments.name, as_json=as_json)
    if action == "remove":
        return command.remove_model(terminal, arguments.names, yes=arguments.yes, as_json=as_json)
    return command.list_models(terminal, as_json=as_json)


def _wished(kind: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in kind.__dataclass_fields__ if name != "as_json"}


def _compose(settings: Settings) -> ReadingEngine:
    from tacit.server.compose import build_suggester

    return build_suggester(settings)


def _settings(arguments: argparse.Namespace) -> Settings:
    from tacit.server.settings import Settings

    return Settings(
        lean_path=arguments.lean,
        model_path="off" if getattr(arguments, "no_model", False) else "",
        prove_learn=not getattr(arguments, "no_learn", False),
    )


# ---------------------------------------------------------------- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tacit", description=DESCRIPTION, formatter_class=_Help, add_help=False)
    _common(parser, lean="", verbose=0)
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    suggest = _command(commands, "suggest", "show checked tactics for one goal", SUGGEST_HELP, SUGGEST_STATUS + ERRORS)
    suggest.add_argument("place", metavar="FILE:LINE[:COL]")
    _budget(suggest, 10.0, "time for the goal")
    suggest.add_argument("--limit", type=_count, default=10, metavar="N", help="at most N suggestions (default: 10)")
    _no_model(suggest)
    suggest.set_defaults(command=_suggest)

    prove = _command(commands, "prove", "look for the proofs that are missing", PROVE_HELP, PROVE_STATUS + ERRORS)
    prove.add_argument("file", metavar="PATH", type=Path, help="a Lean file, or a folder")
    _budget(prove, 30.0, "time for each `sorry`")
    prove.add_argument("--write", action="store_true", help="write the file instead of showing the difference")
    unfinished = "put in unfinished proofs, too: as far as the search came, with `sorry` for what is left"
    prove.add_argument("--sketch", action="store_true", help=unfinished)
    only = "write `simp only [...]` with the lemmas that it needs, instead of `simp`"
    prove.add_argument("--simp-only", action="store_true", help=only)
    others = "look for other proofs, too, and show them; with --json they are told anyway"
    prove.add_argument("--alternatives", action="store_true", help=others)
    same = "make the search the same each time: nothing depends on what is quicker, and nothing is learned"
    prove.add_argument("--seed", type=int, metavar="S", help=same)
    prove.add_argument("--line", type=_count, metavar="N", help="only what stands on line N")
    at_once = "so many at a time, each with a Lean of its own: files of a folder, declarations of a file (default: 1)"
    prove.add_argument("--jobs", type=_count, default=1, metavar="N", help=at_once)
    more = "Leans for one `sorry`, where memory allows (default: 2 where there are more than two cores, else 1)"
    prove.add_argument("--workers", type=_count, metavar="N", help=more)
    prove.add_argument(
        "--log", type=Path, metavar="FILE", help="a line of JSON for each file of a folder as it is done"
    )
    prove.add_argument("--traces", type=Path, metavar="FILE", help="append all that was tried; see `tacit traces`")
    known = "judge goals as a new Tacit does, and learn nothing from these searches"
    prove.add_argument("--no-learn", action="store_true", help=known)
    _no_model(prove)
    prove.set_defaults(command=_prove)

    traces = _command(commands, "traces", "what searches for proofs tried", TRACES_HELP, ERRORS)
    traces.add_argument("action", choices=("stats", "export", "fit", "forget"))
    traces.add_argument("paths", metavar="FILE", type=Path, nargs="*", help="a file of traces, or a folder of them")
    written = "where pairs are written (default: shown), or weights"
    traces.add_argument("-o", "--output", metavar="FILE", type=Path, help=written)
    other = "(fit) traces of other theorems, to say how well the weights judge them"
    traces.add_argument("--held-out", metavar="FILE", type=Path, action="append", default=[], help=other)
    traces.add_argument("--tries", action="store_true", help="export all that was tried, with its verdict")
    traces.set_defaults(command=_traces)

    search = _command(commands, "search", "search Mathlib and your project", SEARCH_HELP, SEARCH_STATUS + ERRORS)
    search.add_argument("text", metavar="QUESTION", nargs="+")
    search.add_argument("--limit", type=_count, default=10, metavar="N", help="at most N answers (default: 10)")
    search.add_argument(
        "--usable-in", metavar="FILE[:LINE]", default="", help="only what FILE imports, or has above LINE"
    )
    _within(search)
    search.set_defaults(command=_search)

    index = _command(commands, "index", "make what search looks things up in", INDEX_HELP, INDEX_STATUS + ERRORS)
    index.set_defaults(command=_index)
    _index_actions(index.add_subparsers(metavar="ACTION", dest="action", required=True))

    evaluate = _command(
        commands, "eval", "measure how good search, premises and proofs are", EVAL_HELP, EVAL_STATUS + ERRORS
    )
    evaluate.add_argument(
        "what", metavar="search|premises|prove|steps", choices=("search", "premises", "prove", "steps")
    )
    evaluate.add_argument("file", metavar="FILE|PATH", type=Path, nargs="?", help="the questions; a package")
    evaluate.add_argument("--sample", type=_count, default=500, metavar="N", help="so many theorems (default: 500)")
    evaluate.add_argument("--seed", type=int, default=1, metavar="S", help="which theorems (default: 1)")
    evaluate.add_argument("more", metavar="PATH", type=Path, nargs="*", help="more sets, for `prove` and `steps`")
    _budget(evaluate, 10.0, "time for each theorem or step")
    evaluate.add_argument(
        "--at-most", type=_count, default=100, metavar="N", help="theorems or steps of each set (default: 100)"
    )
    evaluate.add_argument("--sorries", action="store_true", help="not the theorems of the sets, but their `sorry`s")
    evaluate.add_argument("--terms", action="store_true", help="theorems that are proved by a term, too")
    evaluate.add_argument(
        "--ways", default="one,+model", metavar="LIST", help="ways to prove (default: one,+model); see below"
    )
    evaluate.add_argument("--search-only", action="store_true", help="the same as --ways +model")
    evaluate.add_argument("--log", type=Path, metavar="FILE", help="a line of JSON for each theorem and way, or step")
    evaluate.add_argument("--again", type=Path, metavar="FILE", help="what this log has closed is not tried again")
    evaluate.add_argument("--traces", type=Path, metavar="FILE", help="append all that searches tried")
    halves = "only files of one half, by their names: the other is to learn from"
    evaluate.add_argument("--half", choices=("even", "odd"), help=halves)
    _no_model(evaluate)
    _within(evaluate)
    evaluate.set_defaults(command=_eval)

    train = _command(commands, "train", "train the small model that proposes tactics", TRAIN_HELP, TRAIN_STATUS)
    train.set_defaults(command=_train)
    _train_actions(train.add_subparsers(metavar="ACTION", dest="action", required=True))

    model = _command(commands, "models", "manage the local models that propose tactics", MODELS_HELP, MODELS_STATUS)
    model.set_defaults(command=_models)
    _models_actions(model.add_subparsers(metavar="ACTION", dest="action", required=True))

    doctor = _command(commands, "doctor", "say what works here and what does not", DOCTOR_HELP, DOCTOR_STATUS)
    doctor.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help="look from there (default: here)")
    doctor.add_argument(
        "--bundle",
        metavar="FILE",
        nargs="?",
        const="",
        help="write a zip for a report of a fault, and list what is in it",
    )
    doctor.add_argument("--settings", metavar="JSON", help="the settings of an editor; `-` reads them")
    doctor.set_defaults(command=_doctor)

    uninstall = _command(
        commands, "uninstall", "list all that Tacit has put on this machine, and remove it", UNINSTALL_HELP, ""
    )
    uninstall.add_argument("--yes", action="store_true", help="remove it, and do not ask")
    uninstall.add_argument(
        "--keep-mine", action="store_true", help="keep what your own work has made: models, memory, traces, weights"
    )
    uninstall.set_defaults(command=_uninstall)

    demo = _command(commands, "demo", "run Tacit over a project of demo goals", DEMO_HELP, DEMO_STATUS + ERRORS)
    demo.add_argument("path", metavar="PATH", type=Path, nargs="?", help="a project, or a file in it")
    _budget(demo, 10.0, "time for each goal")
    demo.add_argument("--limit", type=_count, metavar="N", help="only the first N goals")
    demo.add_argument("--replay", action="store_true", help="replay the recordings even if there is a Lean")
    demo.add_argument("--no-search", action="store_true", help="goals only: index nothing, search nothing")
    _no_model(demo)
    demo.add_argument("--record", action="store_true", help="record what Lean answers, for those who have none")
    demo.set_defaults(command=_demo)

    serve = _command(commands, "serve", "run the sidecar for an editor (LSP on standard input and output)", "", "")
    _no_model(serve)
    serve.add_argument("--replay", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    serve.add_argument("--stdio", action="store_true", help=argparse.SUPPRESS)  # editors add it by themselves
    serve.set_defaults(command=_serve)

    mcp = _command(commands, "mcp", "offer tools to agents (MCP on standard input and output)", MCP_HELP, MCP_STATUS)
    mcp.add_argument("folders", metavar="FOLDER", type=Path, nargs="*", help="(default: this folder)")
    _no_model(mcp)
    mcp.add_argument("--replay", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    mcp.set_defaults(command=_mcp)
    return parser


def _index_actions(actions: Any) -> None:
    """Parsers of their own, so that options may stand before PATH."""

    def action(name: str, text: str, command: Any = None) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(
            name, description=text, epilog=INDEX_STATUS + ERRORS, formatter_class=_Help, add_help=False
        )
        if command is not None:
            made.set_defaults(command=command)
        made.add_argument("-h", "--help", action="help", help="show this and exit")
        made.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more")
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
        return made

    def packages(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", metavar="PATH", type=Path, nargs="*", help="a package, or a folder of Lean files")

    def words_only(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--no-vectors", action="store_true", help="words only: ready sooner, finds less")

    for name in ("build", "update", "status"):
        each = action(name, INDEX_HELP)
        each.add_argument("--lean", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        packages(each)
        if name != "status":
            words_only(each)
            traced = "a repository that LeanDojo has traced (with the extra lean-tacit[dojo])"
            each.add_argument("--traced", metavar="PATH", type=Path, action="append", default=[], help=traced)
    export = action("export", EXPORT_HELP, _export)
    packages(export)
    export.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the file to write (ZIP)")
    words_only(export)
    import_ = action("import", IMPORT_HELP, _import)
    import_.add_argument("file", metavar="FILE", type=Path)
    packages(import_)
    mathlib = action("add-mathlib", MATHLIB_HELP, _add_mathlib)
    which = mathlib.add_mutually_exclusive_group()
    which.add_argument("--lean", dest="version", metavar="VERSION", default="", help="for this Lean, such as 4.27.0")
    which.add_argument("--revision", metavar="REV", default="", help="a tag, branch or commit of Mathlib")
    mathlib.add_argument("--from", dest="url", metavar="URL", default="", help="a git repository, or a .tar.gz")
    words_only(mathlib)
    remove = action("remove", REMOVE_HELP, _remove)
    packages(remove)
    remove.add_argument("--all-unused", action="store_true", help="every index that can answer nothing any more")


def _train_actions(actions: Any) -> None:
    def action(name: str, text: str, folder: str = "FOLDER") -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(
            name, description=text, epilog=TRAIN_STATUS, formatter_class=_Help, add_help=False
        )
        made.add_argument("-h", "--help", action="help", help="show this and exit")
        made.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more")
        if folder:
            made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
            about = "where everything of one model lies" if folder == "FOLDER" else "where they are written"
            made.add_argument("folder", metavar=folder, type=Path, help=about)
        return made

    packages: dict[str, Any] = {"metavar": "PATH", "type": Path, "nargs": "*", "help": "a package, or Lean files"}
    data = action("data", "Gather examples: a goal or an unfinished proof, and the tactic that comes next.")
    data.add_argument("paths", **packages)
    traces = "(goal, tactic) pairs that Lean accepted, as JSON Lines"
    data.add_argument("--traces", metavar="FILE", type=Path, action="append", default=[], help=traces)
    data.add_argument("--workers", type=_count, default=2, metavar="N", help="processes (default: 2)")
    trace = action("trace", "Ask Lean for the goals before the tactics of proofs, for `data --traces`.", "FILE")
    trace.add_argument("paths", **packages)
    words = action("tokenizer", "Train the tokenizer on the examples in FOLDER.")
    words.add_argument("--size", type=_count, default=8192, metavar="N", help="tokens (default: 8192)")
    run = action("run", "Train the model on the examples in FOLDER, or go on where the last checkpoint was written.")
    run.add_argument("--size", default="tiny-cpu", metavar="SIZE", help="smoke, tiny-cpu (default) or tiny")
    run.add_argument("--epochs", type=_positive, default=1.0, metavar="X", help="passes over the examples (default: 1)")
    run.add_argument("--steps", type=_count, default=0, metavar="N", help="so many steps instead")
    run.add_argument("--rows", type=_count, default=32, metavar="N", help="rows of a batch (default: 32)")
    run.add_argument("--at-once", type=_count, default=0, metavar="N", help="rows that fit in memory (default: all)")
    run.add_argument("--rate", type=_positive, default=1e-3, metavar="X", help="highest learning rate (default: 0.001)")
    run.add_argument("--seed", type=int, default=1, metavar="S", help="of weights and order (default: 1)")
    run.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="(default: a GPU if there is one)"
    )
    run.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"), help="of the arithmetic")
    run.add_argument("--threads", type=_count, default=0, metavar="N", help="threads (default: torch decides)")
    run.add_argument("--warm-up", type=_count, default=100, metavar="N", help="steps up to that rate (default: 100)")
    run.add_argument(
        "--compile",
        dest="compiled",
        action="store_true",
        help="compile the arithmetic first: a minute, then a quarter faster",
    )
    run.add_argument("--anew", action="store_true", help="leave the checkpoint that is there")
    evaluate = action("eval", "Measure the model in FOLDER on examples of held-out files.")
    evaluate.add_argument("--sample", type=_count, default=500, metavar="N", help="so many examples (default: 500)")
    evaluate.add_argument("--seed", type=int, default=1, metavar="S", help="which examples (default: 1)")
    export = action("export", "Write the model in FOLDER as GGUF.")
    export.add_argument("-o", "--output", metavar="FILE", type=Path, help="(default: FOLDER/tacit-tiny-TYPE.gguf)")
    export.add_argument("--type", default="Q8_0", metavar="TYPE", help="of the weights: Q8_0 (default), F16 or F32")
    smoke = action("smoke", "Do everything once, on little, in a folder that is removed.", "")
    smoke.add_argument("paths", **packages)


def _models_actions(actions: Any) -> None:
    def action(name: str, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(
            name, description=text, epilog=MODELS_STATUS + ERRORS, formatter_class=_Help, add_help=False
        )
        made.add_argument("-h", "--help", action="help", help="show this and exit")
        made.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more")
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
        return made

    def about(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--name", default="", metavar="NAME", help="what it is called here (default: as its file)")
        parser.add_argument("--preset", default="", metavar="PRESET", help="how it is asked (default: by its name)")
        parser.add_argument("--template", type=Path, metavar="FILE", help="how it is asked, in your own words (JSON)")
        parser.add_argument("--use", action="store_true", help="let it propose tactics from now on")

    action("list", "Say which models there are, which one is used, and which could be fetched.")
    add = action("add", ADD_HELP)
    add.add_argument("path", metavar="PATH", type=Path, help="a GGUF file")
    about(add)
    add.add_argument("--copy", action="store_true", help="copy it into Tacit's folder")
    pull = action("pull", PULL_HELP)
    pull.add_argument("what", metavar="NAME|URL")
    about(pull)
    pull.add_argument("--sha256", default="", metavar="HASH", help="the SHA-256 that it must have")
    pull.add_argument("--yes", action="store_true", help="do not ask")
    use = action("use", "Let a model propose tactics from now on: `off` is none, tacit-tiny comes with Tacit.")
    use.add_argument("name", metavar="NAME|off")
    remove = action("remove", "Take models off the list; files that Tacit fetched or copied are removed, others stay.")
    remove.add_argument("names", metavar="NAME", nargs="+")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    test = action("test", TRY_HELP)
    test.add_argument("name", metavar="NAME", nargs="?", default="", help="(default: the one that is used)")
    goal = "as Lean prints it, or its target alone; - reads it from standard input"
    test.add_argument("--goal", default="", metavar="GOAL", help=goal)


def _command(commands: Any, name: str, short: str, text: str, statuses: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=text or None, epilog=statuses or None, formatter_class=_Help, add_help=False
    )
    # Absent unless given, so that what stands before the command is kept.
    _common(parser, lean=argparse.SUPPRESS, verbose=argparse.SUPPRESS)
    if name not in ("serve", "mcp"):
        parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _common(parser: argparse.ArgumentParser, *, lean: str, verbose: int | str) -> None:
    parser.add_argument("-h", "--help", action="help", help="show this and exit")
    parser.add_argument("--lean", metavar="PATH", default=lean, help="the lean executable, or its toolchain's folder")
    parser.add_argument("-v", "--verbose", action="count", default=verbose, help="say more on standard error")


def _budget(parser: argparse.ArgumentParser, default: float, text: str) -> None:
    parser.add_argument(
        "--budget",
        type=_duration,
        default=default,
        metavar="TIME",
        help=f"{text}: 10s, 500ms, 2m (default: {default:g}s)",
    )


def _no_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-model", action="store_true", help="without the local model, whichever is used")


def _within(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--in", dest="within", metavar="PATH", type=Path, action="append", default=[], help="search the package at PATH"
    )


def _duration(text: str) -> float:
    from tacit.server.command import duration

    return duration(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26)


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"tacit {_version()}")
        parser.exit()


def _version() -> str:
    try:
        return version("lean-tacit")
    except PackageNotFoundError:
        return "(not installed)"


def _level(arguments: argparse.Namespace, *levels: int) -> int:
    verbose: int = arguments.verbose
    return levels[min(verbose, len(levels) - 1)]


if __name__ == "__main__":
    sys.exit(main())
