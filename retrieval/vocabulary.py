"""The words behind Lean's symbols, LaTeX's commands and Mathlib's abbreviations: tables alone.

The abbreviations are those of Mathlib's naming guide (https://leanprover-community.github.io/contribute/naming.html)
and of the names that follow it. All words of a line become the first one, in names, texts and questions alike, so that
`comm` finds "commutative" and the other way round.
"""

from __future__ import annotations

SYMBOLS: dict[str, str] = {
    "∑": "sum", "∑ᶠ": "sum", "∏": "prod", "∫": "integral", "∂": "deriv", "⨆": "supr", "⨅": "infi", "⊔": "sup",
    "⊓": "inf", "⋃": "union", "⋂": "inter", "∪": "union", "∩": "inter", "∈": "mem", "∉": "mem not", "∋": "mem",
    "⊆": "subset", "⊂": "subset strict", "⊇": "subset", "⊃": "subset strict", "∅": "empty", "≤": "le", "≥": "le",
    "<": "lt", ">": "lt", "=": "eq", "≠": "ne", "≡": "modeq", "∣": "dvd", "∤": "dvd not", "⁻¹": "inv", "∘": "comp",
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "∧": "and", "∨": "or", "¬": "not", "↔": "iff",
    "→": "imp", "⇒": "imp", "⟹": "imp", "↦": "map", "∀": "forall", "∃": "exist", "∃!": "exist unique", "⊤": "top",
    "⊥": "bot", "•": "smul", "·": "smul", "×": "prod", "⊗": "tensor", "⊕": "direct sum", "≅": "iso", "≃": "equiv",
    "≌": "equivalence", "⊣": "adjunction", "⋙": "comp", "≫": "comp", "⟶": "hom", "⥤": "functor", "⟪": "inner",
    "⟨": "", "‖": "norm", "‖₊": "norm", "|": "abs", "⌊": "floor", "⌋": "floor", "⌈": "ceil", "⌉": "ceil", "√": "sqrt",
    "∞": "infinity top", "ℕ": "nat", "ℤ": "int", "ℚ": "rat", "ℝ": "real", "ℂ": "complex", "ℍ": "quaternion",
    "𝓝": "nhds", "𝓟": "principal", "𝓤": "uniformity", "∘ₘ": "comp", "≪": "absolutely continuous", "⟂": "perp",
    "⊥ₘ": "mutually singular", "ᶜ": "compl", "ᵀ": "transpose", "ᴴ": "conj transpose", "ᵒᵖ": "op", "!": "factorial",
    "≈": "equiv", "∼": "equiv", "∆": "symm diff", "Δ": "discr", "ζ": "zeta", "Γ": "gamma", "π": "pi", "φ": "phi",
    "σ": "sigma", "μ": "mu", "∡": "angle", "∠": "angle", "⋊": "semidirect prod", "≺": "lt", "≼": "le", "⋖": "covby",
    "⩿": "wcovby", "↪": "embedding", "↠": "surj", "∥": "parallel", "ℵ": "aleph", "𝔠": "continuum", "\\": "sdiff",
    "∸": "sub", "⊻": "xor", "⊨": "models", "⊢": "turnstile", "∃ᶠ": "frequently", "∀ᶠ": "eventually", "∀ᵐ": "ae",
    "=ᵐ": "ae eq", "≤ᵐ": "ae le", "=ᶠ": "eventually eq", "≤ᶠ": "eventually le", "∫⁻": "lintegral integral",
    "∑'": "tsum sum", "∏'": "tprod prod", "→+*": "ringhom", "→*": "monoidhom", "→+": "addmonoidhom", "→ₗ": "linearmap",
    "→L": "continuous linearmap", "≃ₗ": "linear equiv", "≃+*": "ringequiv", "≃*": "mulequiv", "≃+": "addequiv",
    "≃o": "orderiso", "↪o": "order embedding", "→o": "orderhom", "→ₐ": "alghom", "≃ₐ": "algequiv", "≃ₜ": "homeomorph",
    "ₘ": "", "⊙": "smul", "⋆": "star", "†": "adjoint", "⬝ᵥ": "dot product", "*ᵥ": "mul vec", "ᵥ*": "vec mul",
    "⁅": "bracket lie", "~": "perm", "++": "append", "::": "cons", ":=": "", "ℓ": "lp", "𝕜": "field", "⟮": "adjoin",
    "≃ᵢ": "isometry equiv", "≃ᵐ": "measurable equiv", "ᗮ": "orthogonal", "∗": "convolution", "⋈": "",
}  # fmt: skip
"""Words of what Lean and people write without letters. The longest symbol at a place counts."""

