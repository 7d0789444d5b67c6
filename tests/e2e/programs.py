"""Finds what setup.sh installed, and the extension as users install it. Installs nothing itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".cache" / "e2e"
EXTENSION = REPOSITORY / "vscode-extension"


class Unavailable(Exception):
    """Something that the tests need is not on this machine; the message says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of what the tests run."""

    node: Path
    code_server: Path
    playwright: Path
    chromium: Path


def find_programs() -> Programs:
    """What setup.sh noted down. Raises Unavailable."""
    try:
        noted = json.loads((CACHE / "ready.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unavailable("the real VS Code is not set up: run tests/e2e/setup.sh") from None
    programs = Programs(
        node=Path(noted["node"]),
        code_server=Path(noted["code_server"]),
        playwright=CACHE / "node_modules" / "playwright-core",
        chromium=Path(noted["chromium"]),
    )
    for path in (programs.node, programs.code_server, programs.playwright, programs.chromium):
        if not path.exists():
            raise Unavailable(f"{path} is gone: run tests/e2e/setup.sh")
    return programs


def install_extension(extensions: Path) -> None:
    """Package the extension as it is now, and unpack the package where the editor looks. Raises Unavailable."""
    extensions.mkdir(parents=True)
    package = extensions / "tacit.vsix"
    package_extension(package)
    unpack_extension(package, extensions)
    package.unlink()


def package_extension(package: Path) -> None:
    """Package the extension as it is now. Raises Unavailable."""
    npm = shutil.which("npm")
    if npm is None or not (EXTENSION / "node_modules" / "@vscode" / "vsce").is_dir():
        raise Unavailable("the extension's packages are not installed: run npm ci in vscode-extension")
    command = [npm, "run", "--silent", "package", "--", "--out", str(package)]
    done = subprocess.run(command, cwd=EXTENSION, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"the extension cannot be packaged:\n{done.stdout}{done.stderr}")


def unpack_extension(package: Path, extensions: Path) -> None:
    """Unpack the package where the editor looks."""
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            if name.startswith("extension/"):
                archive.extract(name, extensions)
    (extensions / "extension").rename(extensions / "lean-tacit.tacit")
