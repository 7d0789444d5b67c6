/-!
# Natural numbers

Arithmetic, order, and induction with two functions of our own.
★☆☆ one small tactic · ★★☆ the right lemma, or induction · ★★★ several steps.
-/

namespace Demo

/-- `sumTo n` is the sum `1 + 2 + ⋯ + n`. -/
def sumTo : Nat → Nat
  | 0 => 0
  | n + 1 => sumTo n + (n + 1)

/-- `isEven n` tells whether `n` is even, counting down with a flip at each step. -/
def isEven : Nat → Bool
  | 0 => true
  | n + 1 => !isEven n

/-- ★☆☆ The sum of the first four numbers, by computation. -/
theorem sumTo_four : sumTo 4 = 10 := by
  sorry

/-- ★☆☆ Zeros and ones that change nothing. -/
theorem tidy_up (n : Nat) : 0 + n * 1 + 0 = n := by
  sorry

/-- ★☆☆ Adding never makes a number smaller. A term is missing here. -/
theorem le_after_adding (a b : Nat) : a ≤ a + b :=
  sorry

/-- ★★☆ Inequalities can be chained. -/
theorem chain_of_inequalities (a b c : Nat) (hab : a ≤ b) (hbc : b < c) : a < c := by
  sorry

/-- ★★☆ Squaring respects the order. -/
theorem square_le_square (a b : Nat) (h : a ≤ b) : a * a ≤ b * b := by
  sorry

/-- ★★☆ A number is zero or a successor. -/
theorem zero_or_successor (n : Nat) : n = 0 ∨ ∃ m, n = m + 1 := by
  cases n with
  | zero => exact Or.inl rfl
  | succ m => sorry

/-- ★★☆ A calculation with two steps to justify. -/
theorem rearrange (a b c : Nat) : a + b + c = a + (c + b) := by
  calc
    a + b + c = a + (b + c) := by sorry
    _ = a + (c + b) := by sorry

/-- ★★☆ Two steps further, evenness is the same. -/
theorem isEven_add_two (n : Nat) : isEven (n + 2) = isEven n := by
  sorry

/-- ★★★ Gauss's sum, without the division: the first goal is easy, the second is not. -/
theorem gauss_sum (n : Nat) : 2 * sumTo n = n * (n + 1) := by
  induction n with
  | zero => sorry
  | succ n ih => sorry

/-- ★★★ The square of a sum. -/
theorem square_of_sum (a b : Nat) :
    (a + b) * (a + b) = a * a + 2 * (a * b) + b * b := by
  sorry

end Demo
