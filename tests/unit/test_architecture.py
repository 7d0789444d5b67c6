"""The directions in which the parts of Tacit may import each other. The rules are the table below."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.architecture import Rule, implementers, imports, modules, violations

ROOT = Path(__file__).parents[2]
PACKAGES = {f"tacit.{name}": ROOT / name for name in ("index", "retrieval", "training", "server")}

PARTS = ("tacit.server.lean", "tacit.server.tactics", "tacit.server.model")
FOUNDATION = (
    *("tacit.server.values", "tacit.server.text", "tacit.server.errors"),
    *("tacit.server.limits", "tacit.server.sandbox"),
    *("tacit.server.logs", "tacit.server.log_lines", "tacit.server.kept"),
)
ASSEMBLY = ("tacit.server.suggest", "tacit.server.ranking", "tacit.server.prover")
COMPOSE = "tacit.server.compose"

ONE_WAY = "imports go server → retrieval → index"
TRAINING = "imports go server → training → index"
BASE = "values, text, errors and the log rest on nothing"
APART = "a part of the server knows itself, values, text, errors and the log, and nothing else of the server"
PUTS_TOGETHER = "suggest, ranking and prover put the parts together, and know nothing above themselves"
PURE = "suggest, ranking and prover know neither LSP nor the terminal"
ONE_ROOT = "concrete classes meet in compose only; depend on the Protocol"
ONE_PROCESS = "the model worker alone loads llama.cpp"
NO_TESTS = "Tacit runs without its tests"

RULES = (
    Rule(ONE_WAY, who="tacit.index", never=("tacit.retrieval", "tacit.server")),
    Rule(ONE_WAY, who="tacit.retrieval", never=("tacit.server",)),
    Rule(TRAINING, who="tacit.training", never=("tacit.retrieval", "tacit.server")),
    Rule(TRAINING, who="tacit.index", never=("tacit.training",)),
    Rule(TRAINING, who="tacit.retrieval", never=("tacit.training",)),
    *(Rule(BASE, who=each, never=("tacit",), but=FOUNDATION) for each in FOUNDATION),
    *(Rule(APART, who=each, never=("tacit.server",), but=(each, *FOUNDATION)) for each in PARTS),
    *(
        Rule(PUTS_TOGETHER, who=each, never=("tacit.server",), but=(*ASSEMBLY, *PARTS, *FOUNDATION))
        for each in ASSEMBLY
    ),
    *(Rule(PURE, who=each, never=("pygls", "lsprotocol", "rich")) for each in ASSEMBLY),
    Rule(ONE_PROCESS, who="tacit", never=("llama_cpp",), except_in=("tacit.server.model",)),
    Rule(NO_TESTS, who="tacit", never=("tests",)),
)
# Whatever implements one of these is chosen in compose; beside its own package nobody else may import its module.
PROTOCOLS = ("tacit.server.lean.elaborator.Elaborator", "tacit.server.tactics.source.TacticSource")


def one_root(protocol: str, packages: Mapping[str, Path]) -> Rule:
    package = protocol.rsplit(".", 2)[0]
    return Rule(ONE_ROOT, who="tacit", never=implementers(protocol, packages), except_in=(package, COMPOSE))


def test_imports_go_the_ways_they_may() -> None:
    rules = [*RULES, *(one_root(protocol, PACKAGES) for protocol in PROTOCOLS)]
    assert violations(rules, PACKAGES) == []


def test_the_reader_sees_this_very_code() -> None:
    seen = {(each.module, each.target) for each in imports(PACKAGES)}
    assert ("tacit.server.values", "tacit.server.text.Span") in seen
    assert "tacit.server.lean.elaborator" in modules(PACKAGES)


# What follows tests the checker itself, on packages that break the rules.

SOURCE = "from typing import Protocol\nclass TacticSource(Protocol):\n    name: str\n    def candidates(self): ...\n"
ELABORATOR = "from typing import Protocol\nclass Elaborator(Protocol):\n    async def elaborate(self): ...\n"
ENGINE = "class Engine:\n    async def elaborate(self): ...\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    write(tmp_path, "index/__init__.py")
    write(tmp_path, "retrieval/__init__.py", "import tacit.index")
    write(tmp_path, "training/__init__.py", "import tacit.index")
    write(tmp_path, "server/__init__.py")
    write(tmp_path, "server/values.py", "from tacit.server.text import Span")
    write(tmp_path, "server/lean/elaborator.py", ELABORATOR)
    write(tmp_path, "server/lean/engine.py", ENGINE)
    write(tmp_path, "server/tactics/source.py", SOURCE)
    write(tmp_path, "server/tactics/fixed.py", "class Fixed:\n    name = 'fixed'\n    def candidates(self): ...\n")
    write(tmp_path, "server/suggest.py", "from tacit.server.lean.elaborator import Elaborator")
    write(
        tmp_path, "server/compose.py", "from tacit.server.lean.engine import Engine\nimport tacit.server.tactics.fixed"
    )
    return tmp_path


def write(root: Path, file: str, text: str = "") -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text, encoding="utf-8")


def broken(root: Path) -> list[str]:
    packages = {f"tacit.{name}": root / name for name in ("index", "retrieval", "training", "server")}
    return violations([*RULES, *(one_root(protocol, packages) for protocol in PROTOCOLS)], packages)


def test_a_house_in_order_breaks_no_rule(house: Path) -> None:
    assert broken(house) == []


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("index/store.py", "import tacit.retrieval", ONE_WAY),
        ("index/store.py", "from tacit import server", ONE_WAY),
        ("retrieval/rank.py", "def rank():\n    from tacit.server import values", ONE_WAY),
        ("training/run.py", "def run():\n    from tacit.retrieval import rank", TRAINING),
        ("training/run.py", "from tacit.server.errors import BadInput", TRAINING),
        ("index/store.py", "import tacit.training", TRAINING),
        ("retrieval/rank.py", "from tacit.training import run", TRAINING),
        ("server/errors.py", "from tacit.server import lean", BASE),
        ("server/lean/checker.py", "from ..tactics import source", APART),
        ("server/tactics/fixed.py", "from tacit.server.lean.elaborator import Elaborator", APART),
        ("server/model/__init__.py", "from ..lean import elaborator", APART),
        ("server/tactics/own.py", "if TYPE_CHECKING:\n    from tacit.server import suggest", APART),
        ("server/suggest.py", "import importlib\nimportlib.import_module('tacit.server.compose')", PUTS_TOGETHER),
        ("server/prover/search.py", "from tacit.server.app import main", PUTS_TOGETHER),
        ("server/prover/search.py", "import lsprotocol.types as lsp", PURE),
        ("server/tactics/model.py", "def load():\n    import llama_cpp", ONE_PROCESS),
        ("server/app.py", "from tacit.server.tactics.fixed import Fixed", ONE_ROOT),
        ("server/app.py", "from tacit.server.lean import engine", ONE_ROOT),
        ("server/suggest.py", "from tacit.server.lean.engine import Engine", ONE_ROOT),
        ("server/cli.py", "import tests.lean", NO_TESTS),
    ],
)
def test_each_rule_is_held(house: Path, file: str, text: str, why: str) -> None:
    write(house, file, text)
    found = broken(house)
    assert len(found) == 1
    assert found[0].endswith(why)


@pytest.mark.parametrize(
    "text",
    [
        "class Named:\n    def __init__(self):\n        self.name = 'n'\n    async def candidates(self): ...",
        "class Field:\n    name: str = 'n'\n    def candidates(self): ...",
        "import tacit.server.tactics.source as s\nclass Heir(s.TacticSource): ...",
    ],
)
def test_an_implementation_is_known_by_what_it_offers(house: Path, text: str) -> None:
    write(house, "server/tactics/another.py", text)
    write(house, "server/app.py", "from tacit.server.tactics import another")
    assert [line.rpartition(": ")[2] for line in broken(house)] == [ONE_ROOT]


def test_a_class_that_lacks_a_method_is_no_implementation(house: Path) -> None:
    write(house, "server/tactics/help.py", "class Help:\n    name = 'help'")
    write(house, "server/app.py", "from tacit.server.tactics import help")
    assert broken(house) == []
