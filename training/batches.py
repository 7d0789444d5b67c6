"""Examples as ids on disk, and rows of them for training: packed without waste, in an order that a seed decides.

    write(examples, tokenizer, folder, context)      ids.u16, lengths.i32: memory-mapped, a run needs little memory
    Rows(folder).batches(size, seed, skip)

A row holds whole examples one after the other. Learning a tactic counts 1 an id, learning what is given PROMPT_WEIGHT,
the proof so far PROOF_WEIGHT. Of the later steps of one theorem each epoch draws one: the steps before it stand in what
is given, so that a proof is learned from whole, and once, rather than again with each of its steps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tacit.training.errors import TrainingError
from tacit.training.examples import LATER, Example
from tacit.training.prompt import PROOF, SPECIAL
from tacit.training.tokenizer import Tokenizer

PROMPT_WEIGHT = 0.1
"""What is given is Lean, too, and worth learning; there is some ten times as much of it."""
PROOF_WEIGHT = 0.5
"""The proof so far is tactics, but without the mark that asks for one."""
SHORTEST_PROMPT = 32
"""Ids of a prompt that must find room beside its tactic."""
IDS, LENGTHS, ABOUT = "ids.u16", "lengths.i32", "tokens.json"
OPEN_ROWS = 64
"""Rows that are filled at a time: an example goes into the first that has room."""
FORMAT = 2
"""Of the files; counted in their digest."""
_CHUNK = 512
_MARKS = len(SPECIAL)
_PROOF = SPECIAL.index(PROOF)


@dataclass(frozen=True, slots=True)
class Batch:
    """(rows, context) each: `ids`; `document`, the example's number in its row, -1 for padding; `weight` of an id."""

    ids: npt.NDArray[np.int64]
    document: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float32]


def fit(asked: Sequence[int], answer: Sequence[int], context: int) -> list[int] | None:
    """Prompt and answer on one row; a prompt too long loses its beginning; None where the answer leaves no room."""
    room = context - len(answer)
    return [*asked[-room:], *answer] if room >= SHORTEST_PROMPT else None


def digest(files: Iterable[Path]) -> str:
    """32 hex digits of what these files hold; a file that is not there holds nothing."""
    whole = hashlib.blake2b(b"%d" % FORMAT, digest_size=16)
    for path in files:
        if path.is_file():
            with path.open("rb") as content:
                whole.update(hashlib.file_digest(content, "blake2b").digest())
    return whole.hexdigest()


def written(folder: Path, of: str, context: int) -> bool:
    """Whether a folder has the ids of what this digest is of, for this context."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return bool((about["of"], about["context"]) == (of, context))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(
    examples: Iterable[Example], tokenizer: Tokenizer, folder: Path, context: int, *, of: str = ""
) -> dict[str, int]:
    """Write the ids of the examples; how many examples and ids there are, and how many had no room. Raises OSError.

    `of` is the digest of what they are made from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    about = {"context": context, "pad": tokenizer.pad, "examples": 0, "ids": 0, "too long": 0}
    each = iter(examples)
    theorems: dict[tuple[str, str], int] = {}
    with (folder / IDS).open("wb") as ids, (folder / LENGTHS).open("wb") as lengths:
        while chunk := list(islice(each, _CHUNK)):
            _write(chunk, tokenizer, context, about, theorems, ids, lengths)
    (folder / ABOUT).write_text(json.dumps({**about, "of": of}), encoding="utf-8")
    return about


def _write(
    chunk: list[Example],
    tokenizer: Tokenizer,
    context: int,
    about: dict[str, int],
    theorems: dict[tuple[str, str], int],
    ids: BinaryIO,
    lengths: BinaryIO,
) -> None:
    asked = tokenizer.encode_many([example.prompt for example in chunk])
    answers = tokenizer.encode_many([example.tactic for example in chunk])
    for example, prompt, tactic in zip(chunk, asked, answers, strict=True):
        answer = [*tactic, tokenizer.end]
        fitted = fit(prompt, answer, context)
        if fitted is None:
            about["too long"] += 1
            continue
        ids.write(np.array(fitted, np.uint16).tobytes())
        of = theorems.setdefault((example.module, example.name), len(theorems)) if example.kind == LATER else -1
        lengths.write(np.array([len(fitted) - len(answer), len(answer), of], np.int32).tobytes())
        about["examples"] += 1
        about["ids"] += len(fitted)


