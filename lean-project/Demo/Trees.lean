/-!
# Binary trees

A type of our own, and what recursion and induction say about it.
★☆☆ one small tactic · ★★☆ induction · ★★★ several steps.
-/

universe u v

namespace Demo

/-- A binary tree with a value at each node. -/
inductive Tree (α : Type u) : Type u where
  | leaf : Tree α
  | node (left : Tree α) (value : α) (right : Tree α) : Tree α

namespace Tree

/-- The number of nodes. -/
def size {α : Type u} : Tree α → Nat
  | leaf => 0
  | node l _ r => size l + 1 + size r

/-- The tree as seen in a mirror. -/
def mirror {α : Type u} : Tree α → Tree α
  | leaf => leaf
  | node l a r => node (mirror r) a (mirror l)

/-- Apply a function to each value. -/
def map {α : Type u} {β : Type v} (f : α → β) : Tree α → Tree β
  | leaf => leaf
  | node l a r => node (map f l) (f a) (map f r)

/-- The values from left to right. -/
def toList {α : Type u} : Tree α → List α
  | leaf => []
  | node l a r => toList l ++ a :: toList r

/-- ★☆☆ A node is not a leaf. -/
theorem node_ne_leaf {α : Type u} (l r : Tree α) (a : α) : node l a r ≠ leaf := by
  sorry

/-- ★★☆ The mirror of the mirror is the tree itself. -/
theorem mirror_mirror {α : Type u} (t : Tree α) : mirror (mirror t) = t := by
  sorry

/-- ★★☆ Mapping keeps the size. -/
theorem size_map {α : Type u} {β : Type v} (f : α → β) (t : Tree α) :
    size (map f t) = size t := by
  induction t with
  | leaf => sorry
  | node l a r ihl ihr => sorry

/-- ★★☆ A tree is as large as the list of its values is long. -/
theorem length_toList {α : Type u} (t : Tree α) : (toList t).length = size t := by
  sorry

/-- ★★☆ The mirror image has the same size. -/
theorem size_mirror {α : Type u} (t : Tree α) : size (mirror t) = size t := by
  sorry

/-- ★★★ In the mirror, the values are read backwards. -/
theorem toList_mirror {α : Type u} (t : Tree α) :
    toList (mirror t) = (toList t).reverse := by
  sorry

end Tree

end Demo
