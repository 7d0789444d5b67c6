"""`tacit models pull`: fetches a GGUF by its name in the catalogue or by its address, once a person has said yes.

Says the size, the licence, the room on the disk and whose word the SHA-256 is first. What is fetched is checked aside
and takes its place when it is whole; what was interrupted goes on where it stopped.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tacit.index.folders import make_folder
from tacit.server import download, models
from tacit.server.command import Exit, Interrupted, stop_cleanly
from tacit.server.errors import BadInput, TacitError
from tacit.server.model_sources import HASH, Source, is_from, look_up, name_of
from tacit.server.models import Installed
from tacit.server.models_report import as_value, digest_of, hint_to_use, how_asked, now, unknown_here
from tacit.server.terminal import Terminal, megabytes, sparing


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for. `what` is a name of the catalogue or an address; the other texts may be empty."""

    what: str
    sha256: str = ""
    name: str = ""
    preset: str = ""
    template: Path | None = None
    yes: bool = False
    use: bool = False
    as_json: bool = False


def pull(terminal: Terminal, wish: Wish) -> int:
    """Run the command."""
    stop_cleanly()
    given = wish.sha256.lower()
    if given and not HASH.fullmatch(given):
        raise BadInput(f"{wish.sha256!r} is no SHA-256.", hint="One has 64 digits, 0 to 9 and a to f.")
    asked_for = how_asked(wish.preset, wish.template)
    plain = name_of(wish.what)
    name = models.fit_name(wish.name or plain)
    if (here := _already(name, wish, given)) is not None:
        terminal.note(f"{name} is here already, in {here.path}.")
        return _done(terminal, here, wish)
    source = look_up(wish.what, name, given)
    target = _made(models.folder()) / f"{name}.gguf"
    with _alone(target):
        digest = _adopted(terminal, target, source)
        if not digest:
            _ask(terminal, source, target, wish)
            digest = _fetch(terminal, source, target, wish)
        found = models.examine(target)
        preset = asked_for.preset or source.preset or models.preset_for(found, source.file.removesuffix(".gguf"))
        model = Installed(
            name,
            target.name,
            preset,
            source.key,
            digest,
            found.size,
            source.licence or str(found.metadata.get("general.license", "")),
            now(),
            asked_for.template,
        )
        models.change(lambda old: replace(old.having(model), hashes={**old.hashes, source.key: digest}))
    if unknown := unknown_here(target):
        terminal.note(("→ ", "bold yellow"), unknown)
    return _done(terminal, model, wish)


def _already(name: str, wish: Wish, given: str) -> Installed | None:
    """The model where it is here. Raises BadInput where another one has its name."""
    here = models.read().find(name)
    if here is None:
        return None
    if not is_from(here.source, wish.what) or (given and given != here.sha256):
        raise BadInput(
            f"There is a model {name} already, from {here.source or here.path}.",
            hint=f"Give this one another name with --name, or `tacit models remove {name}` first.",
        )
    return here if here.path.is_file() else None


def _done(terminal: Terminal, model: Installed, wish: Wish) -> int:
    if wish.use:
        models.change(lambda old: replace(old, used=model.name))
    if wish.as_json:
        terminal.json(as_value(model, used=models.read().used == model.name))
    else:
        terminal.line((model.name, "bold"), f": {megabytes(model.size)}, preset {model.preset}, in {model.path}")
        if not wish.use:
            terminal.note(hint_to_use(model.name))
    return Exit.DONE


# ---------------------------------------------------------------- fetching


def _ask(terminal: Terminal, source: Source, target: Path, wish: Wish) -> None:
    """Say what it would be, and have it confirmed. Raises BadInput where nobody can, or says no."""
    size, part = source.wanted.size, _part(target)
    left = download.missing(source.wanted, part)
    free = download.check_room(target.parent, left)
    licence = source.licence or "not stated"
    lines = [
        f"{source.name}: {source.file}, {megabytes(size) if size else 'of a size not stated'}, licence: {licence}.",
        f"From {source.wanted.url}.",
        f"Into {target.parent}, where {megabytes(free)} are free."
        + (f" {megabytes(size - left)} of it are there already." if size and left < size else ""),
        f"Its SHA-256 must be {source.wanted.sha256}, {source.word}."
        if source.wanted.sha256
        else "Nobody states its SHA-256: what arrives is taken, and must be the same later.",
    ]
    if not wish.as_json:
        for line in lines:
            terminal.note(line)
    if wish.yes:
        return
    if wish.as_json or not terminal.interactive:
        raise BadInput(f"{source.name} was not fetched: nobody here can be asked.", hint="Say --yes.")
    if not terminal.ask("Fetch it?"):
        raise BadInput(f"{source.name} was not fetched.")


def _fetch(terminal: Terminal, source: Source, target: Path, wish: Wish) -> str:
    """Put the file in its place; its SHA-256."""
    part = _part(target)
    try:
        with terminal.measured(source.name) as progress:
            digest = download.fetch(source.wanted, part, sparing(progress))
    except (KeyboardInterrupt, Interrupted):
        again = f"`tacit models pull {wish.what}`"
        terminal.note(("→ ", "bold yellow"), f"Interrupted. {again} goes on where it stopped.")
        raise
    try:
        models.examine(part)
    except BadInput:
        download.forget(part)
        raise
    part.replace(target)
    download.forget(part)
    return digest


def _adopted(terminal: Terminal, target: Path, source: Source) -> str:
    """The SHA-256 of the file where one that was killed had fetched it and not put it on the list; else empty."""
    if not target.is_file():
        return ""
    with terminal.measured(source.name) as progress:
        digest = digest_of(target, sparing(progress))
    if digest != source.wanted.sha256:
        return ""
    download.forget(_part(target))
    return digest


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _made(folder: Path) -> Path:
    try:
        make_folder(folder)
    except OSError as error:
        raise TacitError(
            f"{folder} cannot be made: {error.strerror}.", hint="TACIT_CACHE names another folder."
        ) from error
    return folder


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the right to fetch this file. The kernel gives it back, however this process ends."""
    lock = os.open(target.with_name(f"{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TacitError(f"Another process is fetching {target.name}; wait for it.") from None
        yield
    finally:
        os.close(lock)
