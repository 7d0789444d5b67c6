"""What a report of a fault needs, in one zip, without the user's source: gathered, listed, written. Sends nothing.

Nothing is copied into it as it lies on the disk. Each file is made from numbers, versions and Tacit's own words (see
`scrub`); what is not known to be harmless is left out.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import logging
import os
import platform
import resource
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tacit.index.encoder import cache_folder
from tacit.index.packages import TOOLCHAIN
from tacit.index.places import indexes
from tacit.index.store import Store, StoreError
from tacit.index.vectors import VectorsError, read_manifest
from tacit.server import logs
from tacit.server.errors import BadInput
from tacit.server.library import vectors_folder
from tacit.server.scrub import LEFT_OUT, Scrub
from tacit.server.settings import KEYS, Settings

log = logging.getLogger(__name__)

LARGEST_LOG = 1 << 20
"""Bytes of one log that are taken: the last ones."""
MOST_LOGS = 12

PUBLIC = frozenset(
    ("mathlib", "batteries", "std", "aesop", "Qq", "proofwidgets", "importGraph", "LeanSearchClient", "plausible",
     "Cli", TOOLCHAIN)
)  # fmt: skip
"""Packages that are told by their names: everyone has them."""
VARIABLES = {
    "TACIT_LEAN": True, "TACIT_LEAN_SOURCES": True, "TACIT_CACHE": True, "TACIT_MODEL": True, "TACIT_LOG": False,
    "ELAN_HOME": True, "ELAN_TOOLCHAIN": False, "MATHLIB": True, "XDG_CACHE_HOME": True, "LANG": False, "LC_ALL": False,
    "OMP_NUM_THREADS": False, "PYTHONUTF8": False, "VIRTUAL_ENV": True, "NO_COLOR": False, "TERM": False,
}  # fmt: skip
"""The variables whose values are told, and whether such a value is a path."""
SAFE_SETTINGS = frozenset(("log.level", "model.preset"))


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the zip; `what` says to its owner what is in it."""

    name: str
    what: str
    content: bytes


def gather(
    checks: Iterable[Mapping[str, Any]], settings: Settings, folder: Path, version: str, *, works: bool
) -> list[Part]:
    """Every file of the report. `checks` are what the doctor found. What cannot be read is said in its place."""
    cache = cache_folder()
    scrub = Scrub(
        Path.home(),
        {cache: "<cache>", folder: f"<folder {_hash(folder)}>", Path.cwd(): f"<folder {_hash(Path.cwd())}>"},
    )
    report = {"works": works, "checks": [scrub.value(dict(each)) for each in checks]}
    made = [
        _json("doctor.json", "what `tacit doctor` found", lambda: report),
        _json("versions.json", "Tacit, Python, libraries, the operating system", lambda: _versions(version)),
        _json(
            "settings.json", "settings that are not as they come; no text of yours", lambda: _settings(settings, scrub)
        ),
        _json("environment.json", "the variables that Tacit heeds, no others", lambda: _environment(scrub)),
        _json("limits.json", "processors, memory, disk and the limits of a process", lambda: _limits(cache)),
        _json("indexes.json", "what is indexed: counts and versions", lambda: _indexes(cache)),
        _json("kept.json", "what else Tacit keeps: how many files, how large, which versions", lambda: _kept(cache)),
        _json("models.json", "local models: names, sizes, hashes", lambda: _models(scrub)),
        *_logs(cache / logs.FOLDER, scrub),
    ]
    said = "".join(f"{each.name}: {each.what}\n" for each in made)
    readme = f"A report of Tacit {version}, made by `tacit doctor --bundle`. Nothing was sent anywhere.\n\n{said}"
    left = (
        "\nLeft out: your files and their names, goals, tactics, proofs, what was accepted, every word of a log that "
        f"is not Tacit's own ({LEFT_OUT}), and other variables of the environment. A path is told by a hash.\n"
    )
    return [Part("README.txt", "this list", (readme + left).encode()), *made]


