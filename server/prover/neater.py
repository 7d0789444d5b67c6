"""Neater forms of a proof, as a person writes it: one change each, for Lean to judge. Pure.

Steps that go, tactics that become one (`intro a b`, `rw [a, b]`, `simpa using h`), blocks that become a term
(`exact ⟨hp, hq⟩`), lemmas that `simp` may not need, induction without its hypothesis.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from tacit.server.lean.syntax import Kind, Token, tokens
from tacit.server.prover.binders import names
from tacit.server.prover.proof import Path, Proof, closing, listed, outside, words
from tacit.server.prover.terms import LONGEST, term
from tacit.server.tactics.lexer import argument

# Lemmas that one of these does not need can go; `rw` needs each that it has.
_LISTS = re.compile(r"\b(?:simp|simp_all|simp only|dsimp|dsimp only|simpa|grind|norm_num|field_simp)\s*(?P<open>\[)")
_REWRITES = re.compile(r"(?P<head>rw|rewrite|simp_rw|erw|simp only|dsimp only|simp) \[(?P<list>.*)\](?P<at> at .+)?")
_SIMP_AT = re.compile(r"(?P<simp>simp(?: only)?(?: \+\w+)*(?: \[.*\])?) at (?P<name>[\w'✝₀-₉]+)(?P<goal> ⊢)?")
_SIMP = re.compile(r"simp(?: only)?(?: \+\w+)*(?: \[.*\])?")
_HAVE = re.compile(r"have (?P<name>[\w'₀-₉]+)(?: : (?P<type>.*?))? := (?P<value>(?!by\b).+)")
_ANONYMOUS = re.compile(r"(?:cases|rcases) (?P<of>[^\s]+)(?: with)?\n\| (?:_root_\.)?[\w.]+ (?P<names>[^|]*?) => \?_")
_TAKEN = re.compile(
    r"(?:(?:obtain|have) (?P<pattern>⟨?.+?) := (?P<of>[\w'₀-₉]+)|rcases (?P<of2>[\w'₀-₉]+) with (?P<pattern2>.+))"
)
_TYPED = re.compile(r"[^()\[\]{}⟨⟩=]*\s:\s")
_INDUCTION = re.compile(r"induction [^\s,]+(?: using \S+)?(?: generalizing [^\n;<]+)?")
_ALTERNATIVE = re.compile(r"^(?P<head>\| \S+(?: [^=\s]+)*?) (?P<last>[^=\s|]+) => ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """Another proof for what stands at a place."""

    path: Path
    new: Proof

    def of(self, proof: Proof) -> Proof:
        """The whole with this change."""
        return proof.put(self.path, self.new)


def changes(proof: Proof, known: Collection[str] = ()) -> Iterator[Change]:
    """Every single change, those of the whole before those of its parts. `known`: tactics that this Lean has."""
    for path, each in proof.walk():
        for new in _neater(each, known):
            yield Change(path, new)


def together(proof: Proof, accepted: Sequence[Change]) -> Proof | None:
    """Several changes at once, the first of those that are about the same place; None where that is but one."""
    done: list[Change] = []
    for each in accepted:
        if not any(_within(each.path, other.path) or _within(other.path, each.path) for other in done):
            done.append(each)
    if len(done) < 2:
        return None
    for each in done:
        proof = each.of(proof)
    return proof


def _within(path: Path, other: Path) -> bool:
    return path[: len(other)] == other


def _neater(proof: Proof, known: Collection[str]) -> Iterator[Proof]:
    given = {name.text for name in names(proof.tactic)}
    for part in dict.fromkeys(reversed(proof.parts)):
        if given.isdisjoint(words(part.text)):
            yield part
    if len(proof.parts) == 1 and len(proof.parts[0].parts) == 1:
        yield proof.parts[0].parts[0]
    for text in _without_brackets(proof.tactic):
        yield replace(proof, tactic=text)
    if proof.parts and (whole := term(proof)) is not None:
        yield Proof(f"exact {whole}")
    for first, then in _sequences(proof.tactic):
        yield Proof(first, proof.parts)
        yield Proof(first, (Proof(then, proof.parts),))
    if len(proof.parts) > 1:
        if only := _same_closer(proof.parts):
            yield Proof(f"{proof.tactic} <;> {only}")
        yield from _one_side(proof)
    if len(proof.parts) == 1:
        yield from _merged(proof.tactic, proof.parts[0], known)
    if (found := _ANONYMOUS.fullmatch(proof.tactic)) and proof.parts:
        way = "obtain" if "obtain" in known else "have"
        yield replace(proof, tactic=f"{way} ⟨{', '.join(found['names'].split())}⟩ := {found['of']}")
    for text in with_fewer_lemmas(proof.tactic):
        yield replace(proof, tactic=text)
    if proof.tactic.startswith("induction ") and (plain := without_hypotheses(proof)) is not None:
        yield plain
    for text in _functions_without_names(proof):
        yield replace(proof, tactic=text)


def _merged(tactic: str, below: Proof, known: Collection[str]) -> Iterator[Proof]:
    """Two tactics, one below the other, as one."""
    following, rest = below.tactic, below.parts
    head, _, more = tactic.partition(" ")
    if "\n" in tactic or "<;>" in tactic:
        return
    if head == "intro" and following.startswith("intro ") and "\n" not in following and "<;>" not in following:
        yield Proof(f"intro {more.strip()} {following[6:].strip()}", rest)
    if (mine := _REWRITES.fullmatch(tactic)) and (other := _REWRITES.fullmatch(following)):
        heads = {mine["head"], other["head"]}
        if mine["at"] == other["at"] and (len(heads) == 1 or heads <= {"simp only", "simp", "rw"}):
            kept = other["head"] if len(heads) > 1 else mine["head"]
            yield Proof(f"{kept} [{mine['list']}, {other['list']}]{mine['at'] or ''}", rest)
    if head == "intro" and rest and (text := _taken_apart(more.split(), below, known)):
        yield Proof(text, rest)
    if rest:
        return
    yield from _ended(tactic, following, known)
    if (have := _HAVE.fullmatch(tactic)) and words(following).count(have["name"]) == 1:
        value = have["value"] if have["type"] is None else f"({have['value']} : {have['type']})"
        yield Proof(_instead(following, have["name"], value))
        if have["type"] is not None:
            yield Proof(_instead(following, have["name"], have["value"]))


def _taken_apart(given: Sequence[str], below: Proof, known: Collection[str]) -> str:
    """`intro h` and `obtain ⟨a, b⟩ := h` as `rintro ⟨a, b⟩`, where it is nothing else that `h` is wanted for."""
    found = _TAKEN.fullmatch(below.tactic)
    if found is None or not given:
        return ""
    of, pattern = found["of"] or found["of2"], (found["pattern"] or found["pattern2"]).strip()
    if given[-1] != of or "⟨" not in pattern or any(of in words(part.text) for part in below.parts):
        return ""
    plain = pattern.startswith("⟨") and " | " not in pattern
    if "rintro" in known:
        return " ".join(["rintro", *given[:-1], pattern if plain else f"({pattern})"])
    return " ".join(["intro", *given[:-1], pattern]) if plain and "rfl" not in words(pattern) else ""


def _ended(tactic: str, last: str, known: Collection[str]) -> Iterator[Proof]:
    """A tactic and the one that ends its goal, as one."""
    ends = last[6:].strip() if last.startswith("exact ") else ""
    if (ends or last == "assumption") and "\n" not in last:
        if "simpa" in known and ends:
            found = _SIMP_AT.fullmatch(tactic)
            if found is not None and ends == found["name"]:
                yield Proof(f"{_simpa(found['simp'])} using {ends}")
            elif _SIMP.fullmatch(tactic):
                yield Proof(f"{_simpa(tactic)} using {ends}")
        if "rwa" in known and (rewrite := _REWRITES.fullmatch(tactic)) and rewrite["head"] == "rw":
            yield Proof(f"rwa{tactic[2:]}")


def _simpa(simp: str) -> str:
    return "simpa" + simp.removeprefix("simp")


def _instead(text: str, name: str, value: str) -> str:
    """A text with a value for a name: in parentheses, unless it stands alone (`exact h`, `using h`)."""
    for token in tokens(text):
        if token.kind is Kind.IDENT and token.text.split(".")[0] == name:
            field = token.text[len(name) :]
            before, after = text[: token.start], text[token.end :]
            alone = not field and not after.strip() and before.rstrip().split()[-1:] in (["exact"], ["using"])
            return f"{before}{value if alone else argument(value)}{field}{after}"
    return text


def _sequences(tactic: str) -> Iterator[tuple[str, str]]:
    """`a <;> b` in its two parts: where `a` leaves one goal, one stands below the other."""
    for token in outside(tactic) if "\n" not in tactic else ():
        if tactic.startswith("<;>", token.start):
            yield tactic[: token.start].rstrip(), tactic[token.start + 3 :].lstrip()


def _one_side(proof: Proof) -> Iterator[Proof]:
    """`constructor` with a term on one side: `refine ⟨hp, ?_⟩`, and the other side needs no block."""
    if proof.tactic not in ("constructor", "apply And.intro", "refine ⟨?_, ?_⟩") or len(proof.parts) != 2:
        return
    for number, part in enumerate(proof.parts):
        text = term(part)
        if text is not None and len(text) <= LONGEST // 2:
            items = [text, "?_"] if number == 0 else ["?_", text]
            yield Proof(f"refine ⟨{', '.join(items)}⟩", (proof.parts[1 - number],))


def without_hypotheses(proof: Proof) -> Proof | None:
    """An induction as the case analysis that it is: the last name of each alternative that has one goes.

    None where one is mentioned. (That the last is the hypothesis, Lean says: else names are too few, or too many.)
    """
    lines = proof.tactic.split("\n")
    heads = lines[1:]
    if len(heads) != len(proof.parts) or " generalizing " in lines[0]:
        return None
    done = ["cases" + lines[0].removeprefix("induction")]
    for line, part in zip(heads, proof.parts, strict=True):
        found = _ALTERNATIVE.match(line)
        hypothesis = found is not None and (found["last"].startswith("ih") or found["last"] == "_")
        if found is not None and hypothesis:
            if found["last"] in words(part.text):
                return None
            line = f"{found['head']} =>{line[found.end() - 1 :]}"
        done.append(line)
    return replace(proof, tactic="\n".join(done)) if done[1:] != heads else None


def _without_brackets(tactic: str) -> Iterator[str]:
    """A text without the brackets that it may not need: all of these gone, then one pair at a time.

    `⟨a, (b c)⟩`, `⟨a, ⟨b, c⟩⟩`, `exact (f a)`, `f (fun x => a)` at the end of a term.
    """
    found = list(tokens(tactic))
    pairs = [(token, found[end]) for number, token in enumerate(found) if (end := _idle(tactic, found, number)) > 0]
    for chosen in [pairs, *([pair] for pair in pairs)] if len(pairs) > 1 else [pairs] if pairs else []:
        gone = {token.start for pair in chosen for token in pair}
        yield "".join(char for at, char in enumerate(tactic) if at not in gone)


def _idle(tactic: str, found: Sequence[Token], number: int) -> int:
    """The index of the bracket that closes the one at an index, where both may go; else -1."""
    token = found[number]
    end = closing(found, number) if number and token.text in ("(", "⟨") else -1
    if end <= 0:
        return -1
    before, inside = found[number - 1].text, tactic[token.end : found[end].start]
    after = found[end + 1].text if end + 1 < len(found) else ""
    if token.text == "⟨":
        return end if before == "," and after == "⟩" else -1
    last = after in ("", ")", "⟩", ",")
    alone = before in ("⟨", ",", "exact") and last
    function = inside.startswith("fun ") and last and found[number - 1].end < token.start
    return end if function or (alone and not _TYPED.match(inside)) else -1


def with_alternatives(proof: Proof) -> Proof:
    """The proof with an alternative for each goal that an `induction` leaves, in the place of `·` blocks.

    The names of what is new stay hidden: the proofs were found without them.
    """
    for path, _ in list(proof.walk()):
        each = proof.at(path)
        tags = each.tags
        known = len(tags) == len(each.parts) > 1 and all(tags) and len(set(tags)) == len(tags)
        if known and _INDUCTION.fullmatch(each.tactic):
            lines = [f"{each.tactic} with", *(f"| {tag} => ?_" for tag in tags)]
            proof = proof.put(path, replace(each, tactic="\n".join(lines)))
    return proof


def _functions_without_names(proof: Proof) -> Iterator[str]:
    """`fun x h => f x` as `fun x _ => f x`: names of functions that nothing mentions."""
    tactic = proof.tactic
    if "fun " not in tactic:
        return
    found = list(tokens(tactic))
    mentioned = words(proof.text)
    for number, token in enumerate(found):
        if token.text != "fun":
            continue
        for each in found[number + 1 :]:
            if each.text in ("=", "↦", ":"):  # (`=>` is two symbols)
                break
            if each.kind is Kind.IDENT and each.text != "_" and mentioned.count(each.text) == 1:
                yield f"{tactic[: each.start]}_{tactic[each.end :]}"


def _same_closer(parts: Sequence[Proof]) -> str:
    """The one tactic that ends all goals, where it is one."""
    texts = {part.tactic for part in parts if not part.parts}
    text = next(iter(texts)) if len(texts) == 1 and all(not part.parts for part in parts) else ""
    return "" if "\n" in text or "<;>" in text or ";" in text else text


def with_fewer_lemmas(tactic: str) -> Iterator[str]:
    """A tactic's text with fewer of the lemmas that `simp` and its like are given: none, either half, all but one."""
    for found in _LISTS.finditer(tactic):
        begin = found.start("open")
        read = listed(tactic, begin)
        if read is None:
            continue
        items, end = read
        before, after = tactic[:begin].rstrip(), tactic[end + 1 :]
        if "only" not in found[0]:
            yield before + after
        half = len(items) // 2
        kept = [items[:half], items[half:]] if len(items) > 2 else []
        kept += [items[:number] + items[number + 1 :] for number in range(len(items))]
        for each in kept:
            if each:
                yield f"{before} [{', '.join(each)}]{after}"
