"""Tacit's values as they go out on the wire: edits, goals, suggestions, found premises, states. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from tacit.server import wire
from tacit.server.answers import Found as FoundPremise
from tacit.server.answers import SearchStatus
from tacit.server.indexer import IndexWork
from tacit.server.mirror import OpenDocument, Place
from tacit.server.suggest import Found, LeanStatus, ModelState
from tacit.server.text import Span
from tacit.server.values import Goal, TextEdit

SYMBOL_KINDS = {
    "theorem": types.SymbolKind.Method,  # as Lean's own server has them
    "axiom": types.SymbolKind.Constant,
    "def": types.SymbolKind.Function,
    "opaque": types.SymbolKind.Constant,
    "instance": types.SymbolKind.Object,
    "structure": types.SymbolKind.Struct,
    "class": types.SymbolKind.Class,
    "inductive": types.SymbolKind.Enum,
    "constructor": types.SymbolKind.EnumMember,
    "field": types.SymbolKind.Field,
}


def plain(text: str) -> str:
    """A text for a message: VS Code makes a link of `[this](command:…)`, and a click on it runs the command."""
    return text.replace("](", "] (")


def to_range(places: tuple[Place, Place]) -> types.Range:
    """A range as LSP writes it."""
    return types.Range(types.Position(*places[0]), types.Position(*places[1]))


def to_edit(document: OpenDocument, edit: TextEdit) -> types.TextEdit:
    """An edit as LSP writes it."""
    return types.TextEdit(to_range(document.range(edit.span)), edit.new_text)


def to_item(document: OpenDocument, found: Found) -> wire.SuggestionItem:
    """A suggestion as it is sent."""
    suggestion = found.suggestion
    return wire.SuggestionItem(
        tactic=suggestion.tactic,
        verdict=suggestion.verdict.value,
        verified=suggestion.verified,
        goals=to_goals(suggestion.goals),
        edit=to_edit(document, suggestion.edit),
        version=suggestion.version,
        source=suggestion.source,
        elapsed=round(found.elapsed, 4),
        axioms=list(suggestion.axioms),
        note=suggestion.note,
    )


def to_goals(goals: Sequence[Goal]) -> list[wire.GoalItem]:
    """Goals as they are sent."""
    return [
        wire.GoalItem(
            target=goal.target,
            hypotheses=[wire.HypothesisItem(list(h.names), h.type, h.value) for h in goal.hypotheses],
            tag=goal.tag,
            text=goal.text,
        )
        for goal in goals
    ]


def to_state(status: LeanStatus) -> wire.LeanState:
    """Lean's status as it is sent."""
    return wire.LeanState(
        state=status.state,
        version=status.version,
        command=list(status.command),
        replayed=status.replayed,
        sentence=status.sentence,
        documents=status.documents,
        restarts=status.restarts,
    )


def to_model(state: ModelState) -> wire.ModelState:
    """The model's state as it is sent."""
    return wire.ModelState(
        state=state.state,
        name=state.name,
        path=state.path,
        preset=state.preset,
        sentence=state.sentence,
        context=state.context,
        parameters=state.parameters,
        restarts=state.restarts,
    )


def to_hit(found: FoundPremise) -> wire.SearchHit:
    """A premise that was searched for."""
    premise = found.hit.stored.premise
    return wire.SearchHit(
        name=premise.name,
        kind=str(premise.kind),
        module=premise.module,
        statement=premise.statement,
        doc=premise.doc,
        score=round(found.hit.score, 4),
        package=found.hit.package,
        location=to_location(found),
        usable=found.usable,
        import_=None if found.usable is None else found.needs or None,
    )


def to_symbol(found: FoundPremise) -> types.WorkspaceSymbol:
    """The same as a symbol of the workspace."""
    premise = found.hit.stored.premise
    kind = SYMBOL_KINDS.get(str(premise.kind), types.SymbolKind.Object)
    return types.WorkspaceSymbol(to_location(found), premise.name, kind, container_name=premise.module)


def to_location(found: FoundPremise) -> types.Location:
    """Where a name stands."""
    path = found.hit.stored.path
    uri = Path(path).as_uri() if Path(path).is_absolute() else path  # that of a document without a file
    return types.Location(uri, to_range(((found.line, found.start), (found.line, found.end))))


def to_index(status: SearchStatus, work: IndexWork, sentence: str, *, automatic: bool) -> wire.IndexState:
    """What can be searched, and what the builder does."""
    return wire.IndexState(
        search=status.state,
        packages=[
            wire.PackageState(each.package, each.premises, each.open, each.meanings, each.drafts, each.sentence)
            for each in status.conditions
        ],
        automatic=automatic,
        state=work.state,
        package=work.package,
        what=work.what,
        done=work.done,
        total=work.total,
        sentence=" ".join(dict.fromkeys(each for each in (work.sentence, status.sentence, sentence) if each)),
    )


def to_hole(document: OpenDocument, hole: Span | None) -> types.Range | None:
    """The text that an edit replaces."""
    return None if hole is None else to_range(document.range(hole))
