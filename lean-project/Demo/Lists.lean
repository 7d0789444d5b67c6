/-!
# Lists

Lists as Lean has them, and two functions of our own.
★☆☆ one small tactic · ★★☆ the right lemma, or induction · ★★★ several steps.
-/

universe u v

namespace Demo

/-- `total xs` is the sum of the numbers in `xs`. -/
def total : List Nat → Nat
  | [] => 0
  | x :: xs => x + total xs

/-- `rev xs` is `xs` back to front, in the simplest and slowest way. -/
def rev {α : Type u} : List α → List α
  | [] => []
  | x :: xs => rev xs ++ [x]

/-- ★☆☆ Appending nothing changes nothing. -/
theorem append_nothing {α : Type u} (xs : List α) : xs ++ [] = xs := by
  sorry

/-- ★☆☆ Equal lists have equal heads and equal tails. -/
theorem heads_and_tails {α : Type u} (x y : α) (xs ys : List α) (h : x :: xs = y :: ys) :
    x = y ∧ xs = ys := by
  sorry

/-- ★★☆ The length of two lists together, counted from the other end. -/
theorem length_together {α : Type u} (xs ys : List α) :
    (xs ++ ys).length = ys.length + xs.length := by
  sorry

/-- ★★☆ Mapping the identity changes nothing. -/
theorem map_nothing {α : Type u} (xs : List α) : xs.map (fun x => x) = xs := by
  sorry

/-- ★★☆ The total of two lists together. -/
theorem total_append (xs ys : List Nat) : total (xs ++ ys) = total xs + total ys := by
  induction xs with
  | nil => exact (Nat.zero_add (total ys)).symm
  | cons x xs ih => sorry

/-- ★★☆ Reversing two lists together: the last shall be first. -/
theorem rev_append {α : Type u} (xs ys : List α) : rev (xs ++ ys) = rev ys ++ rev xs := by
  sorry

/-- ★★★ Our own `rev`, twice, changes nothing. -/
theorem rev_twice {α : Type u} (xs : List α) : rev (rev xs) = xs := by
  have key : ∀ (x : α) (ys : List α), rev (ys ++ [x]) = x :: rev ys := by
    sorry
  sorry

end Demo
