/-!
# Partial orders and Galois connections

A partial order, monotone functions, and pairs of functions that translate questions about one order
into questions about another.

## Main definitions

* `TacitDemo.PartialOrder`: a relation `≤` that is reflexive, transitive and antisymmetric.
* `TacitDemo.Monotone`: a function that respects `≤`.
* `TacitDemo.GaloisConnection`: `l a ≤ b` if and only if `a ≤ u b`.
* `TacitDemo.image`, `TacitDemo.preimage`: the example everyone has met.

## Main results

* `GaloisConnection.l_u_l_eq_l`: going there, back and there again is going there.
* `GaloisConnection.u_unique`: the upper half is determined by the lower half.
* `GaloisConnection.comp`: Galois connections compose.
* `image_preimage`: image and preimage form a Galois connection.
-/

universe u v w

namespace TacitDemo

/-- A partial order: a relation `≤` that is reflexive, transitive and antisymmetric. -/
class PartialOrder (α : Type u) extends LE α where
  /-- Everything is below itself. -/
  le_refl : ∀ a : α, a ≤ a
  /-- Inequalities can be chained. -/
  le_trans : ∀ a b c : α, a ≤ b → b ≤ c → a ≤ c
  /-- Two elements below each other are equal. -/
  le_antisymm : ∀ a b : α, a ≤ b → b ≤ a → a = b

section Basic

variable {α : Type u} [PartialOrder α]

/-- Everything is below itself. -/
theorem le_refl (a : α) : a ≤ a :=
  PartialOrder.le_refl a

/-- Inequalities can be chained. -/
theorem le_trans {a b c : α} (hab : a ≤ b) (hbc : b ≤ c) : a ≤ c :=
  PartialOrder.le_trans a b c hab hbc

/-- Two elements below each other are equal. -/
theorem le_antisymm {a b : α} (hab : a ≤ b) (hba : b ≤ a) : a = b :=
  PartialOrder.le_antisymm a b hab hba

/-- Equal elements are below each other. -/
theorem le_of_eq {a b : α} (h : a = b) : a ≤ b := by
  subst h
  exact le_refl a

/-- Two elements with the same elements below them are equal. -/
theorem eq_of_forall_le_iff {a b : α} (h : ∀ c, c ≤ a ↔ c ≤ b) : a = b :=
  le_antisymm ((h a).mp (le_refl a)) ((h b).mpr (le_refl b))

/-- Two elements with the same elements above them are equal. -/
theorem eq_of_forall_ge_iff {a b : α} (h : ∀ c, a ≤ c ↔ b ≤ c) : a = b :=
  le_antisymm ((h b).mpr (le_refl b)) ((h a).mp (le_refl a))

end Basic

section Monotone

variable {α : Type u} {β : Type v} {γ : Type w}
variable [PartialOrder α] [PartialOrder β] [PartialOrder γ]

/-- A function is *monotone* when it respects the order. -/
def Monotone (f : α → β) : Prop :=
  ∀ ⦃a b : α⦄, a ≤ b → f a ≤ f b

/-- The identity is monotone. -/
theorem monotone_id : Monotone (fun a : α => a) :=
  fun _ _ hab => hab

/-- A constant function is monotone. -/
theorem monotone_const (b : β) : Monotone (fun _ : α => b) :=
  fun _ _ _ => le_refl b

/-- One monotone function after another is monotone. -/
theorem Monotone.comp {g : β → γ} {f : α → β} (hg : Monotone g) (hf : Monotone f) :
    Monotone (fun a => g (f a)) :=
  fun _ _ hab => hg (hf hab)

/-- Lambek's lemma for orders: the least of the elements that a monotone function does not increase
is a fixed point of that function. -/
theorem Monotone.eq_of_least {f : α → α} (hf : Monotone f) {p : α} (hp : f p ≤ p)
    (least : ∀ x, f x ≤ x → p ≤ x) : f p = p :=
  le_antisymm hp (least (f p) (hf hp))

end Monotone

section GaloisConnection

variable {α : Type u} {β : Type v} {γ : Type w}
variable [PartialOrder α] [PartialOrder β] [PartialOrder γ]

/-- `l` and `u` form a *Galois connection* when `l a ≤ b` if and only if `a ≤ u b`: to know what is
above `l a`, ask what `u` puts above `a`. -/
def GaloisConnection (l : α → β) (u : β → α) : Prop :=
  ∀ a b, l a ≤ b ↔ a ≤ u b

namespace GaloisConnection

/-- Going there and back leads upwards. -/
theorem le_u_l {l : α → β} {u : β → α} (gc : GaloisConnection l u) (a : α) : a ≤ u (l a) :=
  (gc a (l a)).mp (le_refl (l a))

/-- Going back and there leads downwards. -/
theorem l_u_le {l : α → β} {u : β → α} (gc : GaloisConnection l u) (b : β) : l (u b) ≤ b :=
  (gc (u b) b).mpr (le_refl (u b))

