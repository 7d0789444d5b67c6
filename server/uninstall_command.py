"""`tacit uninstall`: lists all that Tacit has put on this machine, with sizes, and removes it when told to.

Only what Tacit makes goes: known names in known folders. Whatever else lies there stays, and is named. No link is
followed: one that lies in the place of something of Tacit's is removed itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tacit.index.encoder import cache_folder, default_cache_folder
from tacit.index.places import ABOUT
from tacit.server import logs
from tacit.server.command import Exit
from tacit.server.models import LIST
from tacit.server.terminal import Terminal, megabytes

EXTENSION = "lean-tacit.tacit"
MANAGED = ("sidecar", "sidecar.ready", "sidecar.lock")
EDITORS = ("Code", "Code - Insiders", "Code - OSS", "VSCodium", "Cursor", "Windsurf")


def _holds(*files: str) -> Callable[[Path], bool]:
    return lambda folder: any((folder / each).is_file() for each in files)


def _is_listed(model: Path) -> bool:
    """Whether the list of models says that Tacit put the file there; others may be the user's."""
    try:
        listed = json.loads((model.parent / LIST).read_text(encoding="utf-8"))["models"]
        return any(each["file"] == model.name for each in listed)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _always(_: Path) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """What Tacit keeps in one place of its cache folder: names that it gives (regular expressions), and how to be sure.

    `mine`: the user's own work made it, and nothing makes it again.
    """

    folder: str
    what: str
    names: str
    sure: Callable[[Path], bool] = _always
    mine: bool = False


