"""The lexer, the split into commands, the header and declaration heads."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tacit.server.lean.syntax import (
    Commands,
    Kind,
    code_tokens,
    declaration_head,
    imports,
    tokens,
)
from tests.unit.properties import any_texts, examples, lean_texts

SHORT = {
    Kind.IDENT: "i",
    Kind.NUMBER: "n",
    Kind.STRING: "s",
    Kind.CHAR: "c",
    Kind.OPEN: "(",
    Kind.CLOSE: ")",
    Kind.SYMBOL: "y",
    Kind.LINE_COMMENT: "-",
    Kind.BLOCK_COMMENT: "/",
    Kind.UNTERMINATED: "!",
}


def lexed(text: str) -> list[str]:
    """Tokens as `kind:text`, to read a table by."""
    return [f"{SHORT[t.kind]}:{t.text}" for t in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\r\n", []),
        # comments
        ("a -- b\nc", ["i:a", "-:-- b", "i:c"]),
        ("a --", ["i:a", "-:--"]),
        ("/- a /- b -/ c -/ d", ["/:/- a /- b -/ c -/", "i:d"]),
        ("/-/ a -/ b", ["/:/-/ a -/", "i:b"]),
        ("/- a --/ b", ["/:/- a --/", "i:b"]),
        ("/-- doc -/ x", ["/:/-- doc -/", "i:x"]),
        ("/-! doc -/ x", ["/:/-! doc -/", "i:x"]),
        ("/- never /- closed -/ x", ["!:/- never /- closed -/ x"]),
        ("x-/y", ["i:x", "y:-", "y:/", "i:y"]),
        # strings
        ('"a -- b" c', ['s:"a -- b"', "i:c"]),
        ('"a /- b" c', ['s:"a /- b"', "i:c"]),
        (r'"a \" b" c', [r's:"a \" b"', "i:c"]),
        (r'"a \\" b', [r's:"a \\"', "i:b"]),
        ('"two\nlines" c', ['s:"two\nlines"', "i:c"]),
        ('"open', ['!:"open']),
        ('"open\\', ['!:"open\\']),
        ('s!"a {x} b" c', ["i:s!", 's:"a {x} b"', "i:c"]),
        ('s!"a {f "x"} b" c', ["i:s!", 's:"a {f "', "i:x", 's:"} b"', "i:c"]),
        # raw strings
        (r'r"a\" b', [r's:r"a\"', "i:b"]),
        ('r#"a "b" c"# d', ['s:r#"a "b" c"#', "i:d"]),
        ('r##"a"# b"## c', ['s:r##"a"# b"##', "i:c"]),
        ('r#"a"', ['!:r#"a"']),
        ("r x rfl", ["i:r", "i:x", "i:rfl"]),
        ("r#x", ["i:r", "y:#", "i:x"]),
        ('hr"x"', ["i:hr", 's:"x"']),
        # characters and primes
        ("'a' b", ["c:'a'", "i:b"]),
        ("'\"' b", ["c:'\"'", "i:b"]),
        (r"'\'' b", [r"c:'\''", "i:b"]),
        (r"'\\' b", [r"c:'\\'", "i:b"]),
        (r"'\n' '\x41' '\u03b1' b", [r"c:'\n'", r"c:'\x41'", r"c:'\u03b1'", "i:b"]),
        ("'𝕜' b", ["c:'𝕜'", "i:b"]),
        ("'(' b", ["c:'('", "i:b"]),
        ("h' h'' h'x", ["i:h'", "i:h''", "i:h'x"]),
        ("f '' s", ["i:f", "y:''", "i:s"]),
        ("f ''s' b", ["i:f", "y:''", "i:s'", "i:b"]),
        ("f ''(' b", ["i:f", "y:''", "(:(", "y:'", "i:b"]),
        (r"'\q(' b", ["y:'", "y:\\", "i:q", "(:(", "y:'", "i:b"]),
        (r"'\#ev' b", ["y:'", "y:\\", "y:#", "i:ev'", "i:b"]),
        ("' x", ["y:'", "i:x"]),
        # identifiers
        ("foo.bar.baz", ["i:foo.bar.baz"]),
        ("foo . bar", ["i:foo", "y:.", "i:bar"]),
        ("foo.", ["i:foo", "y:."]),
        ("foo..bar", ["i:foo", "y:.", "y:.", "i:bar"]),
        (".foo", ["y:.", "i:foo"]),
        ("h.1 h.1.2 h.2.foo", ["i:h.1", "i:h.1.2", "i:h.2.foo"]),
        ("exact? simp!", ["i:exact?", "i:simp!"]),
        ("h₁ hᵢ xₙ", ["i:h₁", "i:hᵢ", "i:xₙ"]),
        ("α βγ ℕ ℝ 𝕜 𝓝 h𝔭 Ñandú łuk", ["i:α", "i:βγ", "i:ℕ", "i:ℝ", "i:𝕜", "i:𝓝", "i:h𝔭", "i:Ñandú", "i:łuk"]),
        ("x✝", ["i:x✝"]),
        ("_ _x x_", ["i:_", "i:_x", "i:x_"]),
        ("«a b» «c».d e.«f g».h", ["i:«a b»", "i:«c».d", "i:e.«f g».h"]),
        ("foo«bar»", ["i:foo", "i:«bar»"]),
        ("«open", ["!:«open"]),
        ("«a\nb»", ["!:«a\nb»"]),
        ("foo.«open x", ["!:foo.«open x"]),
        ("`foo ``bar", ["y:`", "i:foo", "y:`", "y:`", "i:bar"]),
        ("foo.{u, v}", ["i:foo", "y:.", "(:{", "i:u", "y:,", "i:v", "):}"]),
        # what is a letter elsewhere but not in Lean
        ("λx", ["y:λ", "i:x"]),
        ("xλy", ["i:x", "y:λ", "i:y"]),
        ("ΠΣ", ["y:Π", "y:Σ"]),
        ("Cᵒᵖ", ["i:C", "y:ᵒ", "y:ᵖ"]),
        ("x² x⁻¹", ["i:x", "y:²", "i:x", "y:⁻", "y:¹"]),
        ("x名", ["i:x", "y:名"]),
        # numbers
        (
            "1 0x1F 0b10 0o17 1.5 1e10 1.5e-3",
            [f"n:{n}" for n in ("1", "0x1F", "0b10", "0o17", "1.5", "1e10", "1.5e-3")],
        ),
        ("1_000", ["n:1_000"]),
        ("1sorry", ["n:1", "i:sorry"]),
        ("0x1sorry", ["n:0x1", "i:sorry"]),
        ("0xsorry", ["n:0x", "i:sorry"]),
        ("1esorry", ["n:1", "i:esorry"]),
        ("h.1sorry", ["i:h.1", "i:sorry"]),
        ("1.foo", ["n:1", "y:.", "i:foo"]),
        ("٣ ²", ["y:٣", "y:²"]),
        # symbols and brackets
        ("⟨a, b⟩ ⦃x⦄", ["(:⟨", "i:a", "y:,", "i:b", "):⟩", "(:⦃", "i:x", "):⦄"]),
        ("@[simp] #[1] #eval", ["y:@", "(:[", "i:simp", "):]", "y:#", "(:[", "n:1", "):]", "y:#", "i:eval"]),
        ("a<;>b", ["i:a", "y:<", "y:;", "y:>", "i:b"]),
        ("x\u0301y", ["i:x", "y:\u0301", "i:y"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert lexed(text) == expected


@given(any_texts)
@example("'")
@example("'\\")
@example("a.")
@example("«")
@example("r#")
@example("0x")
@examples
def test_tokens_cover_all_text_but_white_space_in_order(text: str) -> None:
    at = 0
    found = list(tokens(text))
    for n, token in enumerate(found):
        assert token.text
        assert token.start >= at
        assert text[at : token.start].strip() == ""
        assert text[token.start : token.end] == token.text
        assert token.kind is not Kind.UNTERMINATED or (n == len(found) - 1 and token.end == len(text))
        at = token.end
    assert text[at:].strip() == ""


@given(st.lists(st.sampled_from(["foo", "h'", "12", "'a'", '"s"', "(", "⟩", "+", "«x y»"]), max_size=12))
@examples
def test_tokens_apart_are_told_apart(parts: list[str]) -> None:
    assert [t.text for t in tokens(" ".join(parts))] == parts


def test_code_tokens_leave_comments_out() -> None:
    assert [t.text for t in code_tokens('a /- b -/ -- c\n "d" /-- e -/ f')] == ["a", '"d"', "f"]


# ---------------------------------------------------------------------------------------------- commands


def commands(text: str) -> list[str]:
    return [text[c.span.start : c.span.end].rstrip("\n") for c in Commands(text).all()]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(["theorem a : True := trivial", "def b := 1", "example : True := trivial"], id="plain"),
        pytest.param(["@[simp]\ntheorem a : True := trivial", "@[simp] theorem b : True := trivial"], id="attributes"),
        pytest.param(["@[simp] private theorem a : True := trivial", "end"], id="attribute and modifier"),
        pytest.param(["/-- doc\n\ntheorem inside -/\ntheorem a : True := trivial", "def b := 1"], id="doc comment"),
        pytest.param(["/-- doc -/\n@[simp]\nprotected\ntheorem a : True := trivial", "def b := 1"], id="all three"),
        pytest.param(["/-- doc -/ theorem a : True := trivial", "def b := 1"], id="doc comment on the line"),
        pytest.param(["/-! section -/", "theorem a : True := trivial"], id="a section's comment stands alone"),
        pytest.param(["open Nat in\ntheorem a : True := trivial", "open Nat", "def b := 1"], id="open in"),
        pytest.param(["set_option x true in\n/-- doc -/\n@[simp]\ntheorem a : True := trivial"], id="set_option in"),
        pytest.param(["open Nat in\n-- why\ntheorem a : True := trivial"], id="open in, line comment"),
        pytest.param(["open Nat in\n/- why -/\ntheorem a : True := trivial"], id="open in, block comment"),
        pytest.param(["open A in\nopen B in\nvariable (x) in\ntheorem a : True := trivial", "end"], id="several in"),
        pytest.param(["mutual\ntheorem a : b := c\ntheorem d : e := f\nend", "def g := 1"], id="mutual"),
        pytest.param(["mutual\n/-- doc -/\n@[simp]\ndef a := 1\nend", "theorem x : y", "end"], id="mutual with docs"),
        pytest.param(["def f : Nat → Nat\n| 0 => 0\n| n + 1 => f n\ntermination_by f n => n", "def g := 1"], id="|"),
        pytest.param(["theorem a : b := by\nexact c\ndecreasing_by simp", "def g := 1"], id="by at column 0"),
        pytest.param(["def f := g\nwhere\n  g := 1", "structure S where\n  x : Nat\nderiving Repr"], id="where"),
        pytest.param(["#eval 1", "#check foo", "theorem a : b := #[1].foo"], id="hash commands"),
        pytest.param(["private def a := 1", "noncomputable section", "local notation x", "scoped infix y"], id="more"),
        pytest.param(["private\ndef a := 1", "partial\ndef b := 1", "unsafe\ndef c := 1"], id="modifiers on lines"),
        pytest.param(['def s := "\ntheorem x\n"', "def t := 1"], id="in a string"),
        pytest.param(["def s := 1\n/- \ntheorem x\n-/", "def t := 1"], id="in a comment"),
        pytest.param(["def theorem' := 1", "def «theorem» := 1"], id="names that look like keywords"),
        pytest.param(["theorem a : b := by\n  sorry\n\n  theorem", "def c := 1"], id="indented words start nothing"),
    ],
)
def test_commands(pieces: list[str]) -> None:
    assert commands("\n".join(pieces) + "\n") == pieces
    assert commands("\n\n".join(pieces)) == [*(p for p in pieces)]


def test_text_above_the_first_command_belongs_to_none() -> None:
    text = "import A\n-- note\nfoo bar\n"
    parsed = Commands("-- note\nfoo bar\n")
    assert list(parsed.all()) == []
    assert parsed.around(3) is None
    around = Commands(text).around(len(text))
    assert around is not None
    assert around.span.start == 0


def test_the_command_around_an_offset() -> None:
    text = "theorem a : b := c\n\ndef d := e\n"
    parsed = Commands(text)
    spans = {(c.span.start, c.span.end) if (c := parsed.around(i)) is not None else None for i in range(len(text) + 1)}
    assert spans == {(0, 20), (20, 31)}
    first, second = parsed.around(19), parsed.around(20)
    assert first is not None
    assert second is not None
    assert (first.span.start, second.span.start) == (0, 20)
    assert [t.text for t in second.tokens] == ["def", "d", ":", "=", "e"]


def test_an_unfinished_mutual_block_takes_what_follows() -> None:
    assert len(commands("mutual\ndef a := 1\n\ndef b := 1\n")) == 1


def test_line_starts_are_the_first_tokens_of_lines() -> None:
    text = "theorem a : b := by\n  · exact c -- d\n    e; f\n  /- g -/ h\n"
    (command,) = Commands(text).all()
    firsts = [t.text for t in command.tokens if t.start in command.line_starts]
    assert firsts == ["theorem", "·", "e"]  # what stands behind a comment is not first


def test_a_command_may_be_cut_off() -> None:
    text = "theorem a : b := by\n  exact c\n  exact d\n"
    (command,) = Commands(text).all()
    cut = command.upto(text.index("\n  exact d"))
    assert [t.text for t in cut.tokens][-2:] == ["exact", "c"]
    assert text[cut.span.start : cut.span.end] == "theorem a : b := by\n  exact c"


@given(any_texts)
@examples
def test_commands_never_raise_and_partition_the_text_below_the_first(text: str) -> None:
    parsed = Commands(text)
    found = list(parsed.all())
    for command, following in itertools.pairwise(found):
        assert command.span.end == following.span.start
    assert not found or found[-1].span.end == len(text)
    for command in found:
        assert all(command.span.start <= t.start < command.span.end for t in command.tokens)
        assert all(t.kind not in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT) for t in command.tokens)
        declaration_head(command)
    header = parsed.header()
    assert text.startswith(header)
    imports(header)
    parsed.sorries()
    for offset in range(0, len(text) + 1, 3):
        around = parsed.around(offset)
        assert (around is None) == (not found or offset < found[0].span.start)
        parsed.comment_at(offset)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a --‸ b\nc", True),
        ("a ‸-- b\nc", False),
        ("a -- b‸\nc", True),
        ("a -- b\n‸c", False),
        ("a -- b\n/- c‸ -/", True),
        ("/- c -/‸ d", False),
        ("‸/- c -/ d", False),
        ("/- c /- d -/‸ -/", True),
        ("/- never ‸", True),
        ("/- never", False),
        ('"a‸b"', True),
        ('"ab"‸', False),
        ('"a‸', True),
        ('"--" ‸x', False),
        ("«a‸ b»", False),
        ("'‸a'", False),
        ("/-- doc‸ -/ theorem x", True),
    ],
)
def test_comment_at(text: str, inside: bool) -> None:
    offset = text.find("‸") if "‸" in text else 0
    assert (Commands(text.replace("‸", "")).comment_at(offset) is not None) is inside


def test_sorries_stand_outside_comments_and_strings() -> None:
    text = (
        'theorem a : b := by\n  sorry -- sorry\n  /- sorry -/ exact (sorry) "sorry" sorry\' «sorry» x.sorry sorryAx\n'
    )
    assert [t.start for t in Commands(text).sorries()] == [22, text.index("(sorry)") + 1]


# ---------------------------------------------------------------------------------------------- header


@pytest.mark.parametrize(
    ("header", "modules"),
    [
        ("", ()),
        ("import Mathlib", ("Mathlib",)),
        ("import A.B\nimport C\nimport Lean.Elab", ("A.B", "C", "Lean.Elab")),
        ("import A import B", ("A", "B")),
        ("/- copyright\nimport No\n-/\nimport A -- import No\n-- import No\nimport B", ("A", "B")),
        ("prelude\nimport Init.Core", ("Init.Core",)),
        ("module\n\npublic import A\nimport all B\nmeta import C\npublic meta import D", ("A", "B", "C", "D")),
        ("import «A-b».«c d»", ("«A-b».«c d»",)),
        ("module\npublic\nimport A", ("A",)),
        ("import A\n-- between\nimport B", ("A", "B")),
    ],
)
@pytest.mark.parametrize(
    "rest",
    [
        "",
        "\n\ntheorem a : b := c\n",
        "\n\n/-! doc -/\nimport No\n",
        "\n@[expose] public section\n",
        "\npublic section\n",
        "\npublic meta section\n",
        "\nmeta def x := 1\n",
        "\n#eval 1\n",
        "\nopen import_me\n",
    ],
)
def test_header(header: str, modules: tuple[str, ...], rest: str) -> None:
    found = Commands(header + rest).header()
    assert imports(found) == modules
    assert found.rstrip() == header.rstrip()


def test_the_header_keeps_its_words_whatever_their_age() -> None:
    assert Commands("import Mathlib\r\nimport B\r\n\r\ntheorem a : b := c").header() == "import Mathlib\r\nimport B"
    assert Commands("  import A\n").header().strip() == "import A"


# ---------------------------------------------------------------------------------------------- declaration heads


@pytest.mark.parametrize(
    ("text", "keyword", "name"),
    [
        ("theorem foo : p := q", "theorem", "foo"),
        ("lemma Foo.bar' : p := q", "lemma", "Foo.bar'"),
        ("theorem «foo bar».baz : p := q", "theorem", "«foo bar».baz"),
        ("theorem _root_.foo : p := q", "theorem", "_root_.foo"),
        ("@[simp, to_additive (attr := simp) def] private theorem foo : p := q", "theorem", "foo"),
        ("/-- def bar -/\nprotected noncomputable def foo := q", "def", "foo"),
        ("theorem foo.{u, v} (α : Sort u) : p := q", "theorem", "foo"),
        ("example : p := q", "example", None),
        ("example (h : p) : p := h", "example", None),
        ("example {α} [i : Inhabited α] : p := h", "example", None),
        ("instance : Foo p := q", "instance", None),
        ("instance foo : Foo p := q", "instance", "foo"),
        ("instance (priority := 100) : Foo p := q", "instance", None),
        ("instance [Foo α] : Foo (List α) where", "instance", None),
        ("local instance foo : Foo p := q", "instance", "foo"),
        ("open Nat in\ntheorem foo : p := q", "theorem", "foo"),
        ("set_option maxHeartbeats 1 in\n@[simp]\ntheorem foo : p := q", "theorem", "foo"),
        ("abbrev foo := q", "abbrev", "foo"),
        ("structure Foo extends Bar where", "structure", "Foo"),
        ("class Foo (α : Type) where", "class", "Foo"),
        ("class inductive Foo : Prop", "inductive", "Foo"),
        ("class abbrev Foo := Bar", "abbrev", "Foo"),
        ("inductive Foo | a | b", "inductive", "Foo"),
        ("theorem 𝕜foo : p := q", "theorem", "𝕜foo"),
        ("theorem foo : p := by\n  have theorem := q\n  def", "theorem", "foo"),
        ("theorem (h : p) : q", "theorem", None),
        ("theorem", "theorem", None),
    ],
)
def test_declaration_head(text: str, keyword: str, name: str | None) -> None:
    (command,) = Commands(text).all()
    head = declaration_head(command)
    assert head is not None
    assert head.keyword.text == keyword
    assert (head.name.text if head.name else None) == name


@pytest.mark.parametrize(
    "text", ["#eval foo", "open Nat", "variable (x : Nat)", "end", "attribute [instance] foo", "namespace Foo"]
)
def test_other_commands_have_no_head(text: str) -> None:
    (command,) = Commands(text).all()
    assert declaration_head(command) is None


@pytest.mark.parametrize("prefix", ["", "set_option x true in\n", "open Nat in\n"])
def test_in_a_mutual_block_the_head_is_that_above_the_offset(prefix: str) -> None:
    """Its axioms are asked for under this name: another's would say nothing of the proof at hand."""
    text = (
        f"{prefix}mutual\ntheorem a : p := by\n  sorry\n@[simp] def x := by sorry\nprivate theorem b : q := by\n"
        "  sorry\n/-- doc -/ theorem c : r := by have def' := lemma; sorry\n  lemma d : s := by sorry\nend\n"
    )
    (command,) = Commands(text).all()
    names = []
    for sorry in Commands(text).sorries():
        head = declaration_head(command, before=sorry.start)
        names.append(head.name.text if head is not None and head.name is not None else None)
    assert names == ["a", "x", "b", "c", "d"]


@given(lean_texts)
@examples
def test_heads_are_inside_their_command(text: str) -> None:
    for command in Commands(text).all():
        head = declaration_head(command)
        if head is not None:
            assert command.span.start <= head.keyword.start < command.span.end
            assert head.name is None or head.name.start >= head.keyword.end