def write(parts: Iterable[Part], file: Path) -> int:
    """Write the zip; its bytes. A file that is there stays. Raises BadInput."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in parts:
            archive.writestr(zipfile.ZipInfo(each.name, time.gmtime()[:6]), each.content, zipfile.ZIP_DEFLATED)
    data = content.getvalue()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
    except FileExistsError:
        raise BadInput(f"{file} is there already.", hint="Name another file.") from None
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror or error}.", hint="Name another file.") from error
    return len(data)


def default_name() -> str:
    """`tacit-report-20260131-081500.zip`."""
    return time.strftime("tacit-report-%Y%m%d-%H%M%S.zip")


# ---------------------------------------------------------------- parts


def _json(name: str, what: str, made: Callable[[], Any]) -> Part:
    try:
        value = made()
    except Exception as error:  # whatever is broken here may be what is to be reported
        log.warning("a part of the report could not be made: %s", type(error).__name__)
        value = {"error": type(error).__name__}
    return Part(name, what, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def _hash(folder: Path) -> str:
    return hashlib.blake2b(str(folder).encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()


def _versions(version: str) -> dict[str, Any]:
    libraries: dict[str, str] = {}
    for asked in importlib.metadata.requires("lean-tacit") or ():
        name = "".join(each for each in asked.partition(";")[0] if each.isalnum() or each in "-_ ").split()[0]
        for each in (name, name.rstrip("0123456789")):
            try:
                libraries[each] = importlib.metadata.version(each)
            except importlib.metadata.PackageNotFoundError:
                continue
    return {
        "tacit": version,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "release": platform.release().partition("-")[0],
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "sqlite": sqlite3.sqlite_version,
        "libraries": dict(sorted(libraries.items())),
    }


def _settings(settings: Settings, scrub: Scrub) -> dict[str, Any]:
    told: dict[str, Any] = {}
    usual = Settings()
    names = {key.field: name for name, key in KEYS.items()}
    for field in fields(Settings):
        name, value = names.get(field.name, field.name), getattr(settings, field.name)
        if value == getattr(usual, field.name):
            continue
        if isinstance(value, bool | int | float) or value is None:
            told[name] = value
        elif isinstance(value, str):
            told[name] = scrub.text(value) if name in SAFE_SETTINGS or value == "off" else scrub.path(value)
        else:
            told[name] = f"{len(value)} of them"
    return told


def _environment(scrub: Scrub) -> dict[str, str]:
    told = {}
    for name, is_path in VARIABLES.items():
        if value := os.environ.get(name, ""):
            told[name] = "off" if value == "off" else scrub.path(value) if is_path else scrub.text(value)
    return told


def _limits(cache: Path) -> dict[str, Any]:
    import shutil

    import psutil

    memory = psutil.virtual_memory()
    there = next(each for each in (cache, *cache.parents) if each.exists())
    disk = shutil.disk_usage(there)
    names = ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_CPU")
    found = {name: resource.getrlimit(getattr(resource, name)) for name in names if hasattr(resource, name)}
    endless = resource.RLIM_INFINITY
    return {
        "processors": os.cpu_count(),
        "usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory": {"total": memory.total, "available": memory.available},
        "disk": {"total": disk.total, "free": disk.free},
        "limits": {name: ["none" if each == endless else each for each in both] for name, both in found.items()},
    }


def _indexes(cache: Path) -> list[dict[str, Any]]:
    del cache
    return [_index(each) for each in indexes()]


def _index(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = {"bytes": file.stat().st_size}
    try:
        store = Store.open(file)
    except StoreError as error:
        return {**told, "error": type(error).__name__}
    try:
        said = store.manifest()
        reading = store.value("reading")
    finally:
        store.close()
    name = said.package if said.package in PUBLIC else f"<package {_hash(Path(said.package))}>"
    told |= {
        "package": name, "schema": said.schema, "analysis": said.analysis, "reading": reading,
        "toolchain": said.toolchain if said.toolchain.startswith("leanprover/lean4:") else "",
        "files": said.files, "premises": said.premises,
    }  # fmt: skip
    try:
        made = read_manifest(vectors_folder(file))
    except VectorsError as error:
        return {**told, "vectors": type(error).__name__}
    about = {"schema": made.schema, "count": made.count, "complete": made.complete, "fingerprint": made.fingerprint}
    return {**told, "vectors": about}


def _kept(cache: Path) -> dict[str, Any]:
    told = {}
    for name in ("memory", "traces", "sources", "traced", "models", logs.FOLDER, "index", "wheels"):
        found = [each for each in (cache / name).rglob("*") if each.is_file() and not each.is_symlink()]
        told[name] = {"files": len(found), "bytes": sum(each.stat().st_size for each in found)}
    learned = cache / "experience.json"
    if learned.is_file():
        raw = json.loads(learned.read_text(encoding="utf-8"))
        numbers = {key: raw.get(key) for key in ("schema", "searches") if isinstance(raw.get(key), int | float)}
        told["experience"] = {**numbers, "bytes": learned.stat().st_size}
    return told


def _models(scrub: Scrub) -> dict[str, Any]:
    from tacit.server import models

    found, own = models.read(), models.shipped()
    return {
        "shipped": {
            "name": own.name, "bytes": own.size, "sha256": hashlib.sha256(own.path.read_bytes()).hexdigest()
        } if own is not None else None,
        "used": found.used,
        "models": [
            {"name": each.name, "file": scrub.path(each.file), "bytes": each.size, "sha256": each.sha256,
             "preset": scrub.text(each.preset)}
            for each in found.models
        ],
    }  # fmt: skip


def _logs(folder: Path, scrub: Scrub) -> Iterable[Part]:
    for file in logs.files(folder)[:MOST_LOGS]:
        lines = []
        try:
            with file.open("rb") as content:
                content.seek(max(0, file.stat().st_size - LARGEST_LOG))
                data = content.read(LARGEST_LOG)
        except OSError:
            continue
        for line in data.split(b"\n"):
            try:
                read = json.loads(line)
            except (ValueError, RecursionError):
                continue
            kept = scrub.line(read) if isinstance(read, dict) else None
            if kept is not None:
                lines.append(json.dumps(kept, ensure_ascii=False) + "\n")
        what = f"a log of Tacit, {len(lines)} of its last lines, without what is not Tacit's own words"
        yield Part(f"logs/{file.name}", what, "".join(lines).encode())
