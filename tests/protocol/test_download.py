"""Fetching a file from a server on this machine: whole, in parts, and all that can go wrong on the way."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request

import pytest

from tacit.server import download
from tacit.server.download import fetch, forget, missing
from tacit.server.errors import BadInput, TacitError
from tacit.server.web import Redirects, Unreachable, Wanted, look, look_up
from tests.protocol.file_server import File, Files, serving

CONTENT = bytes(number * 7 % 251 for number in range(700_000))
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]


@pytest.fixture
def server() -> Iterator[Files]:
    with serving() as files:
        yield files


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf.part"


def get(wanted: Wanted, part: Path, tries: int = 2) -> str:
    return fetch(wanted, part, lambda *_: None, pauses=(0.0,) * tries)


def nothing_is_left(part: Path) -> bool:
    return list(part.parent.iterdir()) == []


def test_a_file_arrives_whole_and_it_is_said_how_far_it_is(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT))
    told: list[tuple[str, int, int]] = []
    digest = fetch(Wanted(url, len(CONTENT), DIGEST), part, lambda *each: told.append(each))
    assert digest == DIGEST
    assert part.read_bytes() == CONTENT
    assert server.ranges("/f") == [""]
    assert told[-1] == ("receiving, MB", 0, 0)
    forget(part)
    assert nothing_is_left(part)


@pytest.mark.parametrize("known", [True, False])
def test_a_connection_that_is_cut_is_taken_up_where_it_was(server: Files, part: Path, known: bool) -> None:
    url = server.put("/f", File(CONTENT, cuts=[100_000, 50_000]))
    assert get(Wanted(url, len(CONTENT), DIGEST) if known else Wanted(url), part) == DIGEST
    assert part.read_bytes() == CONTENT
    assert server.ranges("/f") == ["", "bytes=100000-", "bytes=150000-"]
    assert [each.if_range for each in server.asked] == ["", '"one"', '"one"']


def test_what_arrived_is_kept_when_no_more_comes_and_is_the_beginning_of_the_next_try(
    server: Files, part: Path
) -> None:
    url = server.put("/f", File(CONTENT, cuts=[100_000, 0, 0, 0]))
    wanted = Wanted(url, len(CONTENT), DIGEST)
    with pytest.raises(Unreachable, match=r"could not be fetched: the connection broke off.*`tacit models add PATH`"):
        get(wanted, part, tries=2)
    assert part.stat().st_size == 100_000
    assert missing(wanted, part) == len(CONTENT) - 100_000
    told: list[str] = []
    assert fetch(wanted, part, lambda what, *_: told.append(what)) == DIGEST
    assert server.ranges("/f")[-1] == "bytes=100000-"
    assert told[0] == "reading what is there, MB"


def test_a_part_of_another_file_or_from_a_server_that_cannot_tell_is_not_taken_up(server: Files, part: Path) -> None:
    cut = [100_000, 0, 0, 0]
    url = server.put("/f", File(CONTENT, etag="", cuts=cut))
    with pytest.raises(Unreachable):
        get(Wanted(url), part)
    assert missing(Wanted(url, len(CONTENT)), part) == len(CONTENT), "without a SHA-256 and an ETag nobody can tell"
    assert get(Wanted(url), part) == DIGEST
    assert server.ranges("/f")[-1] == ""
    assert missing(Wanted(url, len(CONTENT), "0" * 64), part) == len(CONTENT)


def test_with_a_sha256_another_server_may_go_on(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT, cuts=[100_000, 0, 0, 0]))
    with pytest.raises(Unreachable):
        get(Wanted(url, len(CONTENT), DIGEST), part)
    mirror = server.put("/mirror", File(CONTENT, etag='"its own"'))
    assert get(Wanted(mirror, len(CONTENT), DIGEST), part) == DIGEST
    assert server.ranges("/mirror") == ["bytes=100000-"]
    assert server.asked[-1].if_range == ""


def test_a_server_without_ranges_begins_anew(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT, ranges=False, cuts=[100_000]))
    assert get(Wanted(url, len(CONTENT), DIGEST), part) == DIGEST
    assert part.read_bytes() == CONTENT
    assert server.ranges("/f") == ["", "bytes=100000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT, cuts=[100_000, 0, 0, 0]))
    with pytest.raises(Unreachable):
        get(Wanted(url), part)
    server.put("/f", File(OTHER, etag='"two"'))
    assert get(Wanted(url), part) == hashlib.sha256(OTHER).hexdigest()
    assert part.read_bytes() == OTHER


def test_a_part_that_the_server_does_not_have_or_that_is_another_one_is_dropped(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT, cuts=[500_000, 0, 0, 0]))
    with pytest.raises(Unreachable):
        get(Wanted(url, 0, ""), part)
    server.put("/f", File(CONTENT[:400_000]))
    assert get(Wanted(url), part) == hashlib.sha256(CONTENT[:400_000]).hexdigest()
    forget(part)
    url = server.put("/g", File(CONTENT, cuts=[100_000], shifted=True))
    assert get(Wanted(url, len(CONTENT), DIGEST), part) == DIGEST
    assert server.ranges("/g") == ["", "bytes=100000-", ""]


def test_another_content_is_refused_and_nothing_is_kept(server: Files, part: Path) -> None:
    url = server.put("/f", File(OTHER))
    with pytest.raises(TacitError, match=rf"its SHA-256 is {hashlib.sha256(OTHER).hexdigest()}, not {DIGEST}"):
        get(Wanted(url, len(CONTENT), DIGEST), part)
    assert nothing_is_left(part)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (File(CONTENT[:-1]), r"is a file of 699,999 bytes, and 700,000 were expected"),
        (File(CONTENT + b"x"), r"is a file of 700,001 bytes"),
        (File(CONTENT + b"x", length=None), r"sent more than the 700,000 bytes"),
    ],
)
def test_another_size_is_refused_and_nothing_is_kept(server: Files, part: Path, file: File, said: str) -> None:
    url = server.put("/f", file)
    with pytest.raises(TacitError, match=said):
        get(Wanted(url, len(CONTENT), DIGEST), part)
    assert nothing_is_left(part)


def test_a_file_that_is_always_shorter_is_given_up(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT[:-1], length=None))
    with pytest.raises(Unreachable, match="could not be fetched"):
        get(Wanted(url, len(CONTENT), DIGEST), part)


def test_a_size_that_nobody_states_is_taken_as_it_comes(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT, length=None))
    assert get(Wanted(url), part) == DIGEST


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "There is no file at http"),
        (410, "There is no file at"),
        (401, r"to nobody who has not logged in \(401\)\. Fetch it with a browser, then `tacit models add PATH`"),
        (403, "to nobody who has not logged in"),
        (400, "it answered 400 Bad Request"),
    ],
)
def test_what_the_server_refuses_is_one_sentence_and_not_asked_for_again(
    server: Files, part: Path, status: int, said: str
) -> None:
    url = server.put("/f", File(CONTENT, fails=[status]))
    with pytest.raises(TacitError, match=said):
        get(Wanted(url), part)
    assert len(server.asked) == 1


def test_a_server_that_is_busy_is_asked_again(server: Files, part: Path) -> None:
    url = server.put("/f", File(CONTENT, fails=[503, 429]))
    assert get(Wanted(url, len(CONTENT), DIGEST), part) == DIGEST
    server.put("/f", File(CONTENT, fails=[500] * 9))
    forget(part)
    with pytest.raises(Unreachable, match="it answered 500"):
        get(Wanted(url), part)


def test_it_follows_to_where_the_file_is(server: Files, part: Path) -> None:
    server.put("/there", File(CONTENT, cuts=[100_000]))
    url = server.put("/here", File(to="/there"))
    assert get(Wanted(url, len(CONTENT), DIGEST), part) == DIGEST
    assert server.ranges("/there") == ["", "bytes=100000-"]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "http://models.example/f"])
def test_it_follows_to_no_other_kind_of_address(server: Files, part: Path, to: str) -> None:
    url = server.put("/here", File(to=to))
    with pytest.raises(TacitError):
        get(Wanted(url), part)
    assert nothing_is_left(part)


def test_it_does_not_follow_from_https_to_http() -> None:
    redirects = Redirects()
    headers = Message()
    with pytest.raises(TacitError, match="which Tacit does not follow"):
        redirects.redirect_request(Request("https://a.b/c"), None, 302, "", headers, "http://a.b/c")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a/b", "/etc/passwd", "https:///x", "http://[", "http://a b", "http://a/b"]
)
def test_addresses_that_are_none(url: str, part: Path) -> None:
    with pytest.raises(BadInput, match=r"is no address that begins with https://"):
        look(url)
    with pytest.raises(BadInput):
        get(Wanted(url), part)


def test_what_is_said_of_a_file_before_it_is_fetched(server: Files) -> None:
    url = server.put("/f", File(CONTENT))
    assert look(url) == Wanted(url, len(CONTENT))
    assert server.ranges("/f") == ["bytes=0-0"]
    assert look(server.put("/g", File(CONTENT, ranges=False))).size == len(CONTENT)
    assert look(server.put("/h", File(CONTENT, ranges=False, length=None))).size == 0
    stated = {"X-Linked-ETag": f'"{DIGEST}"', "X-Linked-Size": "700000"}
    server.put("/there", File(b"?"))
    hub = server.put("/hub", File(to="/there", headers=stated))
    assert look(hub) == Wanted(hub, 700_000, DIGEST)
    plain = server.put("/plain", File(CONTENT, headers={"X-Linked-ETag": '"not a digest"'}))
    assert look(plain).sha256 == ""
    with pytest.raises(BadInput, match="is empty"):
        look(server.put("/empty", File(b"")))


def test_a_document_is_looked_up(server: Files) -> None:
    assert look_up(server.put("/a", File(b'{"b": [1]}'))) == {"b": [1]}
    with pytest.raises(Unreachable):
        look_up(server.put("/html", File(b"<html>")))
    with pytest.raises(BadInput, match="There is no file"):
        look_up(f"{server.url}/none")


def test_offline_it_says_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/f"
    for ask in (look, look_up):
        with pytest.raises(Unreachable, match=r"Connection refused\. Try again .* `tacit models add PATH`"):
            ask(url)


def test_a_proxy_is_asked_where_the_environment_names_one(
    server: Files, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.put("http://127.0.0.2/f", File(CONTENT))
    assert get(Wanted("http://127.0.0.2/f", len(CONTENT), DIGEST), part) == DIGEST


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    server: Files, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.put("/f", File(CONTENT))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(0, 0, download.SPARE + len(CONTENT) - 1))
    with pytest.raises(TacitError, match=r"GB free, and .* GB are to be fetched\. Make room"):
        get(Wanted(url), part)
    assert nothing_is_left(part)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(0, 0, download.SPARE + len(CONTENT)))
    assert get(Wanted(url), part) == DIGEST


def test_a_file_without_end_does_not_fill_the_disk(server: Files, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody said how large it is: there is room when it begins, and it goes on and on."""
    url = server.put("/f", File(CONTENT, length=None))
    monkeypatch.setattr(download, "_LOOK", len(CONTENT) // 8)
    free = download.SPARE + len(CONTENT) // 2
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: Disk(0, 0, free - (part.stat().st_size if part.exists() else 0))
    )
    with pytest.raises(TacitError, match="Make room"):
        get(Wanted(url), part)
    assert part.stat().st_size < len(CONTENT)


def test_a_disk_that_becomes_full_keeps_what_arrived(
    server: Files, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.put("/f", File(CONTENT, cuts=[100_000]))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TacitError, match=r"is full\. What arrived is kept"):
            get(Wanted(url, len(CONTENT), DIGEST), part)
    assert part.stat().st_size == 100_000
    assert get(Wanted(url, len(CONTENT), DIGEST), part) == DIGEST
    assert server.ranges("/f") == ["", "bytes=100000-"]