class Rows:
    """The ids that `write` wrote. Raises TrainingError where there are none."""

    def __init__(self, folder: Path) -> None:
        try:
            about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            self.context, self.pad = int(about["context"]), int(about["pad"])
            found = np.fromfile(folder / LENGTHS, np.int32).reshape(-1, 3)
            self._ids = np.memmap(folder / IDS, np.uint16, "r")
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(f"There are no ids of examples in {folder}.", "Begin the run anew.") from error
        self.lengths, self._theorems = found[:, :2], found[:, 2]
        """(examples, 2): ids of a prompt and of its answer; the number of the theorem whose later step it is, or -1."""
        self._starts = np.concatenate([[0], np.cumsum(self.lengths.sum(1, dtype=np.int64))])
        if not len(self.lengths) or self._starts[-1] != len(self._ids):
            raise TrainingError(f"The ids of examples in {folder} are not whole.", "Begin the run anew.")

    def __len__(self) -> int:
        return len(self.lengths)

    def drawn(self, seed: int) -> npt.NDArray[np.int64]:
        """The numbers of one epoch's examples, shuffled: all that are no later steps, and one of each theorem's."""
        order = np.random.default_rng(seed).permutation(len(self.lengths))
        theorems = self._theorems[order]
        _, first = np.unique(theorems, return_index=True)
        keep = theorems < 0
        keep[first] = True
        drawn: npt.NDArray[np.int64] = order[keep]
        return drawn

    def rows(self, seed: int) -> Iterator[list[int]]:
        """One epoch's examples, by number, in rows; lazily, so that an interrupted run goes on at once."""
        order = self.drawn(seed)
        sizes = self.lengths.sum(1)
        waiting: list[tuple[int, list[int]]] = []  # room and examples; the fullest first
        for number in order.tolist():
            size = int(sizes[number])
            for place, (room, row) in enumerate(waiting):
                if size <= room:
                    row.append(number)
                    waiting[place] = (room - size, row)
                    break
            else:
                waiting.append((self.context - size, [number]))
            if len(waiting) > OPEN_ROWS:
                fullest = min(range(len(waiting)), key=lambda place: waiting[place][0])
                yield waiting.pop(fullest)[1]
        for _, row in waiting:
            yield row

    def batches(self, size: int, seed: int, skip: int = 0) -> Iterator[Batch]:
        """One epoch's batches but for the first `skip`, which cost no reading; the last may be smaller."""
        rows = self.rows(seed)
        for _ in range(skip * size):
            if next(rows, None) is None:
                return
        while chunk := list(islice(rows, size)):
            yield self._batch(chunk)

    def in_epoch(self, size: int, seed: int) -> int:
        """How many batches there are in one epoch."""
        return -(-sum(1 for _ in self.rows(seed)) // size)

    def _batch(self, rows: Sequence[Sequence[int]]) -> Batch:
        shape = len(rows), self.context
        batch = Batch(np.full(shape, self.pad, np.int64), np.full(shape, -1, np.int64), np.zeros(shape, np.float32))
        for place, row in enumerate(rows):
            at = 0
            for number, example in enumerate(row):
                asked, answer = map(int, self.lengths[example])
                source, end = int(self._starts[example]), at + asked + answer
                batch.ids[place, at:end] = self._ids[source : source + asked + answer]
                batch.document[place, at:end] = number
                batch.weight[place, at + 1 : at + asked] = PROMPT_WEIGHT  # nothing comes before the first id
                proof = np.flatnonzero(batch.ids[place, at : at + asked] == _PROOF)
                if len(proof):
                    begin = at + int(proof[0]) + 1
                    marks = np.flatnonzero(batch.ids[place, begin : at + asked] < _MARKS)
                    batch.weight[place, begin : begin + int(marks[0]) if len(marks) else at + asked] = PROOF_WEIGHT
                batch.weight[place, at + asked : end] = 1.0
                at = end
        return batch
