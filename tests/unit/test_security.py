"""What Tacit's code never does, by looking at all of it; and what docs/security.md says of the tests that hold it."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"
FOLDERS = ("index", "retrieval", "server", "training", "requirements")
CODE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted((EXTENSION / "src").rglob("*.ts"))

# Through a shell, or as one text that somebody splits.
SHELLS = {
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
    "pty.spawn", "commands.getoutput",
}  # fmt: skip
PROGRAMS = {
    "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
    "asyncio.create_subprocess_exec",
}  # fmt: skip
# What reads bytes and may run what stands in them.
UNSAFE_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
UNSAFE_CALLS = {
    "eval", "exec", "compile", "yaml.unsafe_load", "yaml.full_load", "numpy.load", "np.load", "torch.load", "yaml.load",
    "__import__", "shutil.unpack_archive", "tempfile.mktemp",
}  # fmt: skip
SOCKETS = {
    "socket.socket", "socket.create_server", "socket.create_connection", "asyncio.start_server",
    "asyncio.start_unix_server", "asyncio.open_connection", "urllib.request.urlopen", "http.client.HTTPConnection",
    "http.client.HTTPSConnection",
}  # fmt: skip
ALLOWED = {
    # The official installer of Lean, a text of Tacit's own, once the user has said yes; whether its server is there.
    ("server/elan.py", "bash"),
    ("server/elan.py", "socket.create_connection"),
    # With the safe loader, and tensors alone.
    ("index/titles.py", "yaml.load"),
    ("training/run.py", "torch.load"),
    ("index/uses.py", "np.load"),
    ("index/onnx_encoder.py", "np.load"),
}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def calls(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    return tuple((ast.unparse(node.func), node) for node in nodes(path) if isinstance(node, ast.Call))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def found(names: set[str]) -> set[tuple[str, str]]:
    return {(name_of(path), name) for path in CODE for name, _ in calls(path) if name in names}


def test_all_of_the_code_is_looked_at() -> None:
    assert {"server/elan.py", "index/archive.py", "requirements/install_model.py"} <= {name_of(each) for each in CODE}
    assert len(CODE) > 200
    assert len(PAGES) > 25


def test_nothing_reaches_a_shell() -> None:
    assert found(SHELLS) == set()
    through = {
        (name_of(path), word.value)
        for path in CODE
        for name, call in calls(path)
        for word in ast.walk(call)
        if name in PROGRAMS and isinstance(word, ast.Constant) and word.value in ("sh", "bash", "/bin/sh", "cmd", "zsh")
    }
    assert through <= ALLOWED
    for path in CODE:
        for _, call in calls(path):
            assert not [each for each in call.keywords if each.arg == "shell"], name_of(path)


def test_the_one_command_for_a_shell_is_a_text_of_tacits_own() -> None:
    from tacit.server import elan

    assert re.fullmatch(r"curl [-'=.\w ]*https://elan\.lean-lang\.org/elan-init\.sh -sSf \| sh -s -- -y", elan.COMMAND)
    assert "--proto '=https'" in elan.COMMAND


def test_nothing_that_is_read_can_run() -> None:
    modules = {
        (name_of(path), alias.name)
        for path in CODE
        for node in nodes(path)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    assert {each for each in modules if each[1].partition(".")[0] in UNSAFE_MODULES} == set()
    assert found(UNSAFE_CALLS) <= ALLOWED
    for path in CODE:
        for name, call in calls(path):
            said = {each.arg: ast.unparse(each.value) for each in call.keywords}
            assert said.get("allow_pickle", "False") == "False", name_of(path)
            assert said.get("trust_remote_code", "False") == "False", name_of(path)
            if name == "torch.load":
                assert said["weights_only"] == "True"
            if name == "yaml.load":
                assert "Safe" in ast.unparse(call)


def test_archives_are_never_unpacked_as_they_wish() -> None:
    names = {
        (name_of(path), name.rpartition(".")[2])
        for path in CODE
        for name, _ in calls(path)
        if name.rpartition(".")[2] in ("extractall", "extract", "unpack_archive")
    }
    assert names == set()
    opening = re.compile(r"^import (?:tarfile|zipfile)", re.MULTILINE)
    who = {name_of(path) for path in CODE if opening.search(path.read_text(encoding="utf-8"))}
    readers, writers = {"server/mathlib_sources.py", "index/archive.py"}, {"index/packing.py", "server/bundle.py"}
    assert who == readers | writers


def test_nothing_listens_and_one_module_asks_servers() -> None:
    assert found(SOCKETS) <= ALLOWED
    openers = {name_of(path) for path in CODE if "OpenerDirector" in path.read_text(encoding="utf-8")}
    assert openers == {"server/web.py"}
    listening = re.compile(r"\b(?:start_tcp|start_ws|start_wss|serve_forever|run_sse|run_streamable_http)\w*\(")
    assert [name_of(path) for path in CODE if listening.search(path.read_text(encoding="utf-8"))] == []


def test_packages_are_installed_by_their_hashes() -> None:
    managed = (EXTENSION / "src" / "managed.ts").read_text(encoding="utf-8")
    assert "const words = ['--require-hashes'" in managed
    assert "'--no-deps', '--no-index', wheel" in managed
    built = (ROOT / "requirements" / "install_model.py").read_text(encoding="utf-8")
    assert built.count('"--require-hashes", "-r", str(') == built.count('"-r", str(') >= 2
    assert '"--no-deps", "--no-index"' in built
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        pinned = len(re.findall(r"^[A-Za-z0-9][\w.-]*==", text, re.MULTILINE))
        assert 0 < pinned <= text.count("--hash=sha256:"), lock.name


def test_no_message_holds_a_link() -> None:
    from tacit.server.outgoing import plain

    link = re.compile(r"\[[^\]]+\]\((?:https?://|command:|file:)", re.IGNORECASE)
    for text in ("[x](command:y?%5B%5D)", "lake: [[a](https://models.example)](file:///etc)", "[x](COMMAND:y)"):
        assert link.search(text)
        assert not link.search(plain(text))
    assert plain("⊢ l[0] = f (x)") == "⊢ l[0] = f (x)"
    tells = {"server/session.py": "ShowMessageParams(kind, plain(text))", "server/closing.py": "message=plain(message)"}
    for file, word in tells.items():
        assert word in (ROOT / file).read_text(encoding="utf-8")
    assert [name_of(each) for each in CODE if "ShowMessageParams(" in each.read_text("utf-8")] == ["server/session.py"]


def test_paths_come_behind_what_ends_the_options() -> None:
    """Where a program is given what somebody else chose; all else is a name of Tacit's own or an absolute path."""
    assert '"--", wanted.source' in (ROOT / "server" / "mathlib_sources.py").read_text(encoding="utf-8")
    assert '"--", *some' in (ROOT / "server" / "indexer.py").read_text(encoding="utf-8")
    for name in ("--lean=", '"--chdir", str(room.folder), "--"'):
        assert name in (ROOT / "server" / "indexer.py").read_text() + (ROOT / "server" / "sandbox.py").read_text()


