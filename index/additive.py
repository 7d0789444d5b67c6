"""The names that `to_additive` and `to_dual` give, by Mathlib's own rules and tables.

Source: Mathlib/Tactic/Translate/GuessName.lean (splitCase, applyNameDict, fixAbbreviation, guessName), Core.lean
(targetName), ToAdditive.lean and ToDual.lean (the tables), as of Lean v4.33.0-rc1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

Translated = Callable[[str], str | None]
"""What a full name is translated to, where that is known."""


def _table(entries: str) -> dict[str, str]:
    return dict(entry.split(":", 1) for entry in entries.split())


@dataclass(frozen=True, slots=True)
class Tables:
    """What one of the two attributes calls things: word by word, and what is mended afterwards.

    A word may become several (`Add+Monoid`). Keys begin with a small letter, values with a capital one.
    """

    attribute: str
    words: Mapping[str, str]
    abbreviations: Mapping[str, str]
    dual: bool = False
    cache: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def hinted(self, source: str, target: str) -> Tables:
        """With one more translation, as `to_dual_name_hint Left Right` adds it for the rest of a file."""
        key = _decapitalized(source)
        if len(split_case(key)) == 1:
            return replace(self, words={**self.words, key: "+".join(split_case(target))}, cache={})
        return replace(self, abbreviations={**self.abbreviations, key: target}, cache={})


_ADDITIVE_WORDS = _table(
    "one:Zero mul:Add smul:VAdd inv:Neg div:Sub sdiv:VSub prod:Sum hmul:HAdd hsmul:HVAdd hdiv:HSub hpow:HSMul "
    "finprod:Finsum tprod:TSum pow:NSMul npow:NSMul zpow:ZSMul mabs:Abs monoid:Add+Monoid submonoid:Add+Submonoid "
    "group:Add+Group subgroup:Add+Subgroup semigroup:Add+Semigroup torsor:Add+Torsor magma:Add+Magma haar:Add+Haar "
    "prehaar:Add+Prehaar unit:Add+Unit units:Add+Units cyclic:Add+Cyclic semigrp:Add+Semigrp grp:Add+Grp "
    "commute:Add+Commute semiconj:Add+Semiconj conjugates:Add+Conjugates conj:Add+Conj commutator:Add+Commutator "
    "rootable:Divisible zpowers:ZMultiples powers:Multiples multipliable:Summable gpfree:APFree quantale:Add+Quantale "
    "square:Even mconv:Conv irreducible:Add+Irreducible mlconvolution:LConvolution"
)
_ADDITIVE_ABBREVIATIONS = _table(
    "isCancelAdd:IsCancelAdd isLeftCancelAdd:IsLeftCancelAdd isRightCancelAdd:IsRightCancelAdd cancelAdd:AddCancel "
    "leftCancelAdd:AddLeftCancel rightCancelAdd:AddRightCancel cancelCommAdd:AddCancelComm commAdd:AddComm "
    "zero_le:Nonneg zeroLE:Nonneg zero_lt:Pos zeroLT:Pos lezero:Nonpos le_zero:Nonpos ltzero:Neg lt_zero:Neg "
    "addAntidiagonal:Antidiagonal addSingle:Single addSupport:Support addTSupport:TSupport addPointed:Pointed "
    "addSpanning:Spanning addIndicator:Indicator isEven:Even isRegular:IsAddRegular isLeftRegular:IsAddLeftRegular "
    "isRightRegular:IsAddRightRegular hasFundamentalDomain:HasAddFundamentalDomain quotientMeasure:AddQuotientMeasure "
    "negFun:InvFun uniqueProds:UniqueSums orderOf:AddOrderOf zeroLePart:PosPart leZeroPart:NegPart "
    "isScalarTower:VAddAssocClass isOfFinOrder:IsOfFinAddOrder isCentralScalar:IsCentralVAdd "
    "function_addSemiconj:Function_semiconj function_addCommute:Function_commute divisionAddMonoid:SubtractionMonoid "
    "subNegZeroAddMonoid:SubNegZeroMonoid modularCharacter:AddModularCharacter addShift:Shift addSubshift:Subshift "
    "isQuotientCoveringMap:IsAddQuotientCoveringMap addExact:Exact isMonHom:IsAddMonHom mapMon:MapAddMon "
    "monObj:AddMonObj isModHom:IsAddModHom mapMod:MapAddMod modObj:AddModObj yonedaMon:YonedaAddMon conGen:AddConGen "
    "unoneD:unzeroD unone:unzero"
)
_DUAL_WORDS = _table(
    "top:Bot bot:Top inf:Sup sup:Inf inf₂:Sup₂ sup₂:Inf₂ sinf:SSup ssup:SInf min:Max max:Min untop:Unbot unbot:Untop "
    "minimal:Maximal maximal:Minimal lower:Upper upper:Lower below:Above above:Below least:Greatest greatest:Least "
    "glb:LUB lub:GLB cofinal:Coinitial coinitial:Cofinal succ:Pred pred:Succ disjoint:Codisjoint codisjoint:Disjoint "
    "atom:Coatom coatom:Atom lfp:Gfp gfp:Lfp ioi:Iio iio:Ioi ici:Iic iic:Ici ioc:Ico ico:Ioc next:Prev prev:Next "
    "heyting:Coheyting coheyting:Heyting frame:Coframe coframe:Frame epigraph:Hypograph hypograph:Epigraph epi:Mono "
    "terminal:Initial initial:Terminal precompose:Postcompose postcompose:Precompose cone:Cocone cocone:Cone "
    "cones:Cocones cocones:Cones fan:Cofan cofan:Fan limit:Colimit colimit:Limit lim:Colim colim:Lim limits:Colimits "
    "colimits:Limits product:Coproduct coproduct:Product products:Coproducts coproducts:Products pushout:Pullback "
    "pullback:Pushout pushouts:Pullbacks pullbacks:Pushouts span:Cospan cospan:Span kernel:Cokernel cokernel:Kernel "
    "kernels:Cokernels cokernels:Kernels unit:Counit counit:Unit monad:Comonad comonad:Monad monadic:Comonadic "
    "comonadic:Monadic section:Retraction retraction:Section"
)
_DUAL_ABBREVIATIONS = _table(
    "wellFoundedLT:WellFoundedGT wellFoundedGT:WellFoundedLT nhdsLT:NhdsGT nhdsGT:NhdsLT nhdsLE:NhdsGE nhdsGE:NhdsLE "
    "relIsoLT:RelIsoGT relIsoGT:RelIsoLT succColimit:SuccLimit predColimit:PredLimit codirectedOrder:DirectedOrder "
    "directedOrder:CodirectedOrder galoisInsertion:GaloisCoinsertion galoisCoinsertion:GaloisInsertion "
    "leftOrdContinuous:RightOrdContinuous rightOrdContinuous:LeftOrdContinuous neTop:NeBot "
    "decidableSucc:DecidablePred ofSucc:OfPred"
)

TO_ADDITIVE = Tables("to_additive", _ADDITIVE_WORDS, _ADDITIVE_ABBREVIATIONS)
TO_DUAL = Tables("to_dual", _DUAL_WORDS, _DUAL_ABBREVIATIONS, dual=True)


def _upper(char: str) -> bool:
    return "A" <= char <= "Z"


def _lowered(text: str) -> str:
    return "".join(char.lower() if _upper(char) else char for char in text)


_ENDS_IN_CAPITALS = {"LE": ("",), "LT": ("",), "GE": ("",), "GT": ("",), "WF": ("",), "Coe": ("TC", "T", "HTCT")}


def split_case(text: str) -> list[str]:
    """`InvHMulLEConjugate₂SMul_ne_top` as Inv, HMul, LE, Conjugate₂, SMul, _, ne, _, top."""
    parts = []
    at = 0
    while at + 1 < len(text):
        here, after = text[at], text[at + 1]
        cut = 0
        if here == "_" or after == "_":
            cut = at + 1
        elif _upper(after):
            ends = _ENDS_IN_CAPITALS.get(text[: at + 1], ())
            end = next((each for each in ends if text.startswith(each, at + 1)), None)
            if end is not None:
                cut = at + 1 + len(end)
            elif not _upper(here):
                cut = at + 1
        if cut:
            parts.append(text[:cut])
            text, at = text[cut:], 0
        else:
            at += 1
    return [*parts, text]


def _decapitalized(text: str) -> str:
    """Without capitals at the beginning: `HMul` becomes `hmul`."""
    capitals = 0
    while capitals < len(text) and _upper(text[capitals]):
        capitals += 1
    return text[:capitals].lower() + text[capitals:]


def _like(model: str, text: str) -> str:
    return text if not model or _upper(model[0]) else _decapitalized(text)


def _translated_words(tables: Tables, parts: list[str]) -> list[str]:
    words = []
    for part in parts:
        found = tables.words.get(_lowered(part))
        if found is None:
            words.append(part)
        else:
            first, *rest = found.split("+")
            words += [_like(part, first), *rest]
    return words


def _mended(tables: Tables, words: list[str]) -> str:
    """The words joined, the longest known abbreviations replaced from the left (fixAbbreviationAux)."""
    result = []
    rest, seen = words, list[str]()
    while rest or seen:
        if not rest:
            result.append(seen[0])
            rest, seen = seen[1:], []
            continue
        word, rest = rest[0], rest[1:]
        seen = [*seen, word]
        joined = "".join(seen)
        if word == "_" and _upper(joined[0]):
            result.append(seen[0])
            rest, seen = seen[1:] + rest, []
        elif (found := tables.abbreviations.get(_decapitalized(joined))) is not None:
            result.append(_like(joined, found))
            seen = []
    return "".join(result)


def guess_name(tables: Tables, name: str) -> str:
    """The translation of one component of a name: `mul_one'` is `add_zero'`."""
    known = tables.cache.get(name)
    if known is None:
        known = tables.cache[name] = "'".join(
            _mended(tables, _translated_words(tables, split_case(piece))) for piece in name.split("'")
        )
    return known


def translate_prefix(translated: Translated, name: str) -> str:
    """`name` with its longest known prefix replaced."""
    prefix = name
    while prefix:
        if (found := translated(prefix)) is not None:
            return found + name[len(prefix) :]
        prefix = prefix.rpartition(".")[0]
    return name


def target_name(tables: Tables, translated: Translated, source: str, given: str = "") -> str:
    """The full name of what an attribute makes of `source`, where `given` is the name that it was given, if any."""
    if given.startswith("_root_."):
        return given[7:]
    namespace, _, last = source.rpartition(".")
    namespace = translate_prefix(translated, namespace)
    if not given:
        given = guess_name(tables, last)
    else:
        # A name of several components replaces as many of the namespace.
        parts = namespace.split(".") if namespace else []
        dots = given.count(".")
        namespace = ".".join(parts[: len(parts) - dots] if dots else parts)
    return f"{namespace}.{given}" if namespace else given
