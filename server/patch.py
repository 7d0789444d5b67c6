"""A Lean file on disk: reads it exactly, applies edits to its text, shows the difference, writes it back.

Text is kept as it is: line ends (LF, CRLF or both), a missing final line end and a byte order mark stay. Writing is
all or nothing, and never over what somebody else wrote in the meantime.
"""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tacit.server.errors import BadInput
from tacit.server.suggest import Document
from tacit.server.values import TextEdit


@dataclass(frozen=True, slots=True)
class LeanFile:
    """What a file held when it was read. `shown` is its path as the user knows it: short where it can be."""

    path: Path
    text: str
    shown: str

    @classmethod
    def read(cls, path: Path) -> LeanFile:
        """Read a file. Raises BadInput when there is none, or it is no text."""
        path = path.expanduser()
        shown = shown_path(path)
        try:
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            raise BadInput(f"There is no file {shown}.") from None
        except IsADirectoryError:
            raise BadInput(f"{shown} is a folder.", hint="Name a Lean file in it.") from None
        except UnicodeDecodeError as exc:
            raise BadInput(f"{shown} is not UTF-8 text (byte {exc.start}).") from None
        except OSError as exc:
            raise BadInput(f"{shown} cannot be read: {exc.strerror}.") from exc
        return cls(path.resolve(), text, shown)

    def document(self, text: str | None = None, version: int = 1, lane: int = 0) -> Document:
        """The file, or another text in its place, as the suggester takes it."""
        return Document(self.path.as_uri(), version, self.text if text is None else text, self.path, lane)

    def write(self, text: str) -> None:
        """Put a text in the place of the file's, in one step; its permissions stay.

        Raises BadInput when it cannot be written, or no longer holds what was read.
        """
        folder = self.path.parent
        scratch: Path | None = None
        try:
            status = self.path.stat()
            if not os.access(self.path, os.W_OK):
                raise BadInput(f"{self.shown} is write-protected; nothing was written.")
            descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", suffix=".tmp", dir=folder)
            scratch = Path(name)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(OSError, AttributeError):  # another's file, or Windows
                os.chown(scratch, status.st_uid, status.st_gid)
            scratch.chmod(stat.S_IMODE(status.st_mode))
            if self.path.read_bytes() != self.text.encode():
                raise BadInput(
                    f"{self.shown} changed on disk while Tacit was working; nothing was written.", hint="Run it again."
                )
            scratch.replace(self.path)
        except OSError as exc:
            raise BadInput(f"{self.shown} cannot be written: {exc.strerror}.") from exc
        finally:
            if scratch is not None:
                scratch.unlink(missing_ok=True)


def shown_path(path: Path) -> str:
    """A path as short as it can be told: from the current folder where it lies below it."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - a link keeps the name that the user gave it
    try:
        return str(absolute.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def apply(text: str, edit: TextEdit) -> str:
    """The text after an edit. The line breaks of what is put in are those of the line it is put into."""
    start, end = edit.span.start, edit.span.end
    below = text.find("\n", start)
    new = edit.new_text
    if below > 0 and text[below - 1] == "\r":
        new = new.replace("\r\n", "\n").replace("\n", "\r\n")
    return text[:start] + new + text[end:]


def difference(old: str, new: str, shown: str) -> str:
    """The unified diff from one text to the other, for `patch -p1` and `git apply`; empty when they are equal."""
    relative = not Path(shown).is_absolute()
    name = Path(shown).as_posix()
    before, after = (f"a/{name}", f"b/{name}") if relative else (name, name)
    lines = difflib.unified_diff(_lines(old), _lines(new), before, after)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines with their ends, ended at LF only: `splitlines` also breaks at characters that Lean text may hold."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])
