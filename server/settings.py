"""What the user can set, and reading it out of what an editor sends. Nothing else.

Editors send settings nested (`{"suggest": {"budget": 5}}`) or dotted (`{"suggest.budget": 5}`), with or without the
section name `tacit` around them. A key that is not here is the editor's own and is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tacit.server.errors import BadInput
from tacit.server.logs import LEVELS
from tacit.server.model.presets import template
from tacit.server.model.prompts import Preset

SECTION = "tacit"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. An empty `lean_path` means: find it.

    `lean_memory_mib` limits the address space of a Lean process: None leaves the limit to Tacit (three quarters of the
    machine's memory, at least 12 GiB), 0 sets none. `lean_file_mib` is how large a file it may write, 0 sets no limit.
    `sandbox`: `on` has Lean and the model run in one, or not at all.

    `suggest_budget` is seconds for one request. `inline_wait` is how many seconds ghost text waits for a closing
    tactic before it shows one that only makes progress; `action_wait` how many a list of code actions waits.
    `action_closes`: *Close this goal* is one of them, for editors that have no key or menu of their own for it.

    `model_path` is the GGUF of a local model, `off` for none, empty for the one that `model_choice` finds;
    `model_preset` is how it is asked, empty to go by its name; `model_context` the tokens of a prompt with its answer;
    `model_templates` are presets of the user's own.

    `prove_budget` is seconds for closing one goal. `prove_traces`: what a search for a proof tries is kept in a file on
    this machine. `prove_workers` is how many Leans one search may have; None leaves it to Tacit, which goes by
    processors and memory. `prove_jobs` is how many searches a command makes at once; an editor makes one.
    `prove_learn`: judging goals is learned from the searches on this machine, as numbers in the cache folder.
    `prove_simp_only`: a proof that a search finds has `simp only` in the place of `simp`.

    `log_level` is what is written to the log of the sidecar and more: `off`, `error`, `warning`, `info` or `debug`;
    empty leaves it to TACIT_LOG, else to Tacit.

    `index_automatic`: the sources of a workspace and of what it depends on are indexed in the background, for search.
    """

    lean_path: str = ""
    lean_args: tuple[str, ...] = ()
    lean_memory_mib: int | None = None
    suggest_budget: float = 10.0
    inline_enabled: bool = True
    inline_wait: float = 1.0
    action_wait: float = 1.5
    index_automatic: bool = True
    model_path: str = ""
    model_preset: str = ""
    model_context: int = 2048
    model_templates: tuple[Preset, ...] = ()
    prove_budget: float = 30.0
    prove_traces: bool = False
    prove_workers: int | None = None
    prove_jobs: int = 1
    prove_simp_only: bool = False
    prove_learn: bool = True
    action_closes: bool = False
    log_level: str = ""
    lean_file_mib: int = 1024
    sandbox: str = "off"

    def same_lean(self, other: Settings) -> bool:
        """Whether the running Lean, and the model, can stay when these settings take the place of the others."""
        return self._processes() == other._processes()

    def _processes(self) -> tuple[object, ...]:
        model = self.model_path, self.model_preset, self.model_context, self.model_templates
        lean = self.lean_path, self.lean_args, self.lean_memory_mib, self.lean_file_mib, self.prove_workers
        return lean, self.prove_learn, model, self.sandbox


class _Unfit(Exception):
    """A value that a key cannot take; the message says what it must be."""