LATEX: dict[str, str] = {
    "sum": "∑", "prod": "∏", "int": "∫", "iint": "∫", "oint": "∫", "partial": "∂", "bigvee": "⨆", "bigwedge": "⨅",
    "sup": "⊔", "inf": "⊓", "sqcup": "⊔", "sqcap": "⊓", "vee": "⊔", "wedge": "∧", "land": "∧", "lor": "∨",
    "bigsqcup": "⨆", "bigsqcap": "⨅",
    "bigcup": "⋃", "bigcap": "⋂", "cup": "∪", "cap": "∩", "in": "∈", "notin": "∉", "ni": "∋", "subseteq": "⊆",
    "subset": "⊆", "subsetneq": "⊂", "supseteq": "⊇", "supset": "⊇", "emptyset": "∅", "varnothing": "∅", "le": "≤",
    "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥", "lt": "<", "gt": ">", "neq": "≠", "ne": "≠",
    "equiv": "≡", "mid": "∣", "nmid": "∤", "circ": "∘", "cdot": " ", "times": "×", "otimes": "⊗", "oplus": "⊕",
    "bigoplus": "⊕", "bigotimes": "⊗", "cong": "≅", "simeq": "≃", "approx": "≈", "sim": "∼", "dashv": "⊣", "neg": "¬",
    "lnot": "¬", "iff": "↔", "Leftrightarrow": "↔", "leftrightarrow": "↔", "Longleftrightarrow": "↔", "to": "→",
    "rightarrow": "→", "longrightarrow": "→", "implies": "⇒", "Rightarrow": "⇒", "Longrightarrow": "⇒", "mapsto": "↦",
    "forall": "∀", "exists": "∃", "top": "⊤", "bot": "⊥", "langle": "⟪", "rangle": " ", "lVert": "‖", "rVert": " ",
    "Vert": "‖", "|": "‖", "lfloor": "⌊", "rfloor": " ", "lceil": "⌈", "rceil": " ", "sqrt": "√", "infty": "∞",
    "frac": "/", "tfrac": "/", "dfrac": "/", "binom": " choose ", "setminus": "\\", "smallsetminus": "\\",
    "bmod": " mod ", "pmod": " mod ", "mod": " mod ", "hookrightarrow": "↪", "twoheadrightarrow": "↠", "perp": "⟂",
    "ll": "≪", "pi": "π", "zeta": "ζ", "Gamma": "Γ", "phi": "φ", "varphi": "φ", "sigma": "σ", "mu": "μ",
    "Delta": "Δ", "triangle": "∆", "aleph": "ℵ", "ltimes": "⋊", "rtimes": "⋊", "models": "⊨",
    "vDash": "⊨",
    "vdash": "⊢", "prec": "≺", "preceq": "≼", "star": "⋆", "dagger": "†", "ast": " ", "dots": " ", "ldots": " ",
    "cdots": " ", "colon": " ", "quad": " ", "qquad": " ", "bullet": "•", "ell": " ", "prime": "'",
    "limsup": " limsup ",
    "liminf": " liminf ", "lim": " tendsto ", "hat": " ", "bar": " ", "tilde": " ", "overline": " ",
    "gcd": " gcd ", "max": " max ", "min": " min ", "det": " det ", "dim": " dim ", "ker": " ker ", "deg": " degree ",
    "exp": " exp ", "log": " log ", "ln": " log ", "sin": " sin ", "cos": " cos ", "tan": " tan ", "Pr": " measure ",
    "parallel": "∥", "angle": "∠", "backslash": "\\", "uparrow": " ", "downarrow": " ", "colim": " colimit ",
    "varprojlim": " limit ", "varinjlim": " colimit ", "limits": " ", "left": " ", "right": " ", "big": " ", "Big": " ",
    "bigl": " ", "bigr": " ", "Bigl": " ", "Bigr": " ", "nolimits": " ", "displaystyle": " ",
}  # fmt: skip
"""The symbol, or the words between spaces, that a LaTeX command stands for."""

LETTERS: dict[str, str] = {
    "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "R": "ℝ", "C": "ℂ", "H": "ℍ", "F": " field ", "E": " integral ", "P": " measure ",
}  # fmt: skip
"""Blackboard bold letters."""

PHRASES: tuple[tuple[str, str], ...] = (
    ("if and only if", "iff"), ("less than or equal to", "le"), ("less than or equal", "le"), ("less or equal", "le"),
    ("smaller than", "lt"), ("less than", "lt"), ("greater than or equal to", "le"), ("greater than", "lt"),
    ("at most", "le"), ("at least", "le"), ("not equal", "ne"), ("almost everywhere", "ae"), ("almost surely", "ae"),
    ("almost every", "ae"), ("almost all", "ae"), ("one-to-one", "injective"), ("one to one", "injective"),
    ("square root", "sqrt"), ("absolute value", "abs"), ("scalar multiplication", "smul"), ("for all", "forall"),
    ("for every", "forall"), ("there exists", "exist"), ("there is", "exist"), ("least upper bound", "sup islub"),
    ("greatest lower bound", "inf isglb"), ("set difference", "sdiff"), ("greatest common divisor", "gcd"),
    ("least common multiple", "lcm"), ("upper semicontinuous", "uppersemicontinuous"), ("power set", "powerset"),
    ("inner product", "inner"), ("indicator function", "indicator"), ("a.e.", "ae"), ("w.r.t.", " "),
    ("well-order", "wellorder"), ("well order", "wellorder"), ("total order", "linear order"),
    ("linearly ordered", "linear order"), ("totally ordered", "linear order"), ("partially ordered", "partial order"),
    ("posets", "partial order"), ("poset", "partial order"),
)  # fmt: skip
"""What several words of English say in one of Mathlib's. Longer ones first."""

