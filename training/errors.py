"""What can go wrong in training that a person can act on, and the libraries that are an optional extra."""

from __future__ import annotations

import importlib
from typing import Any


class TrainingError(Exception):
    """One sentence that says what happened; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def library(name: str) -> Any:
    """A library of the extra `train`, imported now. Raises TrainingError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TrainingError(
            f"Training needs {name.partition('.')[0]}, which is not installed.",
            "Install it: pip install 'lean-tacit[train]'.",
        ) from error
