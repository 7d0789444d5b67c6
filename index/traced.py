"""Takes the premises out of a repository that LeanDojo has traced, with its `lean-dojo` package, an optional extra.

What comes out is a `corpus.jsonl`, which `tacit.index.leandojo` reads; LeanDojo's own benchmarks are made in this way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tacit.index.files import replace_file

INSTALL = 'pip install "lean-tacit[dojo]" gets it (75 packages, 300 MB).'

Progress = Callable[[str, int, int], None]


class TracedError(Exception):
    """This repository cannot be read. The text says why and what to do."""


def write_corpus(traced: Path, place: Path, progress: Progress) -> int:
    """Write the corpus of a traced repository, whole or not at all; how many premises are in it. Raises TracedError."""
    try:
        from lean_dojo import TracedRepo
    except ImportError as error:
        raise TracedError(f"To read a traced repository takes lean-dojo, which is not installed. {INSTALL}") from error
    progress("loading", 0, 1)
    try:
        graph: Any = TracedRepo.load_from_disk(traced).traced_files_graph
    except Exception as error:  # whatever lean-dojo, git or XML say of a folder that is no traced repository
        raise TracedError(f"LeanDojo cannot load {traced}: {str(error) or type(error).__name__}.") from error
    lines, count = [], 0
    files = list(graph.nodes)
    for number, name in enumerate(files):
        progress("reading", number, len(files))
        file = graph.nodes[name]["traced_file"]
        premises = file.get_premise_definitions()
        count += len(premises)
        imports = [str(each) for each in graph.successors(name)]
        lines.append(json.dumps({"path": str(file.path), "imports": imports, "premises": premises}, ensure_ascii=False))
    if not count:
        raise TracedError(f"There are no premises in {traced}.")
    try:
        replace_file(place, ("\n".join(lines) + "\n").encode("utf-8", "replace"))
    except OSError as error:
        raise TracedError(f"{place} cannot be written: {error.strerror or error}.") from error
    return count
