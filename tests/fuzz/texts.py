"""Candidate texts: made by a small grammar of tactics, and by damaging texts that are known. Hypothesis strategies."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from tacit.server.lean.gate import refusal
from tests.lean.test_traps import HOSTILE
from tests.unit.properties import PIECES, any_texts
from tests.unit.test_lean_gate import ALLOWED, REFUSED

KNOWN = tuple(
    line.replace("\\n", "\n") for line in (*ALLOWED, *HOSTILE, *(t for ts in REFUSED.values() for t in ts.split("\n")))
)
# What ends, opens, hides, runs or proves something, in the spellings of 2021 and of today.
NASTY = (
    *("sorry", "admit", "sorryAx", "stop", "native_decide", "ofReduceBool", "_tacitHole", "_tacitRest", "tacitExample"),
    *("end", "theorem", "axiom", "open", "section", "namespace", "#eval", "#exit", "#print axioms", "run_cmd", "elab"),
    *("set_option", "in", "by", "where", "termination_by", "decreasing_by", "deriving", "mutual", "instance", "sudo"),
    *(
        "trace_state",
        "all_goals sorry",
        "·",
        "· (",
        ")",
        " )",
        "\n)",
        "\n · (skip",
        "\n#eval 1\n",
        "\nend\n",
        "-/",
        "/-",
    ),
    *(
        "'('",
        "')'",
        "'\\''",
        '"',
        'r"',
        'r#"',
        "''",
        "'",
        "«",
        "»",
        "«)»",
        "`(",
        "$(",
        "@[",
        "%",
        ".{",
        "‹",
        "›",
        "⟨",
        "⟩",
    ),
    *("(-", "-)", "(|", "|)", "[|", "|]", "⦃", "⦄", "{{", "}}", "|", ":=", "=>", "<;>", ";", ",", "..", "…", "\\", "λ"),
    *("\t", "\r", "\r\n", "\x00", "\x0b", "\x0c", "\x85", "\u00a0", "\u00ad", "\u200b", "\u202e", "\u2028", "\ufeff"),
    *("ѕorry", "sοrry", "s\u0301orry", "ｓorry", "𝑠orry", "（", "）", "❨", "⟮", "\U000e0041", "𝕜", "ᵒᵖ", "✝", "⁻¹"),
    *("(config := f x)", "(config := {})", "(maxSteps := f x)", "+native", "decide +kernel", "grind", "bv_decide"),
)

_names = st.sampled_from(("h", "hp", "h.1", "p", "x", "Nat.succ", "And.intro", "_", "rfl", "α", "h₁", "f ''"))
_terms = st.recursive(
    _names,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" ".join),
        inner.map(lambda t: f"({t})"),
        st.tuples(inner, inner).map(lambda ts: f"⟨{ts[0]}, {ts[1]}⟩"),
        inner.map(lambda t: f"fun x => {t}"),
        inner.map(lambda t: f"by exact {t}"),
        inner.map(lambda t: f"({t} : _)"),
        st.tuples(inner, inner).map(lambda ts: f"{ts[0]} ▸ {ts[1]}"),
        inner.map(lambda t: f"@{t} _ _"),
        inner.map(lambda t: f"(id (α := {t}) {t})"),
    ),
    max_leaves=6,
)
_simple = st.one_of(
    _terms.map(lambda t: f"exact {t}"),
    _terms.map(lambda t: f"refine {t}"),
    _terms.map(lambda t: f"simp [{t}]"),
    _terms.map(lambda t: f"rw [← {t}] at h ⊢"),
    _terms.map(lambda t: f"have h : {t} := {t}"),
    st.tuples(_names, _terms).map(lambda p: f"cases {p[0]} with\n| inl a => exact {p[1]}\n| inr b => exact {p[1]}"),
    st.sampled_from(("skip", "rfl", "intro h", "constructor", "assumption", "omega", "simp (config := {})", "done")),
)
_tactics = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("\n".join),
        st.tuples(inner, inner).map("; ".join),
        st.tuples(inner, inner).map(" <;> ".join),
        inner.map(lambda t: f"({t})"),
        inner.map(lambda t: "· " + t.replace("\n", "\n  ")),
        st.tuples(inner, inner).map(lambda ts: f"first | {ts[0]} | {ts[1]}"),
        inner.map(lambda t: f"all_goals ({t})"),
        inner.map(lambda t: f"have h := by\n  {t}".replace("\n", "\n  ")),
    ),
    max_leaves=5,
)


@st.composite
def _damaged(draw: st.DrawFn, whole: st.SearchStrategy[str]) -> str:
    """A text with some of its pieces cut out, put twice, put elsewhere, or exchanged for nasty ones."""
    text = draw(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        kind = draw(st.sampled_from(("insert", "piece", "cut", "twice", "splice", "exchange", "wrap")))
        piece = text[start:end]
        if kind == "insert":
            piece = draw(st.sampled_from(NASTY)) + piece
        elif kind == "piece":
            piece = draw(st.sampled_from(PIECES)) + piece
        elif kind == "cut":
            piece = ""
        elif kind == "twice":
            piece *= 2
        elif kind == "splice":
            piece += draw(whole)
        elif kind == "exchange":
            piece = draw(st.sampled_from(NASTY))
        else:
            around = draw(st.sampled_from(("()", "[]", "{}", "⟨⟩", "«»", "‹›", "||", '""', "''")))
            piece = around[0] + piece + around[1]
        text = text[:start] + piece + text[end:]
    return text


def candidates(more: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Texts of which a good part passes the gate. `more` are further texts to damage."""
    known = st.sampled_from((*KNOWN, *more))
    return st.one_of(known, _tactics, _damaged(known), _damaged(_tactics), any_texts)


def accepted(more: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Those that the gate lets through."""
    return candidates(more).filter(lambda text: refusal(text) is None)


def tactic_lines(folder: Path, limit: int = 20_000) -> tuple[str, ...]:
    """Lines of the tactic blocks in the Lean files of a folder, as texts to damage."""
    found: dict[str, None] = {}
    for path in sorted(folder.rglob("*.lean")):
        for line in path.read_text(errors="replace").split("\n"):
            text = line.strip()
            if line.startswith("  ") and 3 < len(text) < 200:
                found[text.removeprefix("· ")] = None
        if len(found) >= limit:
            break
    return tuple(found)[:limit]
