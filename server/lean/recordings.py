"""What a real Lean answered, kept in files, and the Elaborator that answers from them. Nothing else is ever answered.

A recording file is JSON Lines, made to be read in a review: a head line with the Lean version, then one line
an elaboration: what it was for, the part of the text that differs from the entry above, and Lean's messages as
[severity, line, column, end line, end column, text]. The key is a hash of the whole text, so that a text that
was never put to a real Lean finds no answer: it is UNRECORDED, which the checker turns into "refused".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacit.server.errors import BadInput
from tacit.server.lean.elaborator import Elaboration, Elaborator, Enough, LeanIdentity, Message, Outcome, Severity
from tacit.server.text import Position

FORMAT = 1


def replay_notice(version: str) -> str:
    """What every line of output says when recordings answer."""
    return f"replayed from Lean {version}; install Lean to run on your own goals: https://lean-lang.org/install"


def _key(text: str, position: Position | None = None) -> str:
    place = "" if position is None else f"\0{position.line}:{position.column}"
    return hashlib.sha256((text + place).encode()).hexdigest()[:32]


def _pack(message: Message) -> list[Any]:
    start, end = message.start, message.end
    return [int(message.severity), start.line, start.column, end.line, end.column, message.text]


def _unpack(raw: Sequence[Any]) -> Message:
    severity, line, column, end_line, end_column, text = raw
    return Message(Severity(severity), Position(line, column), Position(end_line, end_column), text)


@dataclass(slots=True)
class Recordings:
    """Answers of one Lean version, by key."""

    version: str
    elaborations: dict[str, Elaboration] = field(default_factory=dict)
    goals: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, files: Iterable[Path]) -> Recordings:
        """Read recording files; they must all be of one Lean version. Raises BadInput naming file and line."""
        found: Recordings | None = None
        for file in files:
            try:
                # Not splitlines: texts hold U+2028 and U+0085, which JSON leaves as they are.
                lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
            except OSError as exc:
                raise BadInput(f"{file} cannot be read: {exc.strerror}.", hint="Record it again.") from exc
            except UnicodeError as exc:
                raise BadInput(f"{file} is no recording: it is not in UTF-8.", hint="Record it again.") from exc
            for number, line in enumerate(lines, start=1):
                try:
                    found = cls._add(found, json.loads(line), is_head=number == 1)
                except KeyError as exc:
                    raise BadInput(
                        f"{file}:{number} is no recording: it has no {exc}.", hint="Record it again."
                    ) from exc
                except (ValueError, TypeError) as exc:
                    raise BadInput(f"{file}:{number} is no recording: {exc}.", hint="Record it again.") from exc
        if found is None:
            raise BadInput("There are no recordings to answer from.")
        return found

    @classmethod
    def _add(cls, found: Recordings | None, entry: Any, *, is_head: bool) -> Recordings:
        """The recordings with one line more; for the first line of the first file, new ones."""
        if not isinstance(entry, dict):
            raise TypeError("it is no JSON object")
        if is_head:
            if entry["format"] != FORMAT:
                raise ValueError(f"format {entry['format']}, not {FORMAT}")
            found = found or cls(entry["lean"])
            if found.version != entry["lean"]:
                raise ValueError(f"of Lean {entry['lean']}, others of {found.version}")
            return found
        assert found is not None
        key = entry["key"]
        if "goals" in entry:
            found.goals[key] = tuple(entry["goals"])
            return found
        outcome = entry.get("outcome", "DONE")
        if outcome not in Outcome.__members__:
            raise ValueError(f"no outcome is called {outcome!r}")
        messages = tuple(_unpack(m) for m in entry["messages"])
        found.elaborations[key] = Elaboration(Outcome[outcome], messages, entry.get("detail", ""))
        return found


class ReplayElaborator:
    """Elaborator that answers from recordings, and says UNRECORDED to everything else."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    @property
    def identity(self) -> LeanIdentity:
        """The recorded Lean, not live."""
        return LeanIdentity(self._recordings.version, live=False)

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        """See Elaborator."""
        del timeout, label, enough
        answer = self._recordings.elaborations.get(_key(text))
        if answer is not None:
            return answer
        version = self._recordings.version
        return Elaboration(Outcome.UNRECORDED, (), f"This was never checked by a real Lean ({replay_notice(version)}).")

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        """See Elaborator."""
        del timeout
        return self._recordings.goals.get(_key(text, position), ())

    async def aclose(self) -> None:
        """See Elaborator."""


class Recorder:
    """Collects what Elaborators answer and writes it as one recording file."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Any]] = {}
        self._texts: dict[str, str] = {}
        self.version = ""

    def wrap(self, inner: Elaborator) -> Elaborator:
        """An Elaborator that passes everything through to `inner` and notes the answers."""
        self.version = inner.identity.version
        return _RecordingElaborator(inner, self)

    def note(self, text: str, label: str, answer: Elaboration) -> None:
        """Keep one answer; of two for the same text, the later."""
        entry: dict[str, Any] = {"for": label}
        if answer.outcome is not Outcome.DONE:
            entry |= {"outcome": answer.outcome.name, "detail": answer.detail}
        entry["messages"] = [_pack(m) for m in answer.messages]
        self._entries[_key(text)] = entry
        self._texts[_key(text)] = text

    def note_goals(self, text: str, position: Position, goals: Sequence[str]) -> None:
        """Keep the goals at one place."""
        key = _key(text, position)
        self._entries[key] = {"for": "goals", "at": [position.line, position.column], "goals": list(goals)}
        self._texts[key] = text

    def write(self, file: Path) -> None:
        """Replace `file` by what was collected."""
        lines = [json.dumps({"format": FORMAT, "lean": self.version})]
        above: list[str] = []
        for key, entry in self._entries.items():
            text = self._texts[key].split("\n")
            same = 0
            while same < min(len(above), len(text)) and above[same] == text[same]:
                same += 1
            shown = {"key": key, "for": entry["for"], "from": same, "text": text[same:], **entry}
            lines.append(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))
            above = text
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".tmp")
        scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")
        scratch.replace(file)


class _RecordingElaborator:
    def __init__(self, inner: Elaborator, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    @property
    def identity(self) -> LeanIdentity:
        return self._inner.identity

    async def elaborate(
        self, text: str, *, timeout: float, label: str = "", enough: Enough | None = None
    ) -> Elaboration:
        answer = await self._inner.elaborate(text, timeout=timeout, label=label, enough=enough)
        self._recorder.note(text, label, answer)
        return answer

    async def goals(self, text: str, position: Position, *, timeout: float) -> Sequence[str]:
        answer = await self._inner.goals(text, position, timeout=timeout)
        self._recorder.note_goals(text, position, answer)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()
