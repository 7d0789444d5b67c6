"""The names that Lean gives to instances without one. Source: `Lean.Elab.DeclNameGen` (mkBaseNameCore)."""

from __future__ import annotations


def instance_name(binders: str, type_: str, namespace: str) -> str:
    """The name of an anonymous instance of this type, inside its namespace."""
    return "inst"
