"""Reads which modules import which, out of the sources, and names what breaks a rule. Imports nothing it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rule:
    """`who` may not import any of `never`, but for the modules in `but`; `except_in` names modules it does not bind.

    Every name stands for itself and all that lies below it.
    """

    why: str
    who: str
    never: tuple[str, ...]
    but: tuple[str, ...] = ()
    except_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the module that has it, its line, and the dotted name it may reach."""

    module: str
    line: int
    target: str


def below(name: str, tops: Iterable[str]) -> bool:
    """Whether a dotted name is one of `tops` or lies below one."""
    return any(name == top or name.startswith(top + ".") for top in tops)


def modules(packages: Mapping[str, Path]) -> dict[str, Path]:
    """Module name → file, of everything below packages given as import name → folder."""
    found = {}
    for package, folder in packages.items():
        for file in sorted(folder.rglob("*.py")):
            parts = [package, *file.relative_to(folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(packages: Mapping[str, Path]) -> list[Import]:
    """Every import, wherever it stands: inside functions and under TYPE_CHECKING too.

    `from a import b` counts as an import of `a.b`, whether `b` is a module or a name in `a`: rules about `a` and
    rules about `a.b` both see it.
    """
    found = []
    for module, file in modules(packages).items():
        is_package = file.name == "__init__.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
            found += [Import(module, line, target) for line, target in _targets(node, module, is_package)]
    return found


def _targets(node: ast.AST, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield node.lineno, alias.name
        case ast.ImportFrom(module=base, names=names, level=level):
            if level:
                parents = module.split(".")
                parents = parents[: len(parents) - level + (1 if is_package else 0)]
                base = ".".join([*parents, base] if base else parents)
            for alias in names:
                yield node.lineno, f"{base}.{alias.name}"
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(target)), *_],
        ):
            yield node.lineno, target


def violations(rules: Sequence[Rule], packages: Mapping[str, Path]) -> list[str]:
    """One line for each import that a rule forbids."""
    return [
        f"{each.module}:{each.line} imports {each.target}: {rule.why}"
        for each in imports(packages)
        for rule in rules
        if below(each.module, [rule.who])
        and not below(each.module, rule.except_in)
        and below(each.target, rule.never)
        and not below(each.target, rule.but)
    ]


def implementers(protocol: str, packages: Mapping[str, Path]) -> tuple[str, ...]:
    """The modules that hold a class with everything that a Protocol (a dotted name) asks for, in its own package.

    A class counts by its methods and attributes, those set on `self` included, or by naming the Protocol as a base.
    """
    home, _, name = protocol.rpartition(".")
    classes = {module: _classes(file) for module, file in modules(packages).items()}
    asked = _members(next(each for each in classes[home] if each.name == name))

    def implements(found: ast.ClassDef) -> bool:
        bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in found.bases}
        return name in bases or ("Protocol" not in bases and asked <= _members(found))

    package = home.rpartition(".")[0]
    return tuple(module for module in classes if below(module, [package]) and any(map(implements, classes[module])))


def _classes(file: Path) -> list[ast.ClassDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _members(node: ast.ClassDef) -> set[str]:
    names = set()
    for each in ast.walk(node):
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                names.add(name)
    return {name for name in names if not name.startswith("_")}
