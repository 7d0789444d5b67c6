/-!
# Monoids

A multiplication that is associative and has a unit, and how far one gets with that: powers,
commuting elements, homomorphisms, products of lists, and the list as the free monoid.

## Main definitions

* `TacitDemo.Monoid`: an associative multiplication with a unit.
* `TacitDemo.Commute`: `a * b = b * a`.
* `TacitDemo.MonoidHom`: a function that respects multiplication and unit.
* `TacitDemo.prod`: the product of a list.

## Main results

* `pow_add`, `pow_mul`: the laws of exponents.
* `Commute.mul_pow`: powers of a product of commuting elements.
* `left_inv_eq_right_inv`: inverses are unique.
* `MonoidHom.map_prod`: homomorphisms respect products of lists.
* `lift_unique`: a homomorphism on lists is determined by its values at the letters.
-/

universe u v w

namespace TacitDemo

/-- A monoid: an associative multiplication with a unit `Monoid.one`, written `1`. -/
class Monoid (M : Type u) extends Mul M where
  /-- The unit. -/
  one : M
  /-- The multiplication is associative. -/
  mul_assoc : ∀ a b c : M, a * b * c = a * (b * c)
  /-- The unit changes nothing on the left. -/
  one_mul : ∀ a : M, one * a = a
  /-- The unit changes nothing on the right. -/
  mul_one : ∀ a : M, a * one = a

section Basic

variable {M : Type u} [Monoid M]

/-- The unit of a monoid is written `1`. -/
instance : OfNat M (nat_lit 1) := ⟨Monoid.one⟩

/-- The multiplication is associative. -/
theorem mul_assoc (a b c : M) : a * b * c = a * (b * c) :=
  Monoid.mul_assoc a b c

/-- The unit changes nothing on the left. -/
theorem one_mul (a : M) : 1 * a = a :=
  Monoid.one_mul a

/-- The unit changes nothing on the right. -/
theorem mul_one (a : M) : a * 1 = a :=
  Monoid.mul_one a

/-- A left inverse and a right inverse of the same element are equal. -/
theorem left_inv_eq_right_inv {a b c : M} (hba : b * a = 1) (hac : a * c = 1) : b = c := by
  calc
    b = b * 1 := (mul_one b).symm
    _ = b * (a * c) := by rw [hac]
    _ = b * a * c := (mul_assoc b a c).symm
    _ = 1 * c := by rw [hba]
    _ = c := one_mul c

/-- An element that is a unit on the left is the unit. -/
theorem eq_one_of_forall_mul_eq {e : M} (h : ∀ a : M, e * a = a) : e = 1 :=
  (mul_one e).symm.trans (h 1)

end Basic

section Pow

variable {M : Type u} [Monoid M]

/-- `pow a n` is the product of `n` factors `a`. -/
def pow (a : M) : Nat → M
  | 0 => 1
  | n + 1 => pow a n * a

/-- The zeroth power is the unit. -/
theorem pow_zero (a : M) : pow a 0 = 1 :=
  rfl

/-- One more factor, on the right. -/
theorem pow_succ (a : M) (n : Nat) : pow a (n + 1) = pow a n * a :=
  rfl

/-- The first power is the element itself. -/
theorem pow_one (a : M) : pow a 1 = a :=
  one_mul a

/-- All powers of the unit are the unit. -/
theorem one_pow (n : Nat) : pow (1 : M) n = 1 := by
  induction n with
  | zero => rfl
  | succ n ih => exact (mul_one (pow (1 : M) n)).trans ih

/-- Exponents add up. -/
theorem pow_add (a : M) (m n : Nat) : pow a (m + n) = pow a m * pow a n := by
  induction n with
  | zero => exact (mul_one (pow a m)).symm
  | succ n ih =>
    calc
      pow a (m + n) * a = pow a m * pow a n * a := by rw [ih]
      _ = pow a m * (pow a n * a) := mul_assoc (pow a m) (pow a n) a

/-- One more factor, on the left. -/
theorem pow_succ' (a : M) (n : Nat) : pow a (n + 1) = a * pow a n := by
  have h : pow a (1 + n) = pow a 1 * pow a n := pow_add a 1 n
  rw [Nat.add_comm 1 n, pow_one a] at h
  exact h

