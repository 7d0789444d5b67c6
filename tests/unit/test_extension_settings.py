"""The settings that the VS Code extension offers are those that the sidecar reads, with the same defaults."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tacit.server.model.presets import PRESETS, template
from tacit.server.settings import KEYS, Settings, read_settings

EXTENSION = Path(__file__).parents[2] / "vscode-extension"
OFFERED: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))["contributes"][
    "configuration"
]["properties"]
# Ghost text is switched off in the extension itself, for each language; it has commands of its own to close a goal.
ELSEWHERE = {"inline.enabled", "codeAction.closeGoal"}


@pytest.mark.parametrize("key", sorted(set(KEYS) - ELSEWHERE))
def test_what_the_sidecar_reads_can_be_set_in_the_editor(key: str) -> None:
    offered = OFFERED[f"tacit.{key}"]
    default = asdict(Settings())[KEYS[key].field]
    if key == "model.templates":
        assert offered["default"] == {}
    else:
        assert offered["default"] == (list(default) if isinstance(default, tuple) else default)
    assert (offered.get("description") or offered["markdownDescription"]).endswith(".")


def test_the_defaults_of_the_editor_change_nothing() -> None:
    sent = {name: each["default"] for name, each in OFFERED.items()}
    assert read_settings(sent) == (Settings(), ())


def test_the_limits_of_the_editor_are_those_of_the_sidecar() -> None:
    offered = OFFERED["tacit.model.context"]
    for value, kept in ((offered["minimum"], True), (offered["maximum"], True), (offered["minimum"] - 1, False)):
        settings, complaints = read_settings({"tacit": {"model": {"context": value}}})
        assert (settings.model_context == value, not complaints) == (kept, kept)


def test_every_key_of_a_template_is_offered_and_the_example_can_be_used() -> None:
    offered = OFFERED["tacit.model.templates"]
    values = {"string": "{name}", "array": ["x"], "boolean": False}
    every = {name: values[each["type"]] for name, each in offered["additionalProperties"]["properties"].items()}
    assert template("mine", {**every, "prompt": "{state}"}).one_line is False
    [example] = re.findall(r"`(\{\".*\})`", offered["markdownDescription"])
    settings, complaints = read_settings({"tacit": {"model": {"templates": json.loads(example), "preset": "mine"}}})
    assert (complaints, [each.name for each in settings.model_templates]) == ((), ["mine"])


def test_the_presets_that_are_suggested_are_all_there_are() -> None:
    assert set(OFFERED["tacit.model.preset"]["examples"]) == set(PRESETS)


def test_the_readme_names_every_setting() -> None:
    readme = (EXTENSION / "README.md").read_text(encoding="utf-8")
    assert [name for name in OFFERED if f"`{name}`" not in readme] == []
