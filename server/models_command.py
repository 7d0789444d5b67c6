"""`tacit models list|add|use|remove`: what models there are, and which one proposes tactics. Fetches nothing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tacit.index.folders import make_folder
from tacit.server import download, models
from tacit.server.command import Exit, stop_cleanly
from tacit.server.errors import BadInput, TacitError
from tacit.server.model_catalogue import CATALOGUE
from tacit.server.model_choice import INSTALL, can_run, choose
from tacit.server.models import OFF, SHIPPED, Installed, Models
from tacit.server.models_report import as_value, digest_of, hint_to_use, how_asked, millions, now, unknown_here
from tacit.server.settings import Settings
from tacit.server.terminal import GOOD, SKIPPED, STYLES, Terminal, megabytes, sparing


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked `add` for. Texts may be empty."""

    path: Path
    name: str = ""
    preset: str = ""
    template: Path | None = None
    copy: bool = False
    use: bool = False
    as_json: bool = False


# ---------------------------------------------------------------- list


def list_models(terminal: Terminal, *, as_json: bool) -> int:
    """Say what is here, what is used, and what could be fetched."""
    listed = models.read()
    shipped = models.shipped()
    here = [*([shipped] if shipped is not None else []), *listed.models]
    choice = choose(Settings())
    names = {each.name for each in here}
    rest = [each for each in CATALOGUE.values() if each.name not in names]
    if as_json:
        used = {"name": choice.name, "path": str(choice.path or ""), "preset": choice.preset, "origin": choice.origin}
        said = {"sentence": choice.sentence, "hint": choice.hint}
        terminal.json(
            {
                "folder": str(models.folder()),
                "used": {**used, **said},
                "installed": [as_value(each, used=_is_used(each, choice.path)) for each in here],
                "unfinished": _unfinished(),
                "available": [
                    {
                        "name": each.name,
                        "preset": each.preset,
                        "repository": each.repository,
                        "file": each.file,
                        "size": each.size,
                        "licence": each.licence,
                        "sha256": each.sha256,
                        "about": each.about,
                    }
                    for each in rest
                ],
            }
        )
        return Exit.DONE
    width = max((len(each) for each in (*names, *(each.name for each in rest))), default=0)
    for each in here:
        mark = GOOD if _is_used(each, choice.path) else " "
        terminal.line((f"{mark} ", STYLES[GOOD]), (f"{each.name:<{width}}", "bold"), f"  {_about(each)}")
    for part in _unfinished():
        said_of = f"{part['name']}  {megabytes(part['bytes'])} fetched so far: `tacit models pull` goes on"
        terminal.line((f"{SKIPPED} {said_of}", "dim"))
    if rest:
        terminal.line(("Could be fetched, with `tacit models pull NAME`:", "dim"))
    for item in rest:
        about = f"{megabytes(item.size):>7}  {item.about}; licence: {item.licence}"
        terminal.line(f"  {item.name:<{width}}  ", (about, "dim"))
    if choice.path is None:
        hint = "" if "tacit models list" in choice.hint else f" {choice.hint}"
        terminal.note(f"{choice.sentence}{hint}".rstrip())
    else:
        lacks = "" if can_run() else f" That takes llama-cpp-python, which is not installed. {INSTALL}"
        terminal.note(f"Used: {choice.sentence}{lacks}")
    return Exit.DONE


def _is_used(model: Installed, path: Path | None) -> bool:
    return path is not None and model.path == path


def _about(model: Installed) -> str:
    if not model.path.is_file():
        return f"{model.path} is gone; `tacit models remove {model.name}` takes it off the list"
    licence = f", licence: {model.licence}" if model.licence else ""
    return f"{megabytes(model.size):>7}  preset {model.preset}{licence}, {model.path}"


def _unfinished() -> list[dict[str, Any]]:
    parts = sorted(models.folder().glob("*.gguf.part"))
    return [{"name": each.name.removesuffix(".gguf.part"), "bytes": each.stat().st_size} for each in parts]


# ---------------------------------------------------------------- add


