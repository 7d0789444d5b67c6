"""Writes out what definitions stand for, in the text of a type: `Monotone f` becomes `∀ ⦃a b⦄, a ≤ b → f a ≤ f b`.

Pure text, without types: a reading can be wrong, and Lean then rejects what was made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tacit.server.tactics import lexer, shape
from tacit.server.tactics.lexer import Token
from tacit.server.tactics.view import fresh

_STEPS = 20


def application(text: str) -> tuple[str, tuple[str, ...]]:
    """The head of an application and its arguments; an empty head for anything else.

    >>> application("IsHom (fun a => g (f a))")
    ('IsHom', ('fun a => g (f a)',))
    """
    words = lexer.strip_parentheses(lexer.tokens(text))
    at = _atom(words, 0)
    if not at or not lexer.is_identifier(words[0].text):
        return "", ()
    head = lexer.render(words[:at])
    found = []
    while at < len(words):
        end = _atom(words, at)
        if not end:
            return "", ()
        found.append(lexer.render(lexer.strip_parentheses(words[at:end])))
        at = end
    return head, tuple(found)


def _atom(words: Sequence[Token], start: int) -> int:
    """Where the atomic term ends that begins here, its fields included; 0 when none begins."""
    if start >= len(words):
        return 0
    text = words[start].text
    if text in {"(", "⟨", "[", "{"}:
        end = lexer.closing(words, start) + 1
    elif lexer.is_identifier(text) or text[0].isdigit():
        end = start + 1
    else:
        return 0
    while end < len(words) and words[end].text[0] == "." and not words[end].gap:
        end += 1
    return end


def expand(value: str, parameters: Mapping[str, str]) -> str:
    """A definition's value with arguments for its parameters, functions applied.

    >>> expand("∀ a, f a ≤ b", {"f": "fun x => g (g x)", "b": "a"})
    '∀ a₁, (g (g a₁)) ≤ a'
    """
    given = frozenset[str]().union(*(lexer.identifiers(text) - _bound(text) for text in parameters.values()))
    binders, _ = shape.telescope(value)
    bound = [b.name for b in (*binders, *shape.read(value).binders) if b.name]
    taken = {*given, *lexer.identifiers(value)}
    # A name that the definition binds must not catch one of the arguments'.
    renamed = {name: fresh(name, taken) for name in bound if name in given}
    return reduce(shape.substitute(value, {**renamed, **parameters}))


def _bound(text: str) -> frozenset[str]:
    """The names that functions in a term bind."""
    words = lexer.tokens(text)
    found = set()
    for at, word in enumerate(words):
        if word.text in {"fun", "λ"}:
            arrow = next((i for i in range(at, len(words)) if words[i].text in {"=>", "↦"}), at)
            found |= {w.text for w in words[at + 1 : arrow]}
    return frozenset(found)


def reduce(text: str) -> str:
    """Functions applied to arguments: `(fun x => f x) a` becomes `f a`."""
    for _ in range(_STEPS):
        words = lexer.tokens(text)
        for at in range(len(words) - 1):
            if words[at].text == "(" and words[at + 1].text in {"fun", "λ"}:
                changed = _applied(words, at)
                if changed is not None:
                    text = changed
                    break
        else:
            return text
    return text


def _applied(words: Sequence[Token], start: int) -> str | None:
    """The text with the function that begins at `start` applied to what follows it; None when nothing follows."""
    end = lexer.closing(words, start)
    arrow = next((i for i in range(start, end) if words[i].text in {"=>", "↦"}), None)
    after = _atom(words, end + 1)
    if arrow is None or not after or any(not lexer.is_identifier(w.text) for w in words[start + 2 : arrow]):
        return None
    name, *others = [w.text for w in words[start + 2 : arrow]]
    argument = lexer.render(words[end + 1 : after])
    body = shape.substitute(lexer.render(words[arrow + 1 : end]), {name: argument})
    body = f"(fun {' '.join(others)} => {body})" if others else lexer.argument(body)
    whole = start == 0 and after == len(words)
    inner = lexer.tokens(lexer.render(lexer.strip_parentheses(lexer.tokens(body))) if whole else body)
    first = [Token(inner[0].text, words[start].gap), *inner[1:]] if inner else []
    return lexer.render([*words[:start], *first, *words[after:]])


def plain(text: str, labels: Collection[str]) -> str:
    """The text with the names of the file alone and in front: `t.mirror.size` as `size (mirror t)`.

    `labels` are the last parts of those names. Statements as written and goals as printed then read alike.
    """
    for _ in range(_STEPS):
        words = lexer.tokens(text)
        at = next((i for i in range(1, len(words)) if _is_field(words, i, labels)), None)
        if at is None:
            return _flat(text)
        start = at - 1
        while words[start].text in lexer.CLOSED_BY and start > 0:
            start = _opening(words, start)
        label = words[at].text[1:]
        if words[start].text[:1].isupper() and at == start + 1:
            new = [Token(label, words[start].gap)]  # `Tree.size`: a namespace
        else:
            subject = lexer.argument(lexer.render(words[start:at]))
            new = [Token("(", words[start].gap), *lexer.tokens(f"{label} {subject}"), Token(")", False)]
        text = lexer.render([*words[:start], *new, *words[at + 1 :]])
    return text


def _flat(text: str) -> str:
    """The text without brackets around what is applied to further arguments: `(op c) a b` as `op c a b`."""
    for _ in range(_STEPS):
        words = lexer.tokens(text)
        at = next((i for i in range(len(words)) if words[i].text == "(" and _applies(words, i)), None)
        if at is None:
            return text
        end = lexer.closing(words, at)
        first = Token(words[at + 1].text, words[at].gap)
        text = lexer.render([*words[:at], first, *words[at + 2 : end], *words[end + 1 :]])
    return text


def _applies(words: Sequence[Token], start: int) -> bool:
    """Whether the bracket at `start` is an application in front of an argument."""
    end = lexer.closing(words, start)
    before = words[start - 1].text if start else ""
    in_front = not _atom(words, start - 1) and before not in lexer.CLOSED_BY and before[:1] != "." if start else True
    return in_front and bool(_atom(words, end + 1)) and bool(application(lexer.render(words[start : end + 1]))[1])


def _is_field(words: Sequence[Token], at: int, labels: Collection[str]) -> bool:
    return words[at].text[0] == "." and not words[at].gap and words[at].text[1:] in labels


def _opening(words: Sequence[Token], end: int) -> int:
    """The index of the bracket that the one at `end` closes; 0 when there is none."""
    return next((i for i in range(end - 1, -1, -1) if lexer.closing(words, i) == end and words[i].text in "([{⟨"), 0)
