"""Every fault that there is: importing this fills `FAULTS`."""

from __future__ import annotations

from tests.faults import lean_faults, model_faults
from tests.faults.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "lean_faults", "model_faults"]
