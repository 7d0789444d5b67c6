"""Which model is used, or why none is: what the settings say, TACIT_MODEL, `tacit models use`, else the shipped one.

Looks at names and at what is installed; loads nothing, and imports no llama_cpp.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tacit.server import models
from tacit.server.errors import BadInput
from tacit.server.model.presets import guess, template
from tacit.server.model.prompts import Preset
from tacit.server.models import OFF, SHIPPED, Installed
from tacit.server.settings import Settings

VARIABLE = "TACIT_MODEL"
INSTALL = 'Install it with `pip install "lean-tacit[model]"`.'


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that is used. `path` is None where none is, and `sentence` says why; `hint` says what to do.

    `origin` is one of "settings", "environment", "use", "shipped" and "none"; `own` holds a person's own presets.
    """

    path: Path | None
    sentence: str
    hint: str = ""
    name: str = ""
    preset: str = ""
    origin: str = "none"
    own: Mapping[str, Preset] = field(default_factory=dict)


def can_run() -> bool:
    """Whether llama-cpp-python is installed, told without loading it."""
    return find_spec("llama_cpp") is not None


def choose(settings: Settings) -> Choice:
    """The model for these settings. Never raises: what is wrong is a sentence, and Tacit works without a model."""
    named = (("settings", settings.model_path, "tacit.model.path"), ("environment", os.environ.get(VARIABLE), VARIABLE))
    for origin, path, where in named:
        if path:
            if path.lower() == OFF:
                return Choice(None, f"No model is used: {where} says so.")
            return _file(Path(path).expanduser(), origin, where, settings)
    try:
        listed = models.read()
        if listed.used == OFF:
            return Choice(None, "No model is used: `tacit models use off` was said.")
        if listed.used:
            return _installed(models.find(listed.used), "use", settings)
    except BadInput as error:
        return Choice(None, f"No model is used: {error.sentence}", error.hint)
    shipped = models.shipped()
    if shipped is None:
        hint = "`tacit models list` says which can be had."
        return Choice(None, "No model is used: none was chosen, and none comes with this Tacit.", hint)
    if not can_run():
        return Choice(None, "No model is used: llama-cpp-python is not installed.", INSTALL)
    return _installed(shipped, "shipped", settings)


def of(installed: Installed, settings: Settings) -> Choice:
    """This model, whichever is chosen."""
    return _installed(installed, "use", settings)


def _file(path: Path, origin: str, where: str, settings: Settings) -> Choice:
    preset = settings.model_preset or guess(path.stem)
    own = {each.name: each for each in settings.model_templates}
    return Choice(path, f"{path}, as {where} says.", "", path.stem, preset, origin, own)


def _installed(model: Installed, origin: str, settings: Settings) -> Choice:
    own = {each.name: each for each in settings.model_templates}
    if model.template is not None:
        own.setdefault(model.preset, template(model.preset, model.template))
    why = "which comes with Tacit" if model.name == SHIPPED else "as `tacit models use` says"
    return Choice(
        model.path, f"{model.name}, {why}.", "", model.name, settings.model_preset or model.preset, origin, own
    )
