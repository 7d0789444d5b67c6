"""Many answers to one prompt in one pass: the prompt is decoded once and its cache shared by all of them.

Each sampler draws its own tokens from a seed of its own. Samplers that have drawn the same so far share one path, and
so one token of each batch. One that has finished begins again from the prompt, until there are as many answers as asked
for; what has been drawn to its end is never drawn again (sampling without replacement from the tree of sequences, as in
Shi, Bieber and Sutton, "Incremental Sampling Without Replacement for Sequence Models", 2020).

What runs the model is an Engine; nothing here knows llama.cpp.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tacit.server.model.outputs import CLOSED_BY, OPEN

Logits = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
TRIES = 3
"""How many draws there are for each answer asked for."""
_TOP_K = 64
_LEAST_MASS = 1e-4
_LEAST_FITTING = 1e-3


class Cancelled(Exception):
    """The request was cancelled between two steps."""


class EngineFailed(Exception):
    """A step could not be computed; the engine has forgotten everything."""


class Step(NamedTuple):
    """One token of a batch: at which position of which sequence, and whether the logits behind it are wanted."""

    token: int
    position: int
    sequence: int
    wanted: bool


class Engine(Protocol):
    """A loaded model with a cache for several sequences, numbered from 0."""

    sequences: int
    chunk: int
    ends: Mask
    """The tokens that end an answer."""
    banned: Mask
    """Those that never stand in one."""

    def decode(self, steps: Sequence[Step]) -> list[Logits]:
        """Compute at most `chunk` tokens; the logits of those wanted, in order. Raises EngineFailed or Cancelled."""
        ...

    def copy(self, source: int, target: int) -> None:
        """Let one sequence have all that another has."""
        ...

    def cut(self, sequence: int, start: int) -> bool:
        """Forget a sequence from a position on; False where that cannot be: then only `clear` helps."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def piece(self, token: int) -> bytes:
        """The text of a token."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted. `count` distinct answers of at most `tokens` tokens each.

    `balanced`: no bracket is closed that is not open, and no answer ends while one is.
    """

    count: int
    tokens: int
    temperature: float = 0.9
    top_p: float = 0.98
    balanced: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that was drawn to its end. `whole`: it was ended by the model or a stop, not by its length."""

    text: str
    log_prob: float
    tokens: int
    whole: bool


@dataclass(slots=True)
class Counts:
    """What a request took, in tokens."""

    prompt: int = 0
    reused: int = 0
    generated: int = 0


class _Brackets(NamedTuple):
    """The brackets that are open, and the bytes of a character that is not whole yet."""

    open: str
    pending: bytes

    def after(self, piece: bytes) -> _Brackets | None:
        """What is open behind a piece of text; None where it closes what is not."""
        text, size = codecs.utf_8_decode(self.pending + piece, "ignore", False)
        stack = self.open
        for char in text:
            if char in OPEN:
                stack += char
            elif char in CLOSED_BY:
                if not stack.endswith(CLOSED_BY[char]):
                    return None
                stack = stack[:-1]
        return _Brackets(stack, (self.pending + piece)[size:])


_NONE_OPEN = _Brackets("", b"")


@dataclass(slots=True)
class _Sampler:
    random: np.random.Generator
    greedy: bool


@dataclass(slots=True)
class _Path:
    """Samplers that have drawn the same so far. `drawn_prob` is the probability that they did, as they draw."""

    samplers: list[_Sampler]
    logits: Logits
    sequence: int
    tokens: tuple[int, ...] = ()
    data: bytes = b""
    log_prob: float = 0.0
    drawn_prob: float = 1.0
    brackets: _Brackets = _NONE_OPEN


@dataclass(slots=True)
class _Drawn:
    """Probability of what has been drawn to its end, for each beginning of it."""

    mass: dict[tuple[int, ...], float] = field(default_factory=dict)

    def add(self, tokens: tuple[int, ...], probability: float) -> None:
        for end in range(len(tokens) + 1):
            self.mass[tokens[:end]] = self.mass.get(tokens[:end], 0.0) + probability


class Generator:
    """Answers one prompt after another on one engine; what two prompts have in common at the start is decoded once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._prompt: tuple[int, ...] = ()
        self._logits: Logits | None = None
        self._computing = False

    def run(
        self,
        prompt: Sequence[int],
        plan: Plan,
        stop: Callable[[str], str | None],
        found: Callable[[Answer], int],
        tick: Callable[[], None],
        counts: Counts,
    ) -> None:
        """Draw answers.

        `stop` gives the answer, cut, of a text that has come to its end, else None. `found` takes an answer and says
        how many distinct ones there are by now. `tick` is called before each step, and raises Cancelled to end all
        this. `counts` is kept up to date, also when this ends early.
        """
        try:
            logits = self._read(tuple(prompt), tick, counts)
            self._draw(logits, plan, stop, found, tick, counts)
        except Cancelled:
            if self._computing:  # what the cache holds of this step cannot be told
                self._forget()
            raise
        except BaseException:
            self._forget()
            raise
        finally:
            for each in range(1, self._engine.sequences):
                if self._prompt and not self._engine.cut(each, 0):
                    self._forget()

    def _decode(self, steps: Sequence[Step]) -> list[Logits]:
        self._computing = True
        logits = self._engine.decode(steps)
        self._computing = False
        return logits

    def _forget(self) -> None:
        self._computing = False
        self._engine.clear()
        self._prompt, self._logits = (), None

    def _read(self, prompt: tuple[int, ...], tick: Callable[[], None], counts: Counts) -> Logits:
        """Decode what is new of the prompt into sequence 0."""
        counts.prompt = len(prompt)
        if prompt == self._prompt and self._logits is not None:
            counts.reused = len(prompt)
            return self._logits
        same = 0
        for ours, theirs in zip(self._prompt, prompt[:-1], strict=False):
            if ours != theirs:
                break
            same += 1
        if not self._engine.cut(0, same):
            self._engine.clear()
            same = 0
        counts.reused = same
        self._prompt, self._logits = prompt[:same], None
        logits: list[Logits] = []
        while (at := len(self._prompt)) < len(prompt):
            tick()
            part = prompt[at : at + self._engine.chunk]
            last = len(prompt) - 1
            steps = [Step(token, at + i, 0, at + i == last) for i, token in enumerate(part)]
            logits = self._decode(steps)
            self._prompt = prompt[: at + len(part)]
        self._logits = logits[0]
        return self._logits

    def _draw(
        self,
        logits: Logits,
        plan: Plan,
        stop: Callable[[str], str | None],
        found: Callable[[Answer], int],
        tick: Callable[[], None],
        counts: Counts,
    ) -> None:
        engine = self._engine
        size = min(plan.count, engine.sequences - 1) if plan.temperature > 0 else 1
        free = list(range(engine.sequences - 1, 0, -1))
        tries = plan.count * TRIES if plan.temperature > 0 else 1
        # Seeded by number alone: the same question is answered the same way.
        idle = [_Sampler(np.random.default_rng(seed), seed == 0) for seed in range(size)]
        drawn = _Drawn()
        live: list[_Path] = []
        distinct = 0
        while True:
            tick()
            if idle and tries > 0 and 1.0 - drawn.mass.get((), 0.0) > _LEAST_MASS:
                begin, idle = idle[:tries], idle[tries:]
                tries -= len(begin)
                live.append(_Path(begin, logits, 0))
            grown: list[_Path] = []
            for path in live:
                # An answer that ends before it begins is none.
                log_probs = _log_probs(path.logits, engine.banned if path.tokens else engine.banned | engine.ends)
                allowed = partial(self._fits, path.brackets) if plan.balanced else None
                weights, kept = _weights(log_probs, plan, allowed)
                if not len(kept):  # nothing likely fits: a dead end
                    drawn.add(path.tokens, path.drawn_prob)
                    idle += path.samplers
                    continue
                for token, samplers in _choices(path, weights, kept, drawn).items():
                    if token is None:
                        idle += samplers  # everything behind this beginning has been drawn
                        continue
                    piece = b"" if engine.ends[token] else engine.piece(token)
                    grown.append(
                        _Path(
                            samplers,
                            path.logits,
                            path.sequence,
                            (*path.tokens, token),
                            path.data + piece,
                            path.log_prob + float(log_probs[token]),
                            path.drawn_prob * float(weights[np.flatnonzero(kept == token)[0]]),
                            (path.brackets.after(piece) if plan.balanced else None) or _NONE_OPEN,
                        )
                    )
            going: list[_Path] = []
            for path in grown:
                answer = self._ended(path, stop, plan.tokens)
                if answer is None:
                    going.append(path)
                    continue
                drawn.add(path.tokens, path.drawn_prob)
                idle += path.samplers
                distinct = found(answer)
            if distinct >= plan.count:
                return
            live = going
            if not live:
                if not idle or tries <= 0 or 1.0 - drawn.mass.get((), 0.0) <= _LEAST_MASS:
                    return
                continue
            self._place(live, free)
            steps = [
                Step(path.tokens[-1], len(self._prompt) + len(path.tokens) - 1, path.sequence, True) for path in live
            ]
            tick()
            for path, ours in zip(live, self._decode(steps), strict=True):
                path.logits = ours
            counts.generated += len(steps)

    def _fits(self, brackets: _Brackets, token: int) -> bool:
        """Whether a token may follow where brackets are to match."""
        if self._engine.ends[token]:
            return not brackets.open
        return brackets.after(self._engine.piece(token)) is not None

    def _place(self, live: list[_Path], free: list[int]) -> None:
        """Give each path a sequence of its own: the first child keeps its parent's, the others get a copy."""
        kept: set[int] = set()
        moving = []
        for path in live:
            if path.sequence and path.sequence not in kept:
                kept.add(path.sequence)
            else:
                moving.append(path)
        unused = [each for each in range(self._engine.sequences - 1, 0, -1) if each not in kept]
        for each in unused:
            if each not in free and not self._engine.cut(each, 0):
                raise EngineFailed("This kind of model cannot answer several times from one prompt.")
        free[:] = unused
        for path in moving:
            target = free.pop()
            self._engine.copy(path.sequence, target)
            path.sequence = target

    def _ended(self, path: _Path, stop: Callable[[str], str | None], most: int) -> Answer | None:
        text = path.data.decode("utf-8", "ignore")
        cut = stop(text)
        if self._engine.ends[path.tokens[-1]]:
            return Answer(text if cut is None else cut, path.log_prob, len(path.tokens), True)
        if cut is not None:
            return Answer(cut, path.log_prob, len(path.tokens), True)
        if len(path.tokens) >= most:
            return Answer(text, path.log_prob, len(path.tokens), False)
        return None