/-- A power of a power multiplies the exponents. -/
theorem pow_mul (a : M) (m n : Nat) : pow a (m * n) = pow (pow a m) n := by
  induction n with
  | zero => rfl
  | succ n ih =>
    calc
      pow a (m * n + m) = pow a (m * n) * pow a m := pow_add a (m * n) m
      _ = pow (pow a m) n * pow a m := by rw [ih]

end Pow

section Commute

variable {M : Type u} [Monoid M]

/-- Two elements *commute* when the order of the factors does not matter. -/
def Commute (a b : M) : Prop :=
  a * b = b * a

namespace Commute

/-- Every element commutes with itself. -/
theorem refl (a : M) : Commute a a :=
  rfl

/-- Commuting goes both ways. -/
theorem symm {a b : M} (h : Commute a b) : Commute b a :=
  Eq.symm h

/-- Every element commutes with the unit. -/
theorem one_right (a : M) : Commute a 1 :=
  (mul_one a).trans (one_mul a).symm

/-- An element that commutes with two elements commutes with their product. -/
theorem mul_right {a b c : M} (hb : Commute a b) (hc : Commute a c) : Commute a (b * c) := by
  calc
    a * (b * c) = a * b * c := (mul_assoc a b c).symm
    _ = b * a * c := congrArg (fun x => x * c) hb
    _ = b * (a * c) := mul_assoc b a c
    _ = b * (c * a) := congrArg (fun x => b * x) hc
    _ = b * c * a := (mul_assoc b c a).symm

/-- An element that commutes with another commutes with its powers. -/
theorem pow_right {a b : M} (h : Commute a b) (n : Nat) : Commute a (pow b n) := by
  induction n with
  | zero => exact one_right a
  | succ n ih => exact mul_right ih h

/-- The power of a product of commuting elements is the product of the powers. -/
theorem mul_pow {a b : M} (h : Commute a b) (n : Nat) :
    pow (a * b) n = pow a n * pow b n := by
  induction n with
  | zero => exact (mul_one (1 : M)).symm
  | succ n ih =>
    have hn : a * pow b n = pow b n * a := pow_right h n
    calc
      pow (a * b) n * (a * b) = pow a n * pow b n * (a * b) := by rw [ih]
      _ = pow a n * (pow b n * (a * b)) := mul_assoc (pow a n) (pow b n) (a * b)
      _ = pow a n * (pow b n * a * b) := by rw [mul_assoc (pow b n) a b]
      _ = pow a n * (a * pow b n * b) := by rw [hn]
      _ = pow a n * (a * (pow b n * b)) := by rw [mul_assoc a (pow b n) b]
      _ = pow a n * a * (pow b n * b) := (mul_assoc (pow a n) a (pow b n * b)).symm

end Commute

end Commute

section MonoidHom

/-- A homomorphism of monoids respects the multiplication and the unit. -/
structure MonoidHom (M : Type u) (N : Type v) [Monoid M] [Monoid N] where
  /-- The function itself. -/
  toFun : M → N
  /-- The unit goes to the unit. -/
  map_one' : toFun 1 = 1
  /-- Products go to products. -/
  map_mul' : ∀ a b : M, toFun (a * b) = toFun a * toFun b

/-- A homomorphism can be applied like a function. -/
instance {M : Type u} {N : Type v} [Monoid M] [Monoid N] :
    CoeFun (MonoidHom M N) (fun _ => M → N) :=
  ⟨MonoidHom.toFun⟩

namespace MonoidHom

variable {M : Type u} {N : Type v} {P : Type w} [Monoid M] [Monoid N] [Monoid P]

/-- The unit goes to the unit. -/
theorem map_one (f : MonoidHom M N) : f 1 = 1 :=
  f.map_one'

/-- Products go to products. -/
theorem map_mul (f : MonoidHom M N) (a b : M) : f (a * b) = f a * f b :=
  f.map_mul' a b

/-- Powers go to powers. -/
theorem map_pow (f : MonoidHom M N) (a : M) (n : Nat) : f (pow a n) = pow (f a) n := by
  induction n with
  | zero => exact f.map_one
  | succ n ih =>
    calc
      f (pow a n * a) = f (pow a n) * f a := f.map_mul (pow a n) a
      _ = pow (f a) n * f a := by rw [ih]