@dataclass(frozen=True, slots=True)
class _Key:
    field: str
    read: Callable[[Any], Any]


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unfit("a string")
    return value.strip()


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _Unfit("a list of strings")
    return tuple(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unfit("true or false")
    return value


def _seconds(least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        # `least <= value` is false for NaN, which JSON as Python reads it can hold.
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise _Unfit(f"a number of seconds from {least:g} to {most:g}")
        return float(value)

    return read


def _level(value: Any) -> str:
    if not isinstance(value, str) or value not in ("", *LEVELS):
        raise _Unfit(f"one of {', '.join(LEVELS)}")
    return value


def _mebibytes(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 256 <= value <= 1 << 20):
        raise _Unfit("0 (no limit) or a whole number of MiB from 256 up")
    return value


def _file_mebibytes(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1 << 20:
        raise _Unfit("0 (no limit) or a whole number of MiB")
    return value


def _on_or_off(value: Any) -> str:
    if not isinstance(value, str) or value not in ("on", "off"):
        raise _Unfit('"on" or "off"')
    return value


def _workers(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 16:
        raise _Unfit("a whole number from 1 to 16")
    return value


def _tokens(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 256 <= value <= 1 << 20:
        raise _Unfit("a whole number of tokens from 256 up")
    return value


def _templates(value: Any) -> tuple[Preset, ...]:
    if not isinstance(value, Mapping):
        raise _Unfit("an object of templates by their names")
    return tuple(template(str(name), raw) for name, raw in value.items())


KEYS: Mapping[str, _Key] = {
    "lean.path": _Key("lean_path", _string),
    "lean.args": _Key("lean_args", _strings),
    "lean.memoryMiB": _Key("lean_memory_mib", _mebibytes),
    "lean.fileMiB": _Key("lean_file_mib", _file_mebibytes),
    "sandbox": _Key("sandbox", _on_or_off),
    "suggest.budget": _Key("suggest_budget", _seconds(0.1, 600)),
    "prove.budget": _Key("prove_budget", _seconds(0.1, 3600)),
    "prove.traces": _Key("prove_traces", _flag),
    "prove.learn": _Key("prove_learn", _flag),
    "prove.simpOnly": _Key("prove_simp_only", _flag),
    "prove.workers": _Key("prove_workers", _workers),
    "inline.enabled": _Key("inline_enabled", _flag),
    "inline.wait": _Key("inline_wait", _seconds(0, 60)),
    "codeAction.wait": _Key("action_wait", _seconds(0, 60)),
    "codeAction.closeGoal": _Key("action_closes", _flag),
    "index.automatic": _Key("index_automatic", _flag),
    "log.level": _Key("log_level", _level),
    "model.path": _Key("model_path", _string),
    "model.preset": _Key("model_preset", _string),
    "model.context": _Key("model_context", _tokens),
    "model.templates": _Key("model_templates", _templates),
}


def read_settings(raw: Any, base: Settings = Settings()) -> tuple[Settings, tuple[str, ...]]:
    """Lay what an editor sent over `base`: the new settings, and a sentence for each value that cannot be used.

    A key that is absent or unfit keeps its value in `base`; `null` sets it back to its default.
    """
    if raw is None:
        return base, ()
    if not isinstance(raw, Mapping):
        return base, (f"The settings of Tacit must be an object, not {_shown(raw)}; nothing was changed.",)
    given = _flat(raw)
    settings, complaints = base, []
    for name, key in KEYS.items():
        if name not in given:
            continue
        try:
            value = getattr(Settings(), key.field) if given[name] is None else key.read(given[name])
        except _Unfit as unfit:
            kept = _shown(getattr(base, key.field))
            complaints.append(
                f"The setting {SECTION}.{name} must be {unfit}, not {_shown(given[name])}; {kept} is kept."
            )
        except BadInput as error:
            said = f"The setting {SECTION}.{name} cannot be used: {error} What was set before is kept."
            complaints.append(" ".join(said.split()))
        else:
            settings = replace(settings, **{key.field: value})
    return settings, tuple(complaints)


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys without the section name; `{"tacit": {"lean": {"path": "x"}}}` → `{"lean.path": "x"}`."""
    flat: dict[str, Any] = {}

    def walk(value: Any, name: str) -> None:
        if isinstance(value, Mapping) and name.removeprefix(f"{SECTION}.") not in KEYS:
            for key, inner in value.items():
                walk(inner, f"{name}.{key}" if name else str(key))
        else:
            flat[name.removeprefix(f"{SECTION}.")] = value

    walk(raw, "")
    return flat


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
