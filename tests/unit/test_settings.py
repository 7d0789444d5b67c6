"""Reading settings: whatever an editor sends, there are settings afterwards, and a sentence for each misfit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.server.model.presets import template
from tacit.server.settings import KEYS, Settings, read_settings
from tests.unit.properties import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    "raw",
    [
        {"suggest": {"budget": 5}},
        {"suggest.budget": 5},
        {"tacit": {"suggest": {"budget": 5}}},
        {"tacit.suggest.budget": 5},
        {"tacit": {"suggest.budget": 5.0}, "editor": {"suggest": {"budget": 7}}},
    ],
)
def test_nested_and_dotted_are_the_same(raw: dict[str, Any]) -> None:
    assert read_settings(raw) == (Settings(suggest_budget=5.0), ())


def test_every_setting_can_be_set() -> None:
    raw = {
        "lean": {"path": " /opt/lean ", "args": ["-Dx=1"], "memoryMiB": 4096},
        "suggest": {"budget": 2},
        "inline": {"enabled": False, "wait": 0},
        "codeAction": {"wait": 3, "closeGoal": True},
        "index": {"automatic": False},
        "model": {"path": "/m.gguf", "preset": "mine", "context": 4096, "templates": {"mine": {"prompt": "{state}:"}}},
        "prove": {"budget": 60, "traces": True, "learn": False, "workers": 3, "simpOnly": True},
    }
    settings, complaints = read_settings(raw)
    own = template("mine", {"prompt": "{state}:"})
    assert settings == Settings(
        "/opt/lean",
        ("-Dx=1",),
        4096,
        2.0,
        False,
        0.0,
        3.0,
        False,
        "/m.gguf",
        "mine",
        4096,
        (own,),
        60.0,
        True,
        3,
        prove_simp_only=True,
        prove_learn=False,
        action_closes=True,
    )
    assert read_settings({"tacit": raw})[0] == settings
    assert complaints == ()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("lean.path", 3, "must be a string, not 3;"),
        ("lean.args", "-Dx", 'must be a list of strings, not "-Dx";'),
        ("model.context", 10, "must be a whole number of tokens from 256 up, not 10; 2048 is kept."),
        ("model.templates", [], "must be an object of templates by their names, not [];"),
        ("lean.args", [1], "must be a list of strings, not [1];"),
        ("lean.memoryMiB", 3, "must be 0 (no limit) or a whole number of MiB from 256 up, not 3;"),
        ("lean.memoryMiB", 1e9, "whole number"),
        ("lean.memoryMiB", True, "whole number"),
        ("suggest.budget", 0, "must be a number of seconds from 0.1 to 600, not 0; 10.0 is kept."),
        ("suggest.budget", float("nan"), "not NaN;"),
        ("suggest.budget", True, "not true;"),
        ("prove.workers", 0, "must be a whole number from 1 to 16, not 0; null is kept."),
        ("prove.workers", 2.0, "whole number"),
        ("inline.enabled", 1, "must be true or false, not 1; true is kept."),
        ("inline.wait", "x" * 200, "…; 1.0 is kept."),
    ],
)
def test_a_misfit_is_told_in_a_sentence_and_leaves_the_rest_alone(key: str, value: Any, sentence: str) -> None:
    settings, [complaint] = read_settings({key: value, "codeAction.wait": 9})
    assert settings == Settings(action_wait=9.0)
    assert complaint.startswith(f"The setting tacit.{key} must be ")
    assert sentence in complaint
    assert len(complaint) < 200


def test_null_sets_back_and_what_is_not_mentioned_stays() -> None:
    base = Settings(lean_path="/opt/lean", suggest_budget=3.0)
    assert read_settings({"lean": {"path": None}}, base) == (Settings(suggest_budget=3.0), ())
    assert read_settings(None, base) == (base, ())
    assert read_settings({}, base) == (base, ())


def test_what_a_misfit_keeps_is_what_was_in_force() -> None:
    settings, [complaint] = read_settings({"suggest.budget": -1}, Settings(suggest_budget=3.0))
    assert settings.suggest_budget == 3.0
    assert complaint.endswith("; 3.0 is kept.")


@examples
@given(JSON | st.dictionaries(st.sampled_from(list(KEYS)), JSON))
def test_nothing_an_editor_sends_breaks_it(raw: Any) -> None:
    settings, complaints = read_settings(raw)
    assert read_settings(raw, settings)[0] == settings
    assert all(complaint.endswith(".") and "\n" not in complaint for complaint in complaints)


def test_a_template_that_cannot_be_used_is_told_and_the_others_before_it_are_kept() -> None:
    base, _ = read_settings({"model.templates": {"x": {"prompt": "{state}"}}})
    settings, [complaint] = read_settings({"model.templates": {"x": {"prompt": "{state}{goal}"}}}, base)
    assert settings == base
    assert complaint == (
        "The setting tacit.model.templates cannot be used: The model template 'x' has an unknown field {goal}. "
        "Known are {state}, {name}, {proof}, {premises}, {prefix}. What was set before is kept."
    )


def test_only_what_concerns_lean_needs_another_lean() -> None:
    assert Settings().same_lean(Settings(suggest_budget=1.0, inline_enabled=False))
    assert not Settings().same_lean(Settings(lean_path="/x"))
    assert not Settings().same_lean(Settings(lean_args=("-x",)))
    assert not Settings().same_lean(Settings(model_path="/x.gguf"))
    assert not Settings().same_lean(Settings(prove_workers=2))
    assert json.dumps(sorted(KEYS))
