/-!
# Insertion sort, proved correct

A sorting function is correct when its result is in order and has the same elements as the input,
each as often. Both are said and proved here for insertion sort on natural numbers.

## Main definitions

* `TacitDemo.Perm`: two lists with the same elements, each as often.
* `TacitDemo.Sorted`: a list in which every element is at most each later one.
* `TacitDemo.orderedInsert`, `TacitDemo.insertionSort`: insertion into a list, and insertion sort.

## Main results

* `sorted_insertionSort`: the result is sorted.
* `perm_insertionSort`: the result has the same elements as the input, each as often.
* `insertionSort_eq_self`: a sorted list is left as it is.
* `insertionSort_insertionSort`: sorting twice is sorting once.
-/

universe u

namespace TacitDemo

section Perm

/-- `Perm l₁ l₂` says that `l₁` and `l₂` have the same elements, each as often: one can be turned
into the other by swapping neighbours, here the first two, behind any common beginning. -/
inductive Perm {α : Type u} : List α → List α → Prop where
  | nil : Perm [] []
  | cons (a : α) {l₁ l₂ : List α} (h : Perm l₁ l₂) : Perm (a :: l₁) (a :: l₂)
  | swap (a b : α) (l : List α) : Perm (a :: b :: l) (b :: a :: l)
  | trans {l₁ l₂ l₃ : List α} (h₁ : Perm l₁ l₂) (h₂ : Perm l₂ l₃) : Perm l₁ l₃

variable {α : Type u}

namespace Perm

/-- Every list is a permutation of itself. -/
theorem refl (l : List α) : Perm l l := by
  induction l with
  | nil => exact Perm.nil
  | cons a l ih => exact Perm.cons a ih

/-- Being a permutation goes both ways. -/
theorem symm {l₁ l₂ : List α} (h : Perm l₁ l₂) : Perm l₂ l₁ := by
  induction h with
  | nil => exact Perm.nil
  | cons a _ ih => exact Perm.cons a ih
  | swap a b l => exact Perm.swap b a l
  | trans _ _ ih₁ ih₂ => exact Perm.trans ih₂ ih₁

/-- Permutations have the same length. -/
theorem length_eq {l₁ l₂ : List α} (h : Perm l₁ l₂) : l₁.length = l₂.length := by
  induction h with
  | nil => rfl
  | cons _ _ ih => exact congrArg Nat.succ ih
  | swap _ _ _ => rfl
  | trans _ _ ih₁ ih₂ => exact ih₁.trans ih₂

end Perm

end Perm

section Sorted

/-- `LowerBound a l` says that `a` is at most each element of `l`. -/
def LowerBound (a : Nat) : List Nat → Prop
  | [] => True
  | b :: l => a ≤ b ∧ LowerBound a l

/-- A list is *sorted* when every element is at most each later one. -/
def Sorted : List Nat → Prop
  | [] => True
  | a :: l => LowerBound a l ∧ Sorted l

/-- A smaller number than a lower bound is a lower bound. -/
theorem LowerBound.mono {a b : Nat} (hab : a ≤ b) {l : List Nat} (h : LowerBound b l) :
    LowerBound a l := by
  induction l with
  | nil => exact True.intro
  | cons c l ih => exact ⟨Nat.le_trans hab h.1, ih h.2⟩

/-- A lower bound stays one when the list is permuted. -/
theorem LowerBound.perm {a : Nat} {l₁ l₂ : List Nat} (hp : Perm l₁ l₂) :
    LowerBound a l₁ → LowerBound a l₂ := by
  induction hp with
  | nil => exact fun h => h
  | cons _ _ ih => exact fun h => ⟨h.1, ih h.2⟩
  | swap _ _ _ => exact fun h => ⟨h.2.1, h.1, h.2.2⟩
  | trans _ _ ih₁ ih₂ => exact fun h => ih₂ (ih₁ h)

end Sorted

section InsertionSort

/-- Insert a number into a list, in front of the first element that is not smaller. -/
def orderedInsert (a : Nat) : List Nat → List Nat
  | [] => [a]
  | b :: l => if a ≤ b then a :: b :: l else b :: orderedInsert a l

