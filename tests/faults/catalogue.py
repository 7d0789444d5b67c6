"""Every fault that there is: importing this fills `FAULTS` from the modules beside it that end in `_faults`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.faults.fault import FAULTS, Fault

for _module in sorted(Path(__file__).parent.glob("*_faults.py")):
    import_module(f"tests.faults.{_module.stem}")

__all__ = ["FAULTS", "Fault"]