/-- Commuting elements go to commuting elements. -/
theorem map_commute (f : MonoidHom M N) {a b : M} (h : Commute a b) : Commute (f a) (f b) := by
  calc
    f a * f b = f (a * b) := (f.map_mul a b).symm
    _ = f (b * a) := congrArg f.toFun h
    _ = f b * f a := f.map_mul b a

/-- The identity homomorphism. -/
protected def id (K : Type u) [Monoid K] : MonoidHom K K where
  toFun := fun a => a
  map_one' := rfl
  map_mul' := fun _ _ => rfl

/-- One homomorphism after another. -/
def comp (g : MonoidHom N P) (f : MonoidHom M N) : MonoidHom M P where
  toFun := fun a => g (f a)
  map_one' := (congrArg g.toFun f.map_one).trans g.map_one
  map_mul' := fun a b => (congrArg g.toFun (f.map_mul a b)).trans (g.map_mul (f a) (f b))

end MonoidHom

end MonoidHom

section Prod

variable {M : Type u} [Monoid M]

/-- The product of a list, from left to right. -/
def prod : List M → M
  | [] => 1
  | a :: l => a * prod l

/-- The product of no factors is the unit. -/
theorem prod_nil : prod ([] : List M) = 1 :=
  rfl

/-- One more factor, in front. -/
theorem prod_cons (a : M) (l : List M) : prod (a :: l) = a * prod l :=
  rfl

/-- The product of a single factor is that factor. -/
theorem prod_singleton (a : M) : prod [a] = a :=
  mul_one a

/-- The product of two lists together is the product of their products. -/
theorem prod_append (l₁ l₂ : List M) : prod (l₁ ++ l₂) = prod l₁ * prod l₂ := by
  induction l₁ with
  | nil => exact (one_mul (prod l₂)).symm
  | cons a l₁ ih =>
    calc
      a * prod (l₁ ++ l₂) = a * (prod l₁ * prod l₂) := by rw [ih]
      _ = a * prod l₁ * prod l₂ := (mul_assoc a (prod l₁) (prod l₂)).symm

/-- A homomorphism sends the product of a list to the product of the values. -/
theorem MonoidHom.map_prod {N : Type v} [Monoid N] (f : MonoidHom M N) (l : List M) :
    f (prod l) = prod (l.map f.toFun) := by
  induction l with
  | nil => exact f.map_one
  | cons a l ih =>
    calc
      f (a * prod l) = f a * f (prod l) := f.map_mul a (prod l)
      _ = f a * prod (l.map f.toFun) := by rw [ih]

end Prod

section FreeMonoid

/-- Lists form a monoid: multiply by appending. -/
instance {α : Type u} : Monoid (List α) where
  mul := fun l₁ l₂ => l₁ ++ l₂
  one := []
  mul_assoc := fun l₁ l₂ l₃ => List.append_assoc l₁ l₂ l₃
  one_mul := fun l => List.nil_append l
  mul_one := fun l => List.append_nil l

variable {α : Type u} {M : Type v} [Monoid M]

/-- A function from letters to a monoid extends to words: map the letters, multiply the values. -/
def lift (f : α → M) : MonoidHom (List α) M where
  toFun := fun l => prod (l.map f)
  map_one' := rfl
  map_mul' := by
    intro l₁ l₂
    induction l₁ with
    | nil => exact (one_mul (prod (l₂.map f))).symm
    | cons a l₁ ih =>
      have ih' : prod ((l₁ ++ l₂).map f) = prod (l₁.map f) * prod (l₂.map f) := ih
      calc
        f a * prod ((l₁ ++ l₂).map f) = f a * (prod (l₁.map f) * prod (l₂.map f)) := by rw [ih']
        _ = f a * prod (l₁.map f) * prod (l₂.map f) :=
          (mul_assoc (f a) (prod (l₁.map f)) (prod (l₂.map f))).symm

/-- On a single letter, the extension is the function we started with. -/
theorem lift_singleton (f : α → M) (a : α) : lift f [a] = f a :=
  mul_one (f a)

/-- A homomorphism on words is determined by its values at the letters. -/
theorem lift_unique (f : α → M) (g : MonoidHom (List α) M) (h : ∀ a, g [a] = f a) (l : List α) :
    g l = lift f l := by
  induction l with
  | nil => exact g.map_one
  | cons a l ih =>
    calc
      g (a :: l) = g [a] * g l := g.map_mul [a] l
      _ = f a * lift f l := by rw [h a, ih]

end FreeMonoid

end TacitDemo
