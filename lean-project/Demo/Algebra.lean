/-!
# Simple algebra

Groups and their homomorphisms, from the ground up.
★☆☆ one small tactic · ★★☆ the right axiom, or induction · ★★★ several steps.
-/

universe u v w

namespace Demo

/-- A group, with `one` for its unit and `inv a` for the inverse of `a`. -/
class Group (G : Type u) extends Mul G where
  one : G
  inv : G → G
  mul_assoc : ∀ a b c : G, a * b * c = a * (b * c)
  one_mul : ∀ a : G, one * a = a
  mul_one : ∀ a : G, a * one = a
  inv_mul : ∀ a : G, inv a * a = one
  mul_inv : ∀ a : G, a * inv a = one

open Group

/-- `power a n` is `a * a * ⋯ * a`, with `n` factors. -/
def power {G : Type u} [Group G] (a : G) : Nat → G
  | 0 => one
  | n + 1 => power a n * a

/-- A homomorphism respects the multiplication. -/
def IsHom {G : Type u} {H : Type v} [Group G] [Group H] (f : G → H) : Prop :=
  ∀ a b : G, f (a * b) = f a * f b

/-- ★☆☆ Units change nothing. -/
theorem one_mul_mul_one {G : Type u} [Group G] (a : G) : one * (a * one) = a := by
  sorry

/-- ★☆☆ The parentheses can be moved. A term is missing here. -/
theorem move_parentheses {G : Type u} [Group G] (a b c : G) : a * (b * c) = a * b * c :=
  sorry

/-- ★★☆ An inverse in front cancels. -/
theorem inv_mul_mul {G : Type u} [Group G] (a b : G) : inv a * (a * b) = b := by
  sorry

/-- ★★☆ All powers of the unit are the unit. -/
theorem power_of_one {G : Type u} [Group G] (n : Nat) : power (one : G) n = one := by
  sorry

/-- ★★☆ One homomorphism after another is a homomorphism. -/
theorem isHom_after {G : Type u} {H : Type v} {K : Type w} [Group G] [Group H] [Group K]
    (g : H → K) (f : G → H) (hg : IsHom g) (hf : IsHom f) : IsHom (fun a => g (f a)) := by
  intro a b
  sorry

/-- ★★☆ Exponents add up. -/
theorem power_add {G : Type u} [Group G] (a : G) (m n : Nat) :
    power a (m + n) = power a m * power a n := by
  induction n with
  | zero => exact (mul_one (power a m)).symm
  | succ n ih => sorry

/-- ★★★ Equal products with the same first factor have the same second factor. -/
theorem mul_left_cancel {G : Type u} [Group G] (a b c : G) (h : a * b = a * c) : b = c := by
  have key : inv a * (a * b) = inv a * (a * c) := by sorry
  sorry

/-- ★★★ A homomorphism sends the unit to the unit. -/
theorem isHom_one {G : Type u} {H : Type v} [Group G] [Group H] (f : G → H) (hf : IsHom f) :
    f one = one := by
  sorry

end Demo
