"""Takes out of a text what a report of a fault must not hold: paths, names and text of the user's, and secrets. Pure.

What a text says in Tacit's own words stays; a word that stands nowhere in Tacit's code goes, whatever it is. A path
becomes `~`, a known place, or a short hash that is the same for the same path, so that one can still tell two apart.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LEFT_OUT = "…"
_QUOTED = re.compile(r"(?<!\w)(?P<mark>[`'\"])(?P<quoted>[^`'\"]*)(?P=mark)(?!\w)")
_WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_TOKEN = re.compile(
    r"(?P<place>(?:<[a-z]+(?: [0-9a-f]{8})?>|~(?=/(?:\.[a-z-]+/)?<))"
    r"(?:/(?:\.[a-z-]+/)?<path [0-9a-f]{8}>(?:\.[a-z]+)?)?)"
    r"|(?P<url>[a-z][a-z0-9+.-]*://\S+)"
    r"|(?P<path>(?:~|\.{1,2})?/[^\s'\"`,;()<>]*|[A-Za-z]:\\\S*|[^\s'\"`,;()<>]+[/\\][^\s'\"`,;()<>]*)"
    r"|(?P<version>v?\d+(?:\.\d+)+[\w.-]*|\d[\d,.]*%?)"
    r"|(?P<word>\w+(?:[._-]\w+)*(?:['’]\w+)*)"
    r"|(?P<other>[^\w\s])",
)
_PLAIN = frozenset(".,:;!?()[]{}`'\"’“”=+-–%&*/<>…|#@_")
_SYSTEM = ("/usr", "/bin", "/lib", "/opt/homebrew/bin", "/nix/store")
_ENDINGS = frozenset((".lean", ".db", ".gguf", ".json", ".jsonl", ".log", ".toml", ".olean", ".ilean", ".py", ".zip"))
_ID = re.compile(r"[A-Za-z_][\w.]*")


class Scrub:
    """What is known of the machine: `places` are folders with the names that stand for them."""

    def __init__(self, home: Path, places: Mapping[Path, str]) -> None:
        known = {str(path): name for path, name in places.items() if len(path.parts) > 1}
        known.setdefault(str(home), "~")
        self._known = sorted(known.items(), key=lambda each: -len(each[0]))
        spelt = "|".join(re.escape(path) for path, _ in self._known)
        self._places = re.compile(rf"(?:file://)?(?P<root>{spelt})(?P<rest>(?:/[^\s'\"`,;()<>]*)?)(?![\w-])")

    def text(self, text: str) -> str:
        """A sentence of Tacit's without what is not Tacit's."""
        text = self._places.sub(lambda match: self.path(match["root"] + match["rest"]), text)
        return _QUOTED.sub(_unquoted, _TOKEN.sub(self._token, text))

    def path(self, path: str | Path) -> str:
        """What stands for a path."""
        text = str(path)
        for root, name in self._known:
            if text == root:
                return name
            if text.startswith(root.rstrip("/") + "/"):
                below = text[len(root.rstrip("/")) + 1 :]
                first = below.partition("/")[0]
                kept = first if name == "~" and first in (".elan", ".cache", ".local", ".vscode-server") else ""
                return f"{name}/{kept + '/' if kept and kept != below else ''}{_short(below)}"
        if text.startswith((*_SYSTEM, sys.prefix)):
            return text if _common(text) else f"<path>/{_short(text)}"
        return _short(text)

    def value(self, value: Any) -> Any:
        """A value of JSON: numbers as they are, texts without what is not Tacit's; keys are Tacit's own."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(key): self.value(each) for key, each in value.items()}
        if isinstance(value, Sequence):
            return [self.value(each) for each in value]
        return value

    def line(self, line: Mapping[str, Any]) -> dict[str, Any] | None:
        """A line of the log; None for what may quote the user's text, which is all of the level debug."""
        level, where = line.get("level"), line.get("in")
        if level not in ("info", "warning", "error", "critical") or not isinstance(where, str):
            return None
        kept: dict[str, Any] = {
            "time": str(line.get("time"))[:24],
            "level": level,
            "in": where if _ID.fullmatch(where) else LEFT_OUT,
            "process": self.text(str(line.get("process"))),
            "said": self.text(str(line.get("said"))),
        }
        if isinstance(repeated := line.get("repeated"), int):
            kept["repeated"] = repeated
        if isinstance(errors := line.get("error"), list):
            kept["error"] = [_error(each) for each in errors if isinstance(each, Mapping)]
        return kept

    def _token(self, match: re.Match[str]) -> str:
        text = match[0]
        if match["place"] or match["version"]:
            return text
        if match["url"]:
            return "<address>"
        if match["path"]:
            path = text.rstrip(".:!?")
            return (path if path == "/" else self.path(path)) + text[len(path) :]
        if match["word"]:
            return text if all(each in words() for each in re.split(r"[._-]", text) if not each.isdigit()) else LEFT_OUT
        return text if text in _PLAIN else LEFT_OUT


def _unquoted(match: re.Match[str]) -> str:
    """What is quoted, whole or not at all."""
    return f"{match['mark']}{LEFT_OUT}{match['mark']}" if LEFT_OUT in match["quoted"] else match[0]


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    """An exception by its type and the places in Tacit's and libraries' code; not what it says."""
    kind, places = str(error.get("type")), error.get("at")
    at = [str(each) for each in places] if isinstance(places, list) else []
    return {
        "type": kind if _ID.fullmatch(kind) else LEFT_OUT,
        "at": [each for each in at if re.fullmatch(r"[\w./<>-]+:\d+ [\w<>.]+|… \d+ more …", each)],
    }


def _short(path: str) -> str:
    """A hash of a path, with the ending where that says only what kind of file it is."""
    ending = Path(path).suffix
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    return f"<path {digest}>" + (ending if ending in _ENDINGS else "")


def _common(path: str) -> bool:
    """Whether every part of a path of the system says nothing of its user."""
    parts = (part for part in re.split(r"[/._-]", path.removeprefix(sys.prefix)) if part)
    return all(part.isdigit() or part in words() or part in _ELSEWHERE for part in parts)


_ELSEWHERE = frozenset(("usr", "bin", "lib", "lib64", "opt", "homebrew", "nix", "store", "share", "local", "code"))


@cache
def words() -> frozenset[str]:
    """Every word that stands in Tacit's own code."""
    root = Path(__file__).parents[1]
    found: set[str] = set()
    for folder in ("index", "retrieval", "server"):
        for file in (root / folder).rglob("*.py"):
            found.update(_WORD.findall(file.read_text(encoding="utf-8")))
    return frozenset(found)
