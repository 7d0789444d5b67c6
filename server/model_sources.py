"""What `tacit models pull` would fetch: from a name or an address to one file, its size and the SHA-256 it must have.

Asks the hub or the server about the file; fetches nothing. HF_ENDPOINT names a mirror of the hub: what a file is called
here, and which SHA-256 it must have, does not depend on where it comes from.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from tacit.server import models, web
from tacit.server.errors import BadInput
from tacit.server.model_catalogue import CATALOGUE, UNCONVERTED, Published
from tacit.server.web import Wanted

HUB = "https://huggingface.co"
VARIABLE = "HF_ENDPOINT"
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be fetched. `key` is its address whatever mirror it comes from; `word` says whose the hash is."""

    name: str
    file: str
    key: str
    wanted: Wanted
    word: str
    preset: str = ""
    licence: str = ""


def name_of(what: str) -> str:
    """A name for what is wanted: a name of the catalogue or an address. Raises BadInput where it is neither."""
    if what in CATALOGUE:
        return what
    if what in UNCONVERTED:
        raw = UNCONVERTED[what]
        raise BadInput(
            f"No GGUF of {what} is known.",
            hint=f"Convert {HUB}/{raw.repository} (licence: {raw.licence}) with convert_hf_to_gguf.py of llama.cpp, "
            f"then `tacit models add PATH --preset {what}`.",
        )
    if "://" not in what:
        raise BadInput(
            f"No model {what!r} is known.", hint=f"There are {', '.join(CATALOGUE)}, or give an address: https://…"
        )
    file = _file_name(_file_of(web.check_url(what)))
    return re.sub(r"[^0-9A-Za-z._+-]+", "-", file.removesuffix(".gguf")).strip("-.")


def is_from(source: str, what: str) -> bool:
    """Whether a model that came from `source` is what is wanted."""
    published = CATALOGUE.get(what)
    if published is None:
        return source == _file_of(what)
    return source.startswith(f"{HUB}/{published.repository}/resolve/{published.revision}/")


def look_up(what: str, name: str, given: str = "") -> Source:
    """The file, with the SHA-256 that it must have: the one given, else that of the first time, else what is stated.

    Raises BadInput where there is no such file or it is another one now, Unreachable where nobody answers.
    """
    published = CATALOGUE.get(what)
    source = _on_server(_file_of(what)) if published is None else _on_hub(published)
    return _trusted(replace(source, name=name), given)


def _on_server(key: str) -> Source:
    wanted = web.look(_mirrored(key))
    return Source("", _file_name(key), key, wanted, "as its server states it" if wanted.sha256 else "")


def _on_hub(published: Published) -> Source:
    """A file of the catalogue, as the hub describes it now."""
    endpoint = (os.environ.get(VARIABLE) or HUB).rstrip("/")
    where = f"{published.repository}/tree/{published.revision}"
    listed = web.look_up(f"{endpoint}/api/models/{where}")
    entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    files = [
        each
        for each in entries
        if isinstance(path := each.get("path"), str) and (path == published.file or path.endswith(published.file))
    ]
    if len(files) != 1:
        raise BadInput(
            f"{published.repository} has {'no file' if not files else 'several files'} {published.file} now.",
            hint="Give the address of the file that you want: `tacit models pull https://…`.",
        )
    path, size, digest = _described(files[0])
    key = f"{HUB}/{published.repository}/resolve/{published.revision}/{quote(path)}"
    if published.sha256 and digest and digest != published.sha256:
        raise _another(key, published.sha256, digest)
    word = "as Tacit knows it" if published.sha256 else "as the hub states it" if digest else ""
    wanted = Wanted(_mirrored(key), size, published.sha256 or digest)
    return Source(published.name, path, key, wanted, word, published.preset, published.licence)


def _described(entry: dict[str, Any]) -> tuple[str, int, str]:
    """Path, size and SHA-256 (empty where it is not stated) of a file in the hub's list of a repository."""
    lfs = entry.get("lfs")
    large: dict[str, Any] = lfs if isinstance(lfs, dict) else {}
    size = large.get("size", entry.get("size"))
    digest = str(large.get("oid") or "").removeprefix("sha256:")
    return str(entry["path"]), size if isinstance(size, int) else 0, digest if HASH.fullmatch(digest) else ""


def _trusted(source: Source, given: str) -> Source:
    stated = source.wanted.sha256
    known = models.read().hashes.get(source.key, "")
    if given:
        return replace(source, wanted=replace(source.wanted, sha256=given), word="as you gave it")
    if known and stated and known != stated:
        raise _another(source.key, known, stated)
    if known:
        return replace(source, wanted=replace(source.wanted, sha256=known), word="as it was the first time")
    return source


def _another(key: str, known: str, stated: str) -> BadInput:
    return BadInput(
        f"{key} is another file now: its SHA-256 is {stated}, and was {known}.",
        hint=f"If you trust it: `tacit models pull {key} --sha256 {stated}`.",
    )


def _file_of(url: str) -> str:
    """The address of the file where the hub's page about it was named, and the hub's own where a mirror's was."""
    endpoint = (os.environ.get(VARIABLE) or HUB).rstrip("/")
    for each in (endpoint, HUB):
        if url.startswith(f"{each}/"):
            return HUB + url.removeprefix(each).replace("/blob/", "/resolve/", 1).partition("?")[0]
    return url


def _mirrored(key: str) -> str:
    endpoint = (os.environ.get(VARIABLE) or HUB).rstrip("/")
    return endpoint + key.removeprefix(HUB) if key.startswith(f"{HUB}/") else key


def _file_name(key: str) -> str:
    return PurePosixPath(unquote(urlsplit(key).path)).name
