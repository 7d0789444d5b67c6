"""Short hand for goals in the tests of tactic sources."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tacit.server.tactics.above import FileLemmas
from tacit.server.tactics.definitions import DefinitionTactics
from tacit.server.tactics.hypotheses import HypothesisTactics
from tacit.server.tactics.portfolio import Portfolio
from tacit.server.tactics.probes import PROBES
from tacit.server.tactics.source import SourceRequest, TacticSource
from tacit.server.tactics.unknowns import UnknownTactics
from tacit.server.values import Candidate, Declaration, Goal, Hypothesis

EVERYTHING = frozenset(PROBES)
# What a Lean of November 2021 knows without any library.
OLD = frozenset(
    "apply assumption case cases constructor contradiction decide delta exact first funext have induction "
    "infer_instance injection injections intro intros refine repeat rfl rw simp simp_all specialize split subst "
    "trivial try".split()
) | {"cases with", "have pattern", "induction generalizing", "induction with"}
CORE = EVERYTHING - {"simp_arith", "library_search"} - frozenset(
    "abel aesop aesop? bound by_contra by_contra! congr! continuity contrapose! field field_simp fin_cases finiteness "
    "fun_prop gcongr group hint interval_cases linarith linear_combination measurability module nlinarith noncomm_ring "
    "norm_num order positivity push_neg ring ring_nf split_ands split_ifs subsingleton tauto use".split()
) - {"norm_num args"}  # fmt: skip


def goal(text: str) -> Goal:
    """`p q : Prop; h : p ∧ q; ⊢ q ∧ p`."""
    *context, target = (part.strip() for part in text.split(";"))
    hypotheses = []
    for line in context:
        names, _, rest = line.partition(" : ")
        kind, _, value = rest.partition(" := ")
        hypotheses.append(Hypothesis(tuple(names.split()), kind, value or None))
    return Goal(tuple(hypotheses), target.removeprefix("⊢ "), text=text)


def request(
    text: str,
    known: Iterable[str] = EVERYTHING,
    *,
    declaration: str | None = None,
    imports: tuple[str, ...] = (),
    above: tuple[Declaration, ...] = (),
) -> SourceRequest:
    """A request for one goal."""
    return SourceRequest((goal(text),), frozenset(known), declaration, imports, above)


def sources() -> list[TacticSource]:
    """One of each."""
    return [Portfolio(), HypothesisTactics(), DefinitionTactics(), FileLemmas(), UnknownTactics()]


def batches(source: TacticSource, asked: SourceRequest) -> list[list[Candidate]]:
    """Everything a source proposes, batch by batch."""

    async def collect() -> list[list[Candidate]]:
        return [list(batch) async for batch in source.candidates(asked)]

    return asyncio.run(collect())


def texts(source: TacticSource, asked: SourceRequest) -> list[str]:
    """The candidates' texts in their order."""
    return [candidate.text for batch in batches(source, asked) for candidate in batch]