/-- Insertion sort: insert the elements one by one. -/
def insertionSort : List Nat → List Nat
  | [] => []
  | a :: l => orderedInsert a (insertionSort l)

/-- Inserting in front of a larger element. -/
theorem orderedInsert_of_le {a b : Nat} (h : a ≤ b) (l : List Nat) :
    orderedInsert a (b :: l) = a :: b :: l := by
  show (if a ≤ b then a :: b :: l else b :: orderedInsert a l) = a :: b :: l
  exact if_pos h

/-- Inserting behind a smaller element. -/
theorem orderedInsert_of_not_le {a b : Nat} (h : ¬a ≤ b) (l : List Nat) :
    orderedInsert a (b :: l) = b :: orderedInsert a l := by
  show (if a ≤ b then a :: b :: l else b :: orderedInsert a l) = b :: orderedInsert a l
  exact if_neg h

/-- A lower bound of a list goes in front of it. -/
theorem orderedInsert_eq_cons {a : Nat} {l : List Nat} (h : LowerBound a l) :
    orderedInsert a l = a :: l := by
  cases l with
  | nil => rfl
  | cons b l => exact orderedInsert_of_le h.1 l

/-- Insertion adds one element and keeps the others. -/
theorem perm_orderedInsert (a : Nat) (l : List Nat) : Perm (a :: l) (orderedInsert a l) := by
  induction l with
  | nil => exact Perm.refl [a]
  | cons b l ih =>
    cases Nat.decLe a b with
    | isTrue h =>
      rw [orderedInsert_of_le h]
      exact Perm.refl (a :: b :: l)
    | isFalse h =>
      rw [orderedInsert_of_not_le h]
      exact Perm.trans (Perm.swap a b l) (Perm.cons b ih)

/-- Insertion into a sorted list gives a sorted list. -/
theorem sorted_orderedInsert (a : Nat) {l : List Nat} (hl : Sorted l) :
    Sorted (orderedInsert a l) := by
  induction l with
  | nil => exact ⟨True.intro, True.intro⟩
  | cons b l ih =>
    cases Nat.decLe a b with
    | isTrue h =>
      rw [orderedInsert_of_le h]
      exact ⟨⟨h, LowerBound.mono h hl.1⟩, hl⟩
    | isFalse h =>
      rw [orderedInsert_of_not_le h]
      have hba : b ≤ a := Nat.le_of_lt (Nat.gt_of_not_le h)
      have hb : LowerBound b (a :: l) := ⟨hba, hl.1⟩
      exact ⟨LowerBound.perm (perm_orderedInsert a l) hb, ih hl.2⟩

/-- The result of insertion sort is sorted. -/
theorem sorted_insertionSort (l : List Nat) : Sorted (insertionSort l) := by
  induction l with
  | nil => exact True.intro
  | cons a l ih => exact sorted_orderedInsert a ih

/-- The result of insertion sort has the same elements as the input, each as often. -/
theorem perm_insertionSort (l : List Nat) : Perm l (insertionSort l) := by
  induction l with
  | nil => exact Perm.nil
  | cons a l ih => exact Perm.trans (Perm.cons a ih) (perm_orderedInsert a (insertionSort l))

/-- Sorting keeps the length. -/
theorem length_insertionSort (l : List Nat) : (insertionSort l).length = l.length :=
  (Perm.length_eq (perm_insertionSort l)).symm

/-- A sorted list is left as it is. -/
theorem insertionSort_eq_self {l : List Nat} (hl : Sorted l) : insertionSort l = l := by
  induction l with
  | nil => rfl
  | cons a l ih =>
    calc
      orderedInsert a (insertionSort l) = orderedInsert a l := congrArg (orderedInsert a) (ih hl.2)
      _ = a :: l := orderedInsert_eq_cons hl.1

/-- Sorting twice is sorting once. -/
theorem insertionSort_insertionSort (l : List Nat) :
    insertionSort (insertionSort l) = insertionSort l :=
  insertionSort_eq_self (sorted_insertionSort l)

end InsertionSort

end TacitDemo