# ---------------------------------------------------------------- the extension


def test_pages_are_made_without_any_html_text() -> None:
    making = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|createContextualFragment|"
        r"DOMParser|unsafe-inline|unsafe-eval|supportHtml|http:|https:(?!//(?:github\.com|json-schema\.org))"
    )
    assert [f"{name_of(path)}: {line}" for path in PAGES for line in code_lines(path) if making.search(line)] == []


def test_no_text_from_elsewhere_is_trusted() -> None:
    trusted = [(name_of(path), line) for path in PAGES for line in code_lines(path) if "isTrusted" in line]
    assert [each[0] for each in trusted] == ["vscode-extension/src/statusBar.ts"]
    assert "enabledCommands: commands.map" in trusted[0][1]
    raw = [(name_of(path), line.strip()) for path in PAGES for line in code_lines(path) if "appendMarkdown(" in line]
    assert all(line.count("${") == 0 or re.search(r"MARKS\[state\]|commands\.map", line) for _, line in raw), raw


def test_the_policy_of_pages_lets_in_nothing_but_tacits_own_files() -> None:
    page = (EXTENSION / "src" / "page.ts").read_text(encoding="utf-8")
    policies = re.findall(r"`(default-src [^`]*)`", page)
    assert policies == [
        "default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'",
        "default-src 'none'; style-src ${webview.cspSource}",
    ]
    assert page.count("localResourceRoots: [folder]") == page.count("webview.options =") == 2
    elsewhere = [name_of(path) for path in PAGES if path.name != "page.ts" and ".html =" in path.read_text("utf-8")]
    assert elsewhere == []


def test_the_extension_starts_programs_without_a_shell() -> None:
    shells = re.compile(r"(?<!\.)\bexec\(|execSync|shell:\s*true|createTerminal|sendText|openExternal")
    assert [f"{name_of(path)}: {line}" for path in PAGES for line in code_lines(path) if shells.search(line)] == []


def test_an_untrusted_folder_starts_nothing() -> None:
    manifest = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    untrusted = manifest["capabilities"]["untrustedWorkspaces"]
    assert untrusted["supported"] is False
    settings = manifest["contributes"]["configuration"]["properties"]
    starting = {
        name
        for name, each in settings.items()
        if re.search(r"(?i)path|args|command|sandbox|url", name) and "trace" not in name
    }
    assert starting == set(untrusted["restrictedConfigurations"])
    assert all(settings[name]["scope"] in ("machine", "machine-overridable") for name in starting)
    assert settings["tacit.sandbox"]["scope"] == "machine", "no folder can switch it off"


def code_lines(path: Path) -> list[str]:
    """Without what stands in comments of lines of their own."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.lstrip().startswith(("//", "*", "/*"))]


# ---------------------------------------------------------------- docs/security.md

PROMISES = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|vscode-extension/test)/[\w./-]+\.(?:py|ts))(?:::([^`]+))?`", PROMISES)))


def test_every_promise_names_a_test() -> None:
    rows = [line for line in PROMISES.splitlines() if re.match(r"\| P\d+ ", line)]
    assert len(rows) >= 15
    assert [row for row in rows if not re.search(r"`(?:tests|vscode-extension/test)/", row)] == []
    numbers = [int(re.match(r"\| P(\d+) ", row)[1]) for row in rows]  # type: ignore[index]
    assert numbers == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    if not test:
        return
    if file.endswith(".ts"):
        assert test in text
    else:
        names = {
            node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert test in names


def test_weaknesses_have_an_address() -> None:
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "SECURITY.md" in PROMISES
