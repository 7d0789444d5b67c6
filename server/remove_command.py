"""`tacit index remove`: takes away indexes that are named, or all that can answer nothing any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tacit.index.build import alone, remove_store
from tacit.index.places import fetched, indexes
from tacit.index.store import Busy, NewerIndex, Store, StoreError, is_newer
from tacit.index.uses import uses_file
from tacit.retrieval.analysis import VERSION
from tacit.server.command import Exit
from tacit.server.errors import BadInput, TacitError
from tacit.server.library import vectors_folder
from tacit.server.terminal import Terminal, megabytes


@dataclass(frozen=True, slots=True)
class Found:
    """An index in the cache. `root` is None where it cannot be read, or has no sources here."""

    index: Path
    package: str
    root: Path | None
    why: str = ""
    """Why nobody needs it; empty where somebody may."""


def remove_indexes(terminal: Terminal, paths: Sequence[Path], *, unused: bool, as_json: bool = False) -> int:
    """Remove the indexes of the packages at these paths, or those without a use; DONE where there is none such."""
    if bool(paths) == unused:
        raise BadInput("Say what to remove.", hint="Name a package's folder, or say --all-unused.")
    found = list(_found())
    chosen = [each for each in found if each.why] if unused else [one for path in paths for one in _at(path, found)]
    report = []
    for each in dict.fromkeys(chosen):
        size = _size(each.index)
        try:
            with alone(each.index):
                _remove(each.index)
                if not unused and each.root is not None and each.root.parent == fetched():
                    size += _size(each.root)
                    shutil.rmtree(each.root)
        except Busy as error:
            terminal.note(("→ ", "bold yellow"), str(error))
            continue
        except StoreError as error:
            raise TacitError(f"{each.index} was not removed. {error}") from error
        except OSError as error:
            raise TacitError(f"{each.index} was not removed: {error.strerror}.") from error
        report.append({"package": each.package, "root": str(each.root or ""), "index": str(each.index), "bytes": size})
        if not as_json:
            reason = f" ({each.why})" if each.why else ""
            terminal.line((each.package, "bold"), f": removed {megabytes(size)}{reason}")
    if as_json:
        terminal.json(report)
    elif not report:
        terminal.note("There is nothing to remove.")
    return Exit.DONE


def _at(path: Path, found: Sequence[Found]) -> list[Found]:
    place = path.resolve()
    roots = {place, *([place.parent] if place.name == "Mathlib" else [])}
    some = [each for each in found if each.root in roots or each.index.resolve() == place]
    if not some:
        raise BadInput(f"There is no index of {path}.", hint="`tacit index status` says where indexes are.")
    return some


def _found() -> Iterator[Found]:
    """Every index, the newest first: of several of one folder, the others are of revisions that it had before."""
    seen: set[tuple[str, Path]] = set()
    for index in sorted(indexes(), key=lambda each: -each.stat().st_mtime):
        try:
            store = Store.open(index)
        except NewerIndex:
            yield Found(index, index.stem, None)
            continue
        except StoreError:
            yield Found(index, index.stem, None, "this version of Tacit cannot read it")
            continue
        try:
            said = store.manifest()
        finally:
            store.close()
        root = Path(said.root) if said.root else None
        why = ""
        if is_newer(said.analysis, VERSION):
            pass  # another Tacit on this machine uses it
        elif said.analysis != VERSION:
            why = "this version of Tacit cannot use it"
        elif root is not None and not root.exists():
            why = f"{root} is gone"
        elif root is not None and (said.package, root) in seen:
            why = f"of another revision than {root} has now"
        if root is not None and not why:
            seen.add((said.package, root))
        yield Found(index, said.package, root, why)
    for folder in {each.parent for each in indexes()}:
        for vectors in folder.glob("*.vectors"):
            if not vectors.with_suffix(".db").exists():
                yield Found(vectors.with_suffix(".db"), vectors.stem, None, "vectors without an index")


def _remove(index: Path) -> None:
    """The words first: vectors alone answer nothing."""
    remove_store(index)
    remove_store(index.with_name(index.name + ".new"))
    uses_file(index).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        shutil.rmtree(vectors_folder(index))


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    some = [*path.parent.glob(f"{path.name}*"), uses_file(path), *vectors_folder(path).glob("*")]
    return sum(each.stat().st_size for each in some if each.is_file())
