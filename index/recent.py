"""Keeps what was made of texts lately, as long as the texts are not too long together. Nothing else.

`functools.lru_cache` counts its entries: eight readings of a file of ten lines and of one of ten thousand are the same
to it, and a file that is being written is another text at each key.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LEAST = 2
"""Readings that are kept however long their texts are: the text at hand, and the one that is made of it."""


def recent(longest: int, most: int = 8) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep at most `most` results of a function, of arguments whose strings have at most `longest` characters in all.

    For pure functions of hashable arguments; safe in several threads, which may then compute the same twice.
    """

    def keeping(function: Callable[P, T]) -> Callable[P, T]:
        kept: OrderedDict[Any, tuple[T, int]] = OrderedDict()
        lock = Lock()

        @wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            key = args, tuple(sorted(kwargs.items()))
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key][0]
            result = function(*args, **kwargs)
            length = sum(len(each) for each in (*args, *kwargs.values()) if isinstance(each, str))
            with lock:
                kept[key] = result, length
                total = sum(each for _, each in kept.values())
                while len(kept) > LEAST and (len(kept) > most or total > longest):
                    total -= kept.popitem(last=False)[1][1]
            return result

        return asked

    return keeping
