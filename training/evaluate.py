"""How good a trained model is on held-out examples: its loss, and how often the tactic that was written is proposed.

A tactic counts as proposed when its text is the same, blanks apart. Another one may do as well: only Lean can tell.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tacit.training.batches import fit
from tacit.training.errors import TrainingError, library
from tacit.training.examples import Example
from tacit.training.tokenizer import Tokenizer

BEAMS = 8
LONGEST_ANSWER = 96
"""Ids of a proposed tactic."""


@dataclass(slots=True)
class Tally:
    """Sums over examples. `loss` is in nats over `ids` ids of tactics; the others count examples."""

    examples: int = 0
    ids: int = 0
    loss: float = 0.0
    first_id: int = 0
    first_word: int = 0
    top_1: int = 0
    top_8: int = 0

    def means(self) -> dict[str, float]:
        """What is reported."""
        some = max(1, self.examples)
        return {
            "examples": self.examples,
            "loss": self.loss / max(1, self.ids),
            "first token": self.first_id / some,
            "first word": self.first_word / some,
            "top-1": self.top_1 / some,
            "top-8": self.top_8 / some,
        }


@dataclass(slots=True)
class Quality:
    """All examples, and those of each kind."""

    all: Tally = field(default_factory=Tally)
    kinds: dict[str, Tally] = field(default_factory=dict)

    def report(self) -> dict[str, dict[str, float]]:
        """Means, by kind and over all."""
        return {**{kind: each.means() for kind, each in sorted(self.kinds.items())}, "all": self.all.means()}


def sample(examples: Iterable[Example], count: int, seed: int) -> list[Example]:
    """So many of the examples, each as likely as any other, in one pass that keeps no more of them."""
    chance = random.Random(seed)
    kept: list[Example] = []
    for number, each in enumerate(examples):
        if number < count:
            kept.append(each)
        elif (place := chance.randrange(number + 1)) < count:
            kept[place] = each
    return kept


def evaluate(
    model: Any, tokenizer: Tokenizer, examples: Sequence[Example], progress: Callable[[int, int], None]
) -> Quality:
    """Ask the model for each example. Raises TrainingError where there is none."""
    torch = library("torch")
    if not examples:
        raise TrainingError("No example is held out.", "Gather more files: one in fifty is held out.")
    quality = Quality()
    with torch.inference_mode():
        for number, example in enumerate(examples):
            progress(number, len(examples))
            _ask(torch, model, tokenizer, example, (quality.all, quality.kinds.setdefault(example.kind, Tally())))
    return quality


def _ask(torch: Any, model: Any, tokenizer: Tokenizer, example: Example, tallies: Sequence[Tally]) -> None:
    context = model.sizes.context
    asked, tactic = tokenizer.encode_many([example.prompt, example.tactic])
    answer = [*tactic, tokenizer.end]
    row = fit(asked, answer, context)
    if row is None:
        return
    begin = len(row) - len(answer)
    logits, _ = model(torch.tensor([row[:-1]]))
    given = torch.log_softmax(logits[0, begin - 1 :].float(), -1)
    right = torch.tensor(answer)
    loss = -float(given.gather(1, right[:, None]).sum())
    proposed = [_same(text) for text, _ in propose(model, tokenizer, asked)]
    wanted = _same(example.tactic)
    for each in tallies:
        each.examples += 1
        each.ids += len(answer)
        each.loss += loss
        each.first_id += int(given[0].argmax() == answer[0])
        each.first_word += bool(proposed) and proposed[0].split(" ")[0] == wanted.split(" ")[0]
        each.top_1 += proposed[:1] == [wanted]
        each.top_8 += wanted in proposed


def _same(text: str) -> str:
    return " ".join(text.split())


def propose(
    model: Any, tokenizer: Tokenizer, asked: Sequence[int], beams: int = BEAMS, longest: int = LONGEST_ANSWER
) -> list[tuple[str, float]]:
    """The tactics that beam search finds, best first, with their log-probabilities (nats)."""
    torch = library("torch")
    context = model.sizes.context
    longest = min(longest, context // 2)
    prompt = list(asked)[-(context - longest) :]
    logits, cache = model(torch.tensor([prompt]))
    scores = torch.log_softmax(logits[:, -1].float(), -1)
    sums = torch.zeros(1)
    written: list[list[int]] = [[]]
    ended: list[tuple[float, list[int]]] = []
    for _ in range(longest):
        total = sums[:, None] + scores
        best, places = total.flatten().topk(min(2 * beams, total.numel()))
        kept: list[tuple[float, int, int]] = []
        for value, place in zip(best.tolist(), places.tolist(), strict=True):
            row, token = divmod(place, scores.shape[1])
            if token == tokenizer.end:
                ended.append((value, written[row]))
            elif len(kept) < beams:
                kept.append((value, row, token))
        ended = sorted(ended, key=lambda each: -each[0])[:beams]
        # A text only becomes less likely as it grows.
        if len(ended) == beams and ended[-1][0] >= kept[0][0]:
            break
        rows = torch.tensor([row for _, row, _ in kept])
        written = [[*written[row], token] for _, row, token in kept]
        sums = torch.tensor([value for value, _, _ in kept])
        cache = [(keys[rows], values[rows]) for keys, values in cache]
        logits, cache = model(torch.tensor([[token] for _, _, token in kept]), None, cache)
        scores = torch.log_softmax(logits[:, -1].float(), -1)
    return [(tokenizer.decode(ids), value) for value, ids in ended]
