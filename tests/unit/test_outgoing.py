"""What goes out on the wire."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tacit.server.outgoing import to_location


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/a b/𝕜.lean", "file:///a%20b/%F0%9D%95%9C.lean"),
        # Documents without a file: one of them made every search fail while it was open.
        ("untitled:Untitled-1", "untitled:Untitled-1"),
        ("git:/a/b.lean?ref=x", "git:/a/b.lean?ref=x"),
        ("vscode-notebook-cell:/a.ipynb#W0", "vscode-notebook-cell:/a.ipynb#W0"),
        ("vscode-vfs://github/a/B.lean", "vscode-vfs://github/a/B.lean"),
    ],
)
def test_a_location_is_the_files_or_the_documents_uri(path: str, uri: str) -> None:
    found = SimpleNamespace(hit=SimpleNamespace(stored=SimpleNamespace(path=path)), line=1, start=2, end=3)
    assert to_location(found).uri == uri  # type: ignore[arg-type]
