"""Errors that a person can act on: one sentence that says what happened, one that says what to do."""

from __future__ import annotations


class TacitError(Exception):
    """Base of every error that Tacit shows. `str(error)` is the sentence; `hint` says what to do, or is empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def sentence(self) -> str:
        """What happened, without the hint."""
        return super().__str__()

    def __str__(self) -> str:
        """The sentence, followed by the hint where there is one."""
        message = super().__str__()
        return f"{message} {self.hint}" if self.hint else message


class LeanNotFound(TacitError):
    """No Lean was found, or what was found does not start."""


class LeanDied(TacitError):
    """The Lean server ended or stopped answering in the middle of a request."""


class NoGoal(TacitError):
    """There is no goal that Tacit can work on at this place; the sentence says why."""


class BadInput(TacitError):
    """What the user gave (a path, a position, a setting) cannot be used."""


class ModelUnavailable(TacitError):
    """The local model cannot answer now: it does not load, its worker died, or it hangs."""
