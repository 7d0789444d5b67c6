"""The models that can be fetched by name: what is said of each fits the rest of Tacit and the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tacit.server.model.presets import PRESETS
from tacit.server.model_catalogue import CATALOGUE, UNCONVERTED, Published
from tacit.server.models import fit_name

DOCUMENT = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("each", CATALOGUE.values(), ids=CATALOGUE)
def test_each_can_be_asked_for_and_asked(each: Published) -> None:
    assert fit_name(each.name) == each.name
    assert each.preset in PRESETS
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", each.repository)
    assert re.fullmatch(r"main|[0-9a-f]{40}", each.revision)
    assert re.fullmatch(r"|[0-9a-f]{64}", each.sha256)
    # A file that must have a SHA-256 is looked for where nobody can put another one in its place.
    assert each.revision != "main" or not each.sha256
    assert each.size > 0 < len(each.licence)


@pytest.mark.parametrize("each", CATALOGUE.values(), ids=CATALOGUE)
def test_each_is_documented(each: Published) -> None:
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{each.name}` |")]
    assert f"`{each.repository}`" in row
    assert row.endswith("| known |" if each.sha256 else "| asked of the hub |")


def test_every_preset_of_a_step_prover_can_be_fetched_or_is_told_how_to_be_had() -> None:
    asked = {each.preset for each in CATALOGUE.values()} | set(UNCONVERTED)
    assert set(PRESETS) - {"tacit-tiny"} == asked
    for each in UNCONVERTED.values():
        assert f"`{each.repository}`" in DOCUMENT