KINDS = (
    Kind("index", "indexes", r"\.?.+-[0-9a-f]{12}\.(db([.-].*)?|uses(\..*)?|vectors)"),
    Kind("encoders", "encoders made ready", r"\.?[0-9a-f]{16}\.onnx(\..*)?"),
    Kind("sources", "sources of Mathlib that were fetched", r"mathlib-.+", _holds(ABOUT)),
    Kind("sources", "what is left of fetching them", r"\.lock|\.fetching-.+"),
    Kind("traced", "what LeanDojo has traced", r".+-[0-9a-f]{12}", _holds("corpus.jsonl")),
    Kind("wheels", "llama.cpp as it was built", r"llama-cpp-python-.+"),
    Kind(logs.FOLDER, "logs", r"[a-z]+-\d{8}T\d{6}-\d+\.log(\.\d)?"),
    Kind("models", "the list of models", r"models\.json(\..*)?", mine=True),
    Kind("models", "models", r".+\.gguf", _is_listed, mine=True),
    Kind("models", "what was fetched of models so far", r".+\.gguf\.(part|part\.json|copying|lock)"),
    Kind("memory", "suggestions that you took", r".+-[0-9a-f]{12}\.jsonl(\..*)?", mine=True),
    Kind("traces", "traces of searches", r"\d{4}-\d{2}\.jsonl", mine=True),
    Kind("", "what searches have taught", r"experience\.json(\..*)?", mine=True),
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something to remove. `bytes` as on the disk listed; a link counts as itself."""

    path: str
    what: str
    files: int
    bytes: int
    mine: bool = False


def uninstall(terminal: Terminal, *, yes: bool, keep_mine: bool, as_json: bool = False) -> int:
    """Run the command. Without `yes` a person is asked; where none can be, nothing is removed."""
    caches = list(dict.fromkeys((cache_folder(), default_cache_folder())))
    found = [*(item for cache in caches for item in _items(cache)), *_environments(os.environ, Path.home())]
    chosen = [each for each in found if not (keep_mine and each.mine)]
    if not as_json:
        _show(terminal, chosen, found)
    wanted = bool(chosen) and (yes or (not as_json and terminal.interactive and terminal.ask("Remove all of this?")))
    failed = _remove_all(chosen) if wanted else []
    if wanted:
        for cache in caches:
            _tidy(cache)
    left = [str(path) for cache in caches for path in _foreign(cache)]
    if as_json:
        removed = [asdict(each) for each in chosen if wanted and each.path not in dict(failed)]
        items = [asdict(each) for each in chosen]
        terminal.json({"found": items, "removed": removed, "failed": dict(failed), "left": left})
    else:
        _tell(terminal, chosen, failed, left, wanted=wanted)
    return Exit.BAD_INPUT if failed else Exit.DONE


def _show(terminal: Terminal, chosen: list[Item], found: list[Item]) -> None:
    groups: dict[tuple[str, str], list[Item]] = {}
    for each in chosen:
        groups.setdefault((each.what, str(Path(each.path).parent)), []).append(each)
    for (what, folder), some in groups.items():
        size = megabytes(sum(each.bytes for each in some))
        where = some[0].path if len(some) == 1 else f"{len(some)} in {folder}"
        terminal.line((f"{size:>10}  ", "bold"), f"{what}: ", (where, "dim"))
    if kept := len(found) - len(chosen):
        terminal.note(f"{kept} more {'is' if kept == 1 else 'are'} your own work, and kept.")
    if chosen:
        terminal.line((f"{megabytes(sum(each.bytes for each in chosen)):>10}", "bold"), "  in all")


def _tell(
    terminal: Terminal, chosen: list[Item], failed: list[tuple[str, str]], left: list[str], *, wanted: bool
) -> None:
    if not chosen:
        terminal.line("Tacit has left nothing on this machine.")
    elif not wanted:
        terminal.line("Nothing was removed. `tacit uninstall --yes` removes it; close your editors before.")
    for path, why in failed:
        terminal.error(f"{path} could not be removed: {why}.")
    if wanted:
        terminal.line(f"Removed {len(chosen) - len(failed)} of {len(chosen)}.")
        for each in left:
            terminal.line(f"Left: {each}, which is not Tacit's.")
    terminal.line("Then uninstall the extension Tacit in your editor, and the program: `pip uninstall lean-tacit`.")


# ---------------------------------------------------------------- what there is


def _items(cache: Path) -> Iterator[Item]:
    if _is_link(cache) or not cache.is_dir():
        return
    for kind in KINDS:
        for path in _children(cache / kind.folder if kind.folder else cache):
            if re.fullmatch(kind.names, path.name) and _is_ours(path, kind):
                yield _item(path, kind.what, mine=kind.mine)


def _is_ours(path: Path, kind: Kind) -> bool:
    return kind.sure is _always or _is_link(path) or kind.sure(path)


def _environments(environment: Mapping[str, str], home: Path) -> Iterator[Item]:
    """What the extension has set up in the storage of each editor that there is."""
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    base = home / "Library" / "Application Support" if sys.platform == "darwin" else config
    editors = [base / each for each in EDITORS]
    editors += [home / each / "data" for each in (".vscode-server", ".vscode-server-insiders", ".vscodium-server")]
    editors.append(data / "code-server")
    for editor in editors:
        storage = editor / "User" / "globalStorage" / EXTENSION
        if not _is_link(storage):
            for name in MANAGED:
                if _exists(storage / name):
                    yield _item(storage / name, "the sidecar that the extension set up")


def _foreign(cache: Path) -> Iterator[Path]:
    """What is still in the folder, down to the folders of the kinds."""
    if _is_link(cache):
        yield cache
        return
    kinds = {kind.folder for kind in KINDS} - {""}
    for path in _children(cache):
        if path.name not in kinds or _is_link(path):
            yield path
        else:
            yield from _children(path)


def _item(path: Path, what: str, *, mine: bool = False) -> Item:
    files, size = 0, 0
    for each in _below(path):
        with suppress(OSError):
            size += each.lstat().st_size
            files += 1
    return Item(str(path), what, files, size, mine)


def _below(path: Path) -> Iterator[Path]:
    """The file, the link, or every file and link below a folder."""
    if _is_link(path) or not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, followlinks=False):
        yield from (Path(folder) / name for name in names)
        yield from (Path(folder) / name for name in folders if _is_link(Path(folder) / name))


def _children(folder: Path) -> list[Path]:
    """What lies in a folder that is no link; nothing where it cannot be read."""
    if _is_link(folder):
        return []
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_link(path: Path) -> bool:
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except OSError:
        return False


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


# ---------------------------------------------------------------- removing


def _remove_all(items: list[Item]) -> list[tuple[str, str]]:
    """Remove them; what could not be, with the reason."""
    failed = []
    for each in items:
        try:
            _remove(Path(each.path))
        except OSError as error:
            failed.append((each.path, error.strerror or type(error).__name__))
    return failed


def _remove(path: Path) -> None:
    if not _is_link(path) and path.is_dir():
        shutil.rmtree(path)  # it removes links and does not follow them
    else:
        path.unlink(missing_ok=True)


def _tidy(cache: Path) -> None:
    """Remove folders that are empty now."""
    if _is_link(cache):
        return
    for folder in (*{cache / kind.folder for kind in KINDS if kind.folder}, cache):
        if not _is_link(folder):
            with suppress(OSError):
                folder.rmdir()