def add_model(terminal: Terminal, wish: Wish) -> int:
    """Put a GGUF on this machine on the list; it stays where it is unless it is to be copied."""
    stop_cleanly()
    asked_for = how_asked(wish.preset, wish.template)
    path = Path.cwd() / wish.path.expanduser()
    file = models.examine(path)
    if unknown := unknown_here(path):
        raise BadInput(unknown)
    name = models.fit_name(wish.name or path.name.removesuffix(".gguf"))
    with terminal.measured(name) as progress:
        digest = digest_of(path, sparing(progress))
    model = Installed(
        name,
        str(path),
        asked_for.preset or models.preset_for(file),
        str(path) if wish.copy else "",
        digest,
        file.size,
        str(file.metadata.get("general.license", "")),
        now(),
        asked_for.template,
    )
    here = models.read().find(name)
    if here is not None and path not in (here.path, Path(here.source)):
        raise BadInput(
            f"There is a model {name} already, {here.path}.",
            hint=f"Give this one another name with --name, or `tacit models remove {name}` first.",
        )
    if wish.copy:
        model = replace(model, file=_copied(path, name))
    elif here is not None and here.own and path == here.path:  # one that Tacit fetched: asked in another way now
        model = replace(model, file=here.file, source=here.source, licence=here.licence)
    models.change(lambda old: replace(old.having(model), used=name if wish.use else old.used))
    if wish.as_json:
        terminal.json(as_value(model, used=models.read().used == name))
        return Exit.DONE
    parameters = f", {millions(file.parameters)} parameters" if file.parameters else ""
    terminal.line(
        (name, "bold"),
        f": {file.architecture}{parameters}, {megabytes(file.size)}, preset {model.preset}, {model.path}",
    )
    if not wish.use:
        terminal.note(hint_to_use(name))
    return Exit.DONE


def _copied(path: Path, name: str) -> str:
    """Copy a file into the folder, aside first; its name there."""
    target = models.folder() / f"{name}.gguf"
    growing = _growing(target)
    try:
        make_folder(models.folder())
        download.check_room(models.folder(), path.stat().st_size)
        try:
            shutil.copyfile(path, growing)
            growing.replace(target)
        except BaseException:
            growing.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TacitError(f"{path} was not copied to {target}: {error.strerror or error}.") from error
    return target.name


def _growing(target: Path) -> Path:
    return target.with_name(f"{target.name}.copying")


# ---------------------------------------------------------------- use, remove


def use_model(terminal: Terminal, name: str, *, as_json: bool) -> int:
    """Let a model propose tactics from now on; none with `off`."""
    if name != OFF:
        models.examine(models.find(name).path)
    models.change(lambda old: replace(old, used=name))
    choice = choose(Settings())
    if as_json:
        terminal.json({"used": name, "path": str(choice.path or ""), "sentence": choice.sentence, "hint": choice.hint})
        return Exit.DONE
    if name == OFF:
        terminal.line("No model proposes tactics from now on.")
    else:
        terminal.line((name, "bold"), " proposes tactics from now on.")
        if not can_run():
            terminal.note(f"That takes llama-cpp-python, which is not installed. {INSTALL}")
    terminal.note("Editors take it up when Tacit starts there the next time.")
    if choice.origin == "environment" or "TACIT_MODEL" in choice.sentence:
        terminal.note(("→ ", "bold yellow"), f"Here TACIT_MODEL goes before. {choice.sentence}")
    return Exit.DONE


def remove_model(terminal: Terminal, names: Sequence[str], *, yes: bool, as_json: bool) -> int:
    """Take models off the list, and remove the files that Tacit fetched or copied."""
    listed = models.read()
    report = []
    for name in names:
        if name == SHIPPED:
            raise BadInput(f"{name} comes with Tacit and stays.", hint="`tacit models use off` leaves it out.")
        model = listed.find(name)
        files = _own_files(models.fit_name(name) if model is None else name, model)
        if model is None and not files:
            raise BadInput(f"There is no model {name}.", hint="`tacit models list` says which there are.")
        size = sum(each.stat().st_size for each in files)
        if files and not yes:
            question = f"Remove {', '.join(each.name for each in files)} ({megabytes(size)}) in {models.folder()}?"
            if as_json or not terminal.interactive:
                raise BadInput(f"{name} was not removed: nobody here can be asked.", hint="Say --yes.")
            if not terminal.ask(question):
                raise BadInput(f"{name} was not removed.")
        # The list first: a file that is on it is always there.
        models.change(partial(Models.without, name=name))
        for each in files:
            _unlink(each)
        left = str(model.path) if model is not None and not model.own else ""
        report.append({"name": name, "bytes": size, "removed": [str(each) for each in files], "left": left})
        if not as_json:
            said = f"removed, {megabytes(size)}" if files else f"taken off the list; its file stays: {left}"
            terminal.line((name, "bold"), f": {said}")
    if as_json:
        terminal.json(report)
    return Exit.DONE


def _own_files(name: str, model: Installed | None) -> list[Path]:
    """What Tacit has of a model in its folder: the file, or what was fetched of it."""
    file = models.folder() / f"{name}.gguf"
    some = [file.with_name(f"{file.name}.part"), _growing(file)]
    if model is None or model.own:
        some.insert(0, model.path if model is not None else file)
    return [each for each in some if each.is_file()]


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
        with suppress(OSError):
            file.with_name(f"{file.name}.json").unlink()
    except OSError as error:
        raise TacitError(f"{file} was not removed: {error.strerror or error}.") from error
