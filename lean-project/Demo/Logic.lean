/-!
# Logic

Implications, cases, witnesses, and two paradoxes.
★☆☆ one small tactic · ★★☆ the right hypothesis, or a case split · ★★★ several steps.
-/

namespace Demo

/-- ★☆☆ Every human is mortal, Socrates is human; therefore Socrates is mortal. -/
theorem socrates_is_mortal (Being : Type) (Human Mortal : Being → Prop) (socrates : Being)
    (human : Human socrates) (mortal : ∀ x, Human x → Mortal x) : Mortal socrates := by
  sorry

/-- ★☆☆ Three facts make one conjunction. -/
theorem gather_three (p q r : Prop) (hp : p) (hq : q) (hr : r) : p ∧ q ∧ r := by
  sorry

/-- ★☆☆ A conjunction can be turned around. This time a term is missing, not a tactic. -/
theorem turn_and (p q : Prop) (h : p ∧ q) : q ∧ p :=
  sorry

/-- ★★☆ A disjunction can be turned around: look at both cases. -/
theorem turn_or (p q : Prop) (h : p ∨ q) : q ∨ p := by
  sorry

/-- ★★☆ Implications can be chained. -/
theorem chain_of_implications (p q r s : Prop) (hpq : p → q) (hqr : q → r) (hrs : r → s) :
    p → s := by
  intro hp
  sorry

/-- ★★☆ Conjunction distributes over disjunction. One goal for each direction. -/
theorem distribute_and_or (p q r : Prop) : p ∧ (q ∨ r) ↔ (p ∧ q) ∨ (p ∧ r) := by
  constructor
  · intro ⟨hp, hqr⟩
    sorry
  · intro h
    sorry

/-- ★★☆ A witness for both properties is a witness for the first. -/
theorem witness_of_both (α : Type) (P Q : α → Prop) (h : ∃ x, P x ∧ Q x) : ∃ x, P x := by
  have ⟨x, hx⟩ := h
  sorry

/-- ★★☆ No barber shaves exactly those who do not shave themselves. -/
theorem no_such_barber (Person : Type) (Shaves : Person → Person → Prop) (barber : Person)
    (h : ∀ x, Shaves barber x ↔ ¬Shaves x x) : False := by
  have key := h barber
  sorry

/-- ★★☆ It cannot be that neither `p` nor its negation holds. -/
theorem never_undecided (p : Prop) : ¬¬(p ∨ ¬p) := by
  intro h
  sorry

/-- ★★☆ De Morgan's law, the half that needs excluded middle. -/
theorem de_morgan (p q : Prop) : ¬(p ∧ q) → ¬p ∨ ¬q := by
  sorry

/-- ★★★ In every bar there is someone such that, if they drink, then everyone drinks. -/
theorem drinkers_principle (Guest : Type) (someone : Guest) (Drinks : Guest → Prop) :
    ∃ x, Drinks x → ∀ y, Drinks y := by
  sorry

end Demo
