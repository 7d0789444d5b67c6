"""What searches on this machine have taught, kept in one small file of numbers, on top of what comes with Tacit.

    {"schema": 1, "searches": 41.7, "states": {"size": [12.1, -3.4], …}, "steps": {"tactic rw on =": [2.0, 0.7], …}}

Each pair is a precision and a pull, see `learner`; the names are those of features, and nothing of a user's text is
among them. The file is replaced as a whole. Processes that learn at the same time add up: each adds what it was taught
to what it finds. Deleting the file forgets everything.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tacit.server.kept import Kept, Newer
from tacit.server.prover.learner import Belief, Gain, Weights, total
from tacit.server.prover.value import Judge, Lesson

log = logging.getLogger(__name__)
KEPT = Kept("experience of searches")
"""The version is that of the file, and of what the numbers of states and steps mean."""
SHIPPED = Path(__file__).with_name("weights.json")
KEEP = 0.99
"""How much of what was learned before is kept with each search: after 70 searches, half of it."""
LARGEST = 1 << 20
"""Bytes: no file that Tacit wrote is larger."""


def store() -> Path:
    """Where it is kept."""
    from tacit.index.encoder import cache_folder

    return cache_folder() / "experience.json"


@dataclass(frozen=True, slots=True)
class Base:
    """What is believed before anything was learned here; `typical` is the chance of a usual step."""

    states: Mapping[str, Belief]
    steps: Mapping[str, Belief]
    typical: float


@dataclass(slots=True)
class _Gained:
    """What is in the file: so many searches, those long ago counting less."""

    searches: float = 0.0
    states: Gain = field(default_factory=dict)
    steps: Gain = field(default_factory=dict)


@cache
def shipped() -> Base:
    """What comes with Tacit."""
    return base_of(json.loads(SHIPPED.read_text(encoding="utf-8")))


def base_of(raw: Any) -> Base:
    """Weights as `tacit traces fit` writes them. Raises KeyError, TypeError or ValueError."""
    if raw["schema"] != KEPT.version:
        raise ValueError(f"schema {raw['schema']}")
    states, steps = (
        {name: Belief(mean, precision) for name, (precision, mean) in _pairs(raw[what]).items()}
        for what in ("states", "steps")
    )
    return Base(states, steps, float(raw["typical"]))


def record_of(base: Base) -> dict[str, Any]:
    """Weights as JSON, for `base_of`."""

    def pairs(beliefs: Mapping[str, Belief]) -> dict[str, list[float]]:
        return {name: [round(each.precision, 2), round(each.mean, 4)] for name, each in sorted(beliefs.items())}

    return {
        "schema": KEPT.version,
        "typical": round(base.typical, 4),
        "states": pairs(base.states),
        "steps": pairs(base.steps),
    }


class Experience:
    """Judges by what is known, and learns from each search. Without a file nothing is learned."""

    def __init__(self, file: Path | None = None, base: Base | None = None) -> None:
        self._file = file
        self._base = base or shipped()
        self._unsaved, self._waiting = _Gained(), 0
        self._judge: Judge | None = None
        self._complained = False
        self._damaged = False
        self._newer = False
        """A newer Tacit wrote the file: it is left alone."""

    def judge(self) -> Judge:
        """What judges states and steps as of now."""
        if self._judge is None:
            self._judge = self._with(self._read())
        return self._judge

    def learn(self, taught: Lesson) -> None:
        """Learn from a search that has ended. Never waits, and never fails."""
        if self._file is None or not taught.states:
            return
        judge = self.judge()
        gained = _Gained(1.0, judge.states.learn(taught.states), judge.steps.learn(taught.steps))
        self._unsaved, self._waiting = _sum(self._unsaved, gained, KEEP), self._waiting + 1
        try:
            with self._alone(self._file) as alone:
                if alone:  # else another process is writing, and this goes with the next search
                    known = _sum(self._read(), self._unsaved, KEEP**self._waiting)
                    if not self._newer:
                        self._write(self._file, known)
                    self._unsaved, self._waiting, self._judge = _Gained(), 0, self._with(known)
        except OSError as error:
            self._complain(f"What searches teach cannot be kept in {self._file}: {error.strerror or error}.")

    def _with(self, gained: _Gained) -> Judge:
        base = self._base
        return Judge(Weights(base.states, gained.states), Weights(base.steps, gained.steps), base.typical)

    def _read(self) -> _Gained:
        """What the file holds; nothing where there is none, or none that can be used."""
        if self._file is None:
            return _Gained()
        try:
            with self._file.open("rb") as file:
                data = file.read(LARGEST + 1)
            raw = KEPT.brought_up(json.loads(data if len(data) <= LARGEST else "null"))
            [searches] = _sound([raw["searches"]])
            return _Gained(searches, _pairs(raw["states"]), _pairs(raw["steps"]))
        except FileNotFoundError:
            return _Gained()
        except Newer:
            self._newer = True
            self._complain(
                f"{self._file} was written by a newer Tacit and is left as it is: "
                "nothing is learned from searches here."
            )
        except OSError as error:
            self._complain(f"What searches taught cannot be read from {self._file}: {error.strerror or error}.")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._damaged = True
            self._complain(
                f"{self._file} is damaged: Tacit judges goals as it did when it was new, and writes it anew."
            )
        return _Gained()

    def _write(self, file: Path, gained: _Gained) -> None:
        growing = file.with_name(f"{file.name}.{os.getpid()}.new")
        record = {
            "schema": KEPT.version,
            "searches": round(gained.searches, 3),
            "states": _short(gained.states),
            "steps": _short(gained.steps),
        }
        try:
            growing.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
            if self._damaged:  # somebody may still mend it
                with suppress(FileNotFoundError):
                    file.replace(file.with_name(f"{file.name}.damaged"))
                self._damaged = False
            growing.replace(file)
        finally:
            growing.unlink(missing_ok=True)

    @contextmanager
    def _alone(self, file: Path) -> Iterator[bool]:
        """Whether this process may write now. The kernel gives the right back, however the process ends."""
        from tacit.index.folders import make_folder

        make_folder(file.parent)
        lock = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except BlockingIOError:
                alone = False
            yield alone
        finally:
            os.close(lock)

    def _complain(self, sentence: str) -> None:
        if not self._complained:
            log.warning(sentence)
        self._complained = True


def forget(file: Path) -> bool:
    """Forget what was learned; False where nothing was. Raises OSError."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def _sum(old: _Gained, new: _Gained, keep: float = 1.0) -> _Gained:
    return _Gained(
        old.searches * keep + new.searches, total(old.states, new.states, keep), total(old.steps, new.steps, keep)
    )


def _short(gain: Gain) -> dict[str, list[float]]:
    """As it is written; what has faded is left out."""
    rounded = {name: [round(number, 4) for number in pair] for name, pair in sorted(gain.items())}
    return {name: pair for name, pair in rounded.items() if any(pair)}


def _pairs(raw: Any) -> dict[str, tuple[float, float]]:
    """Pairs of numbers by name, of which the first is a precision. Raises ValueError, TypeError or AttributeError."""
    found: dict[str, tuple[float, float]] = {}
    for name, pair in raw.items():
        precision, number = _sound(pair)
        if precision < 0:
            raise ValueError(name)
        found[str(name)] = precision, number
    return found


def _sound(raw: Any) -> list[float]:
    """Numbers of a size that weights have. Raises ValueError or TypeError."""
    numbers = [float(each) for each in raw]
    if not all(abs(each) <= 1e6 for each in numbers):  # false for NaN
        raise ValueError
    return numbers
