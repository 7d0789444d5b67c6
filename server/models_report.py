"""What the commands about models share: a model as JSON, its digest, how it is to be asked, what to do with it next."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tacit.server import model_choice
from tacit.server.errors import BadInput
from tacit.server.model.presets import PRESETS, template
from tacit.server.models import Installed
from tacit.server.sandbox import NoSandbox, enclosed, wanted

LOOK = ("-P", "-m", "tacit.server.model.recognise")  # -P: no module is taken from the current folder
LOOK_SECONDS = 60.0
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """How a model is to be asked: the name of a preset (empty to guess it), and the template if it is one's own."""

    preset: str = ""
    template: dict[str, Any] | None = None


def how_asked(preset: str, file: Path | None) -> Asked:
    """Read what was said on the command line. `file` holds a template as it stands in settings. Raises BadInput."""
    if file is None:
        if preset and preset not in PRESETS:
            raise BadInput(
                f"There is no preset {preset!r}.",
                hint=f"There are {', '.join(PRESETS)}; --template FILE gives one of your own.",
            )
        return Asked(preset)
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"The template {file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise BadInput(f"The template {file} is not JSON: {error}.") from error
    name = preset or file.stem
    template(name, raw)
    return Asked(name, dict(raw))


def digest_of(path: Path, progress: Callable[[str, int, int], None]) -> str:
    """The SHA-256 of a file. Raises OSError."""
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            progress("reading, MB", file.tell() // 1_000_000, size // 1_000_000)
    return digest.hexdigest()


def millions(count: int) -> str:
    """A number of parameters as people read it: `0.2 M`, `28 M`, `7,616 M`."""
    return f"{count / 1e6:.1f} M" if count < 10_000_000 else f"{count / 1e6:,.0f} M"


def now() -> str:
    """The time, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def as_value(model: Installed, *, used: bool) -> dict[str, Any]:
    """A model as JSON."""
    return {
        "name": model.name,
        "path": str(model.path),
        "preset": model.preset,
        "source": model.source,
        "sha256": model.sha256,
        "size": model.size,
        "licence": model.licence,
        "added": model.added,
        "own": model.own,
        "there": model.path.is_file(),
        "used": used,
    }


def hint_to_use(name: str) -> str:
    """What to do with a model that was just put on the list."""
    use = f"`tacit models use {name}` lets it propose tactics"
    if not model_choice.can_run():
        return f"{use}; that takes llama-cpp-python. {model_choice.INSTALL}"
    return f"{use}, `tacit models test {name}` tries it."


def unknown_here(path: Path) -> str:
    """Why the llama.cpp that is installed cannot use a file; empty where it can, and where there is none.

    It is asked in a process of its own, as it ends the process for some files. One that does not answer says nothing.
    """
    if not model_choice.can_run():
        return ""
    from tacit.server.model.client import room

    command = [sys.executable, *LOOK, str(path)]
    try:
        if wanted(False):
            command = [*enclosed(room(path)), *command]
        done = subprocess.run(command, capture_output=True, timeout=LOOK_SECONDS, check=True)
        said = json.loads(done.stdout)
        return f"{said['sentence']} {said['hint']}".strip()
    except NoSandbox as error:
        return str(error)
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return ""