/-- The lower half of a Galois connection is monotone. -/
theorem monotone_l {l : α → β} {u : β → α} (gc : GaloisConnection l u) : Monotone l :=
  fun a b hab => (gc a (l b)).mpr (le_trans hab (gc.le_u_l b))

/-- The upper half of a Galois connection is monotone. -/
theorem monotone_u {l : α → β} {u : β → α} (gc : GaloisConnection l u) : Monotone u :=
  fun a b hab => (gc (u a) b).mp (le_trans (gc.l_u_le a) hab)

/-- Going there, back and there again is going there. -/
theorem l_u_l_eq_l {l : α → β} {u : β → α} (gc : GaloisConnection l u) (a : α) :
    l (u (l a)) = l a :=
  le_antisymm (gc.l_u_le (l a)) (gc.monotone_l (gc.le_u_l a))

/-- Going back, there and back again is going back. -/
theorem u_l_u_eq_u {l : α → β} {u : β → α} (gc : GaloisConnection l u) (b : β) :
    u (l (u b)) = u b :=
  le_antisymm (gc.monotone_u (gc.l_u_le b)) (gc.le_u_l (u b))

/-- There and back, twice, is there and back once: a Galois connection gives a closure operator. -/
theorem u_l_idempotent {l : α → β} {u : β → α} (gc : GaloisConnection l u) (a : α) :
    u (l (u (l a))) = u (l a) :=
  congrArg u (gc.l_u_l_eq_l a)

/-- The upper half of a Galois connection is determined by the lower half. -/
theorem u_unique {l : α → β} {u u' : β → α} (gc : GaloisConnection l u)
    (gc' : GaloisConnection l u') (b : β) : u b = u' b :=
  eq_of_forall_le_iff fun a => Iff.trans (Iff.symm (gc a b)) (gc' a b)

/-- The lower half of a Galois connection is determined by the upper half. -/
theorem l_unique {l l' : α → β} {u : β → α} (gc : GaloisConnection l u)
    (gc' : GaloisConnection l' u) (a : α) : l a = l' a :=
  eq_of_forall_ge_iff fun b => Iff.trans (gc a b) (Iff.symm (gc' a b))

/-- Galois connections compose. -/
theorem comp {l₁ : α → β} {u₁ : β → α} {l₂ : β → γ} {u₂ : γ → β}
    (gc₁ : GaloisConnection l₁ u₁) (gc₂ : GaloisConnection l₂ u₂) :
    GaloisConnection (fun a => l₂ (l₁ a)) (fun c => u₁ (u₂ c)) :=
  fun a c => Iff.trans (gc₂ (l₁ a) c) (gc₁ a (u₂ c))

end GaloisConnection

end GaloisConnection

section Examples

/-- The natural numbers with their usual order. -/
instance : PartialOrder Nat where
  le := Nat.le
  le_refl := fun n => Nat.le_refl n
  le_trans := fun _ _ _ hab hbc => Nat.le_trans hab hbc
  le_antisymm := fun _ _ hab hba => Nat.le_antisymm hab hba

/-- Predicates on a type, ordered by implication: `p ≤ q` when each `x` with `p x` has `q x`. -/
instance {α : Type u} : PartialOrder (α → Prop) where
  le := fun p q => ∀ x, p x → q x
  le_refl := fun _ _ hx => hx
  le_trans := fun _ _ _ hpq hqr x hx => hqr x (hpq x hx)
  le_antisymm := fun _ _ hpq hqp => funext fun x => propext ⟨hpq x, hqp x⟩

variable {α : Type u} {β : Type v}

/-- `image f p` holds of the values of `f` at those `x` with `p x`. -/
def image (f : α → β) (p : α → Prop) : β → Prop :=
  fun y => ∃ x, p x ∧ f x = y

/-- `preimage f q` holds of those `x` whose value has `q`. -/
def preimage (f : α → β) (q : β → Prop) : α → Prop :=
  fun x => q (f x)

/-- Image and preimage form a Galois connection. -/
theorem image_preimage (f : α → β) : GaloisConnection (image f) (preimage f) := by
  intro p q
  constructor
  · intro h x hx
    exact h (f x) ⟨x, hx, rfl⟩
  · intro h y hy
    cases hy with
    | intro x hx =>
      have hq : q (f x) := h x hx.1
      rw [hx.2] at hq
      exact hq

/-- The image of a larger predicate is larger. -/
theorem monotone_image (f : α → β) : Monotone (image f) :=
  (image_preimage f).monotone_l

/-- Every predicate implies the preimage of its image. -/
theorem le_preimage_image (f : α → β) (p : α → Prop) : p ≤ preimage f (image f p) :=
  (image_preimage f).le_u_l p

end Examples

end TacitDemo