ABBREVIATIONS: tuple[str, ...] = tuple(
    """\
add addition additive additively adding added plus
mul multiplication multiplicative multiply multiplied times
sub subtraction subtract minus difference
div division divide divided quotient
inv inverse inverses reciprocal
neg negation negative negated
pow power powers exponentiation npow zpow
comm commutative commutes commute commutativity commuting commutator
assoc associative associativity
distrib distributive distributivity distributes
le leq
lt less
ge geq greater
ne nonequal unequal
eq equal equals equality equation
iff equivalent
mem member membership belongs element elements
inter intersection intersections
compl complement complements
sdiff setdiff
nonneg nonnegative
pos positive positivity
nonpos nonpositive
abs absolute
inf infimum meet meets infima
sup supremum join joins suprema
supr isup csupr bsupr
infi iinf
dvd divides divisible divisor divisibility
id identity
comp composition compose composed composing composite
inj injective injection injectivity
surj surjective surjection surjectivity onto
bij bijective bijection
mono monotone monotonic monotonicity
anti antitone
cont continuous continuity continuously
diff differentiable differentiability differential
deriv derivative derivatives fderiv hasderivat derivation
nhds neighborhood neighborhoods neighbourhood nbhd nbhds neighbourhoods
finrank rank dimension dim
prod product products
sum sums summation finsum
card cardinality cardinal
fin finite finitely finiteness
fintype finset
infin infinite infinitely infinity
succ successor next
pred predecessor
bdd bounded boundedness
tendsto converges convergence converge converging limit limits lim
char characteristic
alg algebra algebraic algebras
equiv equivalence isomorphism isomorphic iso
hom homomorphism homomorphisms morphism morphisms arrow
symm symmetric symmetry symmetrical
refl reflexive reflexivity
trans transitive transitivity
irrefl irreflexive
antisymm antisymmetric antisymmetry
decidable computable
exist exists existence existential
unique uniqueness uniquely
forall every all
imp implies implication
nat natural naturals
int integer integers
rat rational rationals
real reals
bot bottom least
top greatest
lin linear linearly linearity
indep independent independence
vec vector vectors
measure measures probability
integral integrals integration integrate integrating
exp exponential
log logarithm logarithmic
sqrt squareroot
sq square squared squares
cast coercion coe
emb embedding embeddings embed embeds
symmdiff symmetricdifference
min minimum minimal
max maximum maximal
const constant
filt filter filters
eventually eventual
ite ifthenelse
lhs left
rhs right
wf wellfounded
perm permutation permutations
dist distance metric
ord order ordering ordered
opp op opposite
norm normed magnitude
topo topology topological
subset contained containment inclusion subsets
diag diagonal
det determinant determinants
ker kernel kernels
im image images range
preim preimage preimages
spec spectrum
init initial
iter iterate iterated iteration
lintegral lebesgue
cond condition conditional conditioning
conv convex convexity
trig trigonometric
ofnat numeral
pull pullback pullbacks
push pushforward pushforwards pushout map maps mapping
rec recursion recursive induction inductive induct inducted
mod modulo modulus module modules
bilin bilinear
swap exchange
stab stabilizer
sep separated separable separation
compact compactness compacts
eval evaluate evaluation evaluating
repr representation representations represent
cat category categories categorical
func functor functors functorial function functions
adj adjoint adjunction adjoints adjacent adjacency
nontriv nontrivial
triv trivial
irred irreducible irreducibility
primes prime
poly polynomial polynomials
degree degrees natdegree
coeff coefficient coefficients
lead leading
cong congr congruence congruent
ring rings semiring
mon monoid monoids monoidal
grp group groups
open isopen opens
closed isclosed
clos closure closures
interior interiors
conn connected connectedness
path paths
homotopy homotopic
semi half
dense density
interval icc
gen generate generated generating generator generators span
ess essentially essential
bi binary
join flatten
zero zeros vanishing vanishes vanish
one unit
fact factorial
lift lifts lifting
proj projection projections projective
aut automorphism automorphisms
end endomorphism endomorphisms
subgrp subgroup subgroups
ext extension extensionality
simps simp
analytic analyticat analyticity
holo holomorphic
smooth smoothness contdiff
meas measurable measurability
orth orthogonal orthogonality perpendicular
seq sequence sequences
ser series tsum
tensor tensors
trace traces
transp transpose transposed
colim colimit colimits
""".splitlines()
)
"""Lines of words that are one word in the index: its first."""

STOP = frozenset(
    """a an the of is are be been being was were to in on at by with from as that this these those it its for any and or
    we our you has have having had can may will which where when then than there their such so if let given some each
    also into over under via do does not only called denote denotes denoted e.g i.e fun type sort prop also between
    same other iff's theorem lemma says states stating property using used use whose""".split()
)
"""Words that tell nothing apart."""