def _log_probs(logits: Logits, banned: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Logarithms of probabilities, as if the banned tokens were not there."""
    values = logits.astype(np.float64)
    values[banned] = -np.inf
    highest = values.max()
    if not np.isfinite(highest):
        raise EngineFailed("The model gives no number for what comes next: its file may be damaged.")
    values -= highest
    shifted: npt.NDArray[np.float64] = values - np.log(np.exp(values).sum())
    return shifted


def _weights(
    log_probs: npt.NDArray[np.float64], plan: Plan, allowed: Callable[[int], bool] | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """The probabilities drawn with, and their tokens, likeliest first: the likeliest 64, and of these `top_p`.

    Of those only what is `allowed`; nothing where that is next to nothing of what the model would say.
    """
    size = min(_TOP_K, len(log_probs))
    kept = np.argpartition(log_probs, -size)[-size:] if size < len(log_probs) else np.arange(size)
    kept = kept[np.lexsort((kept, -log_probs[kept]))]
    if allowed is not None:
        kept = kept[np.isfinite(log_probs[kept])]
        fitting = kept[np.array([allowed(int(token)) for token in kept], np.bool_)]
        if np.exp(log_probs[fitting]).sum() < _LEAST_FITTING * np.exp(log_probs[kept]).sum():
            return np.zeros(0), fitting[:0]
        kept = fitting
    scaled = log_probs[kept] / max(plan.temperature, 1e-3)
    weights = np.exp(scaled - scaled[0])
    weights /= weights.sum()
    # Enough of them to reach top_p, the one that reaches it included.
    most = int(np.searchsorted(np.cumsum(weights), plan.top_p)) + 1
    weights, kept = weights[:most], kept[:most]
    return weights / weights.sum(), kept


def _choices(
    path: _Path, weights: npt.NDArray[np.float64], kept: npt.NDArray[np.intp], drawn: _Drawn
) -> dict[int | None, list[_Sampler]]:
    """What each sampler of a path draws next; None where nothing is left to draw."""
    left = weights.copy()
    if path.tokens in drawn.mass:
        for at, token in enumerate(kept):
            left[at] -= drawn.mass.get((*path.tokens, int(token)), 0.0) / path.drawn_prob
        left[left < 1e-9] = 0.0
    total = left.sum()
    choices: dict[int | None, list[_Sampler]] = {}
    for sampler in path.samplers:
        if total <= 0:
            choices.setdefault(None, []).append(sampler)
            continue
        at = int(left.argmax()) if sampler.greedy else int(sampler.random.choice(len(left), p=left / total))
        choices.setdefault(int(kept[at]), []).append(sampler)
    return choices
