/-!
# Order

Partial orders, monotone functions and Galois connections, from the ground up.
★☆☆ one small tactic · ★★☆ the right axiom with the right hypotheses · ★★★ several steps.
-/

universe u v w

namespace Demo

/-- A partial order: reflexive, transitive, antisymmetric. -/
class Poset (α : Type u) extends LE α where
  refl : ∀ a : α, a ≤ a
  trans : ∀ {a b c : α}, a ≤ b → b ≤ c → a ≤ c
  antisymm : ∀ {a b : α}, a ≤ b → b ≤ a → a = b

/-- A function is *monotone* when it respects the order. -/
def Monotone {α : Type u} {β : Type v} [Poset α] [Poset β] (f : α → β) : Prop :=
  ∀ ⦃a b : α⦄, a ≤ b → f a ≤ f b

/-- `l` and `u` form a *Galois connection*: what `l` is below, `u` is above. -/
def Galois {α : Type u} {β : Type v} [Poset α] [Poset β] (l : α → β) (u : β → α) : Prop :=
  ∀ a b, l a ≤ b ↔ a ≤ u b

/-- ★☆☆ Equal elements are below each other. -/
theorem le_of_equal {α : Type u} [Poset α] (a b : α) (h : a = b) : a ≤ b := by
  subst h
  sorry

/-- ★★☆ Four elements in a row. -/
theorem le_of_three {α : Type u} [Poset α] (a b c d : α) (hab : a ≤ b) (hbc : b ≤ c)
    (hcd : c ≤ d) : a ≤ d := by
  have hac : a ≤ c := by sorry
  sorry

/-- ★★☆ There is at most one greatest element. -/
theorem greatest_unique {α : Type u} [Poset α] (x y : α) (hx : ∀ a, a ≤ x)
    (hy : ∀ a, a ≤ y) : x = y := by
  sorry

/-- ★★☆ One monotone function after another is monotone. -/
theorem monotone_after {α : Type u} {β : Type v} {γ : Type w} [Poset α] [Poset β] [Poset γ]
    (g : β → γ) (f : α → β) (hg : Monotone g) (hf : Monotone f) :
    Monotone (fun a => g (f a)) := by
  intro a b hab
  sorry

/-- ★★☆ In a Galois connection, going there and back leads upwards. -/
theorem le_there_and_back {α : Type u} {β : Type v} [Poset α] [Poset β] (l : α → β)
    (u : β → α) (gc : Galois l u) (a : α) : a ≤ u (l a) := by
  sorry

/-- ★★★ The lower half of a Galois connection is monotone. -/
theorem monotone_lower {α : Type u} {β : Type v} [Poset α] [Poset β] (l : α → β)
    (u : β → α) (gc : Galois l u) : Monotone l := by
  intro a b hab
  sorry

/-- ★★★ Lambek's lemma: the least of the elements that `f` does not increase is fixed by `f`. -/
theorem least_fixed_point {α : Type u} [Poset α] (f : α → α) (hf : Monotone f) (p : α)
    (hp : f p ≤ p) (least : ∀ x, f x ≤ x → p ≤ x) : f p = p := by
  sorry

end Demo
