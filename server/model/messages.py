"""Everything that the sidecar and the model worker say to each other. The only module that both rest on.

A message is a frozen value; on the pipe it is four bytes of length (big-endian) and so much JSON in UTF-8. What does
not read as a message of this table is a BrokenMessage: whoever gets one ends the connection.
"""

from __future__ import annotations

import json
import math
import types
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, BinaryIO, TypeVar, Union, get_args, get_origin, get_type_hints

from tacit.server.model.prompts import Preset, Question

MOST_BYTES = 8 << 20
"""No honest message comes near it; a length beyond it is garbage."""

T = TypeVar("T")


class BrokenMessage(Exception):
    """What came is no message."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model. Sent once, first. `context` and `tokens`: the longest prompt with its answer, the longest answer.

    `memory_mib` limits the address space of the worker; 0 leaves the limit to it (see `loading`).
    `plain` leaves out the processor's matrix instructions: some virtual machines announce them and do not have them.
    """

    path: str
    context: int
    sequences: int
    tokens: int
    threads: int
    memory_mib: int = 0
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Generate:
    """Propose up to `count` distinct tactics. `temperature` 0 leaves only the likeliest answer."""

    id: int
    preset: Preset
    question: Question
    count: int
    tokens: int
    temperature: float = 0.9
    top_p: float = 0.98


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this request now. It is answered with Done all the same."""

    id: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model is ready. `context` is what it takes in the end."""

    name: str
    architecture: str
    parameters: int
    context: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Proposed:
    """One tactic. `log_prob` is the sum over its `tokens` of natural logarithms."""

    id: int
    text: str
    log_prob: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Working:
    """Nothing new, but not stuck either; or, at the beginning, that something was left out of the prompt."""

    id: int
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The request is finished. `reused` of `prompt` tokens were still there from the request before."""

    id: int
    prompt: int = 0
    reused: int = 0
    generated: int = 0
    prompt_seconds: float = 0.0
    seconds: float = 0.0
    cancelled: bool = False
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """What could not be done: this request, or loading where `id` is 0. The worker goes on, or ends after a Load."""

    id: int
    sentence: str
    hint: str = ""


Order = Load | Generate | Cancel
Report = Loaded | Proposed | Working | Done | Failed
Message = Order | Report
_BY_NAME = {each.__name__: each for each in (*get_args(Order), *get_args(Report))}


def encode(message: Message) -> bytes:
    """The message with its length before it."""
    body = json.dumps({"type": type(message).__name__, **asdict(message)}, ensure_ascii=False, allow_nan=False)
    # A surrogate half, as an editor may hold, has no UTF-8: it is sent as `?`.
    data = body.encode("utf-8", "replace")
    if len(data) > MOST_BYTES:
        raise BrokenMessage(f"a message of {len(data)} bytes is too long")
    return len(data).to_bytes(4, "big") + data


def decode(data: bytes) -> Message:
    """The message in a frame, its length taken off."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BrokenMessage("not JSON") from error
    if not isinstance(value, dict) or not isinstance(kind := value.pop("type", None), str) or kind not in _BY_NAME:
        raise BrokenMessage("not a message of this table")
    message: Message = _record(_BY_NAME[kind], value, kind)
    return message


def length(head: bytes) -> int:
    """The length that four bytes say. Raises BrokenMessage where no message is that long."""
    said = int.from_bytes(head, "big")
    if not 2 <= said <= MOST_BYTES:
        raise BrokenMessage(f"a message of {said} bytes")
    return said


def read(stream: BinaryIO) -> Message | None:
    """The next message of a blocking stream; None at its end."""
    head = stream.read(4)
    if not head:
        return None
    if len(head) < 4:
        raise BrokenMessage("cut off")
    data = stream.read(size := length(head))
    if len(data) < size:
        raise BrokenMessage("cut off")
    return decode(data)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _record(kind: type[T], value: Any, where: str) -> T:
    if not isinstance(value, dict):
        raise BrokenMessage(f"{where} must be an object")
    assert is_dataclass(kind)
    names = {each.name for each in fields(kind)}
    if extra := set(value) - names:
        raise BrokenMessage(f"{where} has no field {min(extra)}")
    hints = _hints(kind)
    try:
        made: T = kind(**{name: _value(hints[name], each, f"{where}.{name}") for name, each in value.items()})
    except TypeError as error:
        raise BrokenMessage(f"{where} lacks a field") from error
    return made


def _value(kind: Any, value: Any, where: str) -> Any:
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise BrokenMessage(f"{where} must be a list")
        return tuple(_value(get_args(kind)[0], each, where) for each in value)
    if get_origin(kind) in (Union, types.UnionType):
        return None if value is None else _value(get_args(kind)[0], value, where)
    if is_dataclass(kind):
        return _record(kind, value, where)  # type: ignore[arg-type]
    if kind is float and type(value) is int:
        value = float(value)
    # `type`, not isinstance: True is no number here.
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise BrokenMessage(f"{where} must be {kind.__name__}")
    return value
