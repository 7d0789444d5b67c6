"""The models that a person has: which there are, where their files lie, which one is used. Loads and fetches nothing.

They lie in one folder, `models` in Tacit's cache folder, and are listed in its `models.json`. The list is changed under
a lock, written aside and renamed: several processes at once, or a kill at any moment, leave one that is whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tacit.index.encoder import cache_folder
from tacit.index.folders import make_folder
from tacit.server.errors import BadInput, TacitError
from tacit.server.model import gguf_file
from tacit.server.model.gguf_file import GgufFile
from tacit.server.model.presets import PRESETS, guess

VERSION = 1
OFF = "off"
SHIPPED = "tacit-tiny"
"""The model that comes with Tacit, under this name among the others."""
WEIGHTS = Path(__file__).parent / "model" / "weights" / "tacit-tiny.gguf"
LIST = "models.json"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,99}")
# They read text and write none; what comes beside a model that sees is no model either.
_WRITES_NOTHING = ("bert", "clip", "mmproj", "encoder", "wavtokenizer")


@dataclass(frozen=True, slots=True)
class Installed:
    """A model of the list. `file` is a path where a file was left where it is, else a name in the folder.

    `source` is where it came from, `size` bytes, `added` a time (ISO 8601). `template` is a person's own way to ask it,
    as it stands in settings; `preset` is its name then.
    """

    name: str
    file: str
    preset: str
    source: str = ""
    sha256: str = ""
    size: int = 0
    licence: str = ""
    added: str = ""
    template: dict[str, Any] | None = None

    @property
    def path(self) -> Path:
        """Where the file is."""
        return folder() / self.file

    @property
    def own(self) -> bool:
        """Whether the file is Tacit's to remove."""
        return not Path(self.file).is_absolute()


@dataclass(frozen=True, slots=True)
class Models:
    """The list. `used` is a name, `off`, or empty where nothing was chosen.

    `hashes` are the SHA-256 of what was fetched from each address: what it has later must be the same.
    """

    models: tuple[Installed, ...] = ()
    used: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Installed | None:
        """The model of this name."""
        return next((each for each in self.models if each.name == name), None)

    def having(self, model: Installed) -> Models:
        """With this model, in the place of one that had its name."""
        return replace(self, models=(*(each for each in self.models if each.name != model.name), model))

    def without(self, name: str) -> Models:
        """Without the model of this name; if it was used, nothing is chosen now."""
        left = tuple(each for each in self.models if each.name != name)
        return replace(self, models=left, used="" if self.used == name else self.used)


def folder() -> Path:
    """Where models lie. It need not be there."""
    return cache_folder() / "models"


def shipped() -> Installed | None:
    """The model that comes with Tacit, where it does."""
    try:
        size = WEIGHTS.stat().st_size
    except OSError:
        return None
    return Installed(SHIPPED, str(WEIGHTS), SHIPPED, "comes with Tacit", size=size, licence="Apache-2.0")


def find(name: str) -> Installed:
    """An installed model, the shipped one included. Raises BadInput."""
    found = read().find(name) or (shipped() if name == SHIPPED else None)
    if found is None:
        raise BadInput(f"There is no model {name}.", hint="`tacit models list` says which there are.")
    return found


def fit_name(name: str) -> str:
    """The name, if a model may have it. Raises BadInput."""
    if name in (SHIPPED, OFF):
        raise BadInput(f"A model cannot be called {name}: that has a meaning of its own.", hint="Say --name NAME.")
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"A model cannot be called {name!r}.", hint="Say --name NAME, of letters, digits, `.`, `_`, `+` and `-`."
        )
    return name


def examine(path: Path) -> GgufFile:
    """The head of a file that may be a model. Raises BadInput with a sentence where it cannot write tactics."""
    found = gguf_file.read(path)
    kind = found.metadata.get("general.type", "model")
    if kind != "model":
        raise BadInput(f"{path} is a GGUF file, but no model: it says that it is of the type {kind}.")
    if not found.parameters:
        raise BadInput(f"{path} holds no weights.", hint="It may be a vocabulary.")
    if not found.architecture:
        raise BadInput(f"{path} does not say of which architecture it is.", hint="It may hold no model.")
    parts = found.metadata.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise BadInput(
            f"{path} is one of {parts} parts of a model.", hint="Join them first: `llama-gguf-split --merge`."
        )
    if any(each in found.architecture for each in _WRITES_NOTHING):
        raise BadInput(f"{path} is of the architecture {found.architecture}, which writes no text.")
    return found


def preset_for(file: GgufFile, stem: str = "") -> str:
    """The preset of a model by the name of its file, else by what it calls itself."""
    found = guess(stem or file.path.stem)
    return found if found in PRESETS and found != "few-shot" else guess(file.name)


# ---------------------------------------------------------------- the list


def read() -> Models:
    """The list as it is now; empty where there is none. Raises BadInput where it cannot be read."""
    place = folder() / LIST
    try:
        raw = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Models()
    except OSError as error:
        raise BadInput(f"The list of models {place} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(place) from error
    if isinstance(raw, dict) and isinstance(raw.get("version"), int) and raw["version"] > VERSION:
        raise BadInput(f"The list of models {place} was written by a newer Tacit.", hint="Use that one, or remove it.")
    try:
        return _models(raw)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(place) from error


def change(edit: Callable[[Models], Models]) -> Models:
    """Change the list: `edit` gets it as it is, alone. Raises BadInput and TacitError."""
    place = folder() / LIST
    try:
        with _alone():
            models = edit(read())
            _write(place, models)
            return models
    except OSError as error:
        raise TacitError(
            f"The list of models {place} cannot be written: {error.strerror or error}.",
            hint="TACIT_CACHE names another folder.",
        ) from error


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for the right to write the list. The kernel gives it back, however this process ends."""
    make_folder(folder())
    lock = os.open(folder() / f"{LIST}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder().glob(f"{LIST}.*.new"):  # by one that was killed
            left.unlink(missing_ok=True)
        yield
    finally:
        os.close(lock)


def _write(place: Path, models: Models) -> None:
    growing = place.with_name(f"{LIST}.{os.getpid()}.new")
    value = {"version": VERSION, **asdict(models)}
    try:
        with growing.open("w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        growing.replace(place)
    except BaseException:
        with suppress(OSError):
            growing.unlink()
        raise


def _models(raw: dict[str, Any]) -> Models:
    hashes = {str(source): str(digest) for source, digest in raw.get("hashes", {}).items()}
    return Models(tuple(_installed(each) for each in raw["models"]), str(raw.get("used", "")), hashes)


def _installed(raw: dict[str, Any]) -> Installed:
    # A field of a Tacit to come is passed over; one of another type is damage.
    known = {each.name for each in fields(Installed)}
    made = Installed(**{name: value for name, value in raw.items() if name in known})
    texts = made.name, made.file, made.preset, made.source, made.sha256, made.licence, made.added
    if not all(isinstance(each, str) for each in texts) or not isinstance(made.size, int):
        raise TypeError
    if not _NAME.fullmatch(made.name):
        raise TypeError
    # What is removed with a model lies in the folder, whatever stands in the list.
    if not made.file or (made.own and Path(made.file).name != made.file) or not isinstance(made.template, dict | None):
        raise TypeError
    return made


def _damaged(place: Path) -> BadInput:
    return BadInput(
        f"The list of models {place} is damaged.", hint="Remove it; `tacit models add` takes the files beside it again."
    )
