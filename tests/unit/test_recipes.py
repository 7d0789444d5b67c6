"""The pages about agents and other editors say what is there: their files can be read, and name no more and no less."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tacit.server.cli import _parser
from tacit.server.settings import Settings, read_settings

DOCS = Path(__file__).parents[2] / "docs"
MCP = (DOCS / "mcp.md").read_text(encoding="utf-8")
EDITORS = (DOCS / "editors.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def servers(value: Any) -> list[dict[str, Any]]:
    """Every object in a configuration that names a command."""
    if not isinstance(value, dict):
        return []
    return [value] if "command" in value else [each for inner in value.values() for each in servers(inner)]


CLIENTS = [*map(json.loads, blocks(MCP, "json")), *map(tomllib.loads, blocks(MCP, "toml"))]


@pytest.mark.parametrize("configuration", CLIENTS)
def test_the_configurations_of_clients_start_the_server(configuration: dict[str, Any]) -> None:
    (server,) = servers(configuration)
    assert server["command"] == "tacit"
    arguments = _parser().parse_args(server["args"])
    assert arguments.command.__name__ == "_mcp"
    assert len(arguments.folders) == 1


def test_there_is_a_configuration_of_each_kind() -> None:
    assert len(CLIENTS) == 3


async def test_the_page_names_every_tool_with_its_arguments() -> None:
    pytest.importorskip("mcp")
    from tacit.server.mcp_desk import Desk
    from tacit.server.mcp_server import Server
    from tacit.server.searcher import Searcher

    def never() -> Any:
        raise AssertionError

    table = re.findall(r"^\| `(\w+)` \| (.*?) \|", MCP, re.MULTILINE)
    rows = {name: set(re.findall(r"`(\w+)`", arguments)) for name, arguments in table}
    server = Server(Desk(never, Searcher(), []), "0")
    assert {each.name: set(each.input_schema["properties"]) for each in await server.list_tools()} == rows
    await server.aclose()


def test_the_recipe_for_helix_can_be_read_and_its_settings_are_settings() -> None:
    (text,) = blocks(EDITORS, "toml")
    recipe = tomllib.loads(text)
    server = recipe["language-server"]["tacit"]
    assert _parser().parse_args(server["args"]).command.__name__ == "_serve"
    assert read_settings(server["config"]) == (Settings(action_closes=True), ())
    assert recipe["language"][0]["language-servers"] == ["lean", "tacit"]


def test_what_the_page_about_editors_names_is_in_the_recipes() -> None:
    files = re.findall(r"\]\((editors/[\w.-]+)\)", EDITORS)
    assert sorted(files) == ["editors/tacit-eglot.el", "editors/tacit-lsp.el", "editors/tacit.lua"]
    recipes = {name: (DOCS / name).read_text(encoding="utf-8") for name in files}
    for command in set(re.findall(r":(Tacit\w+)", EDITORS)):
        assert f"'{command}'" in recipes["editors/tacit.lua"]
    for command in ("tacit-close-goal", "tacit-suggest"):
        assert command in EDITORS
        assert all(f"(defun {command} ()" in recipes[f"editors/tacit-{kind}.el"] for kind in ("lsp", "eglot"))
