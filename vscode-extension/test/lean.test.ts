import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { pieces, sorries, tokens } from '../src/shared/lean'

function kinds(text: string): string[] {
  return [...tokens(text)].filter(({ kind }) => kind !== 'blank').map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`)
}

describe('tokens', () => {
  it('cover every text without gaps', () => {
    for (const text of ['', '𝕜 𝓝 x', 'a /- b', '"c', "'", '/-/', "h' 'x' '\\n'", 'r#"a"b"#', '\ud800', '-- x\ny']) {
      const found = [...tokens(text)]
      assert.equal(found.map(({ start, end }) => text.slice(start, end)).join(''), text)
      let end = 0
      for (const token of found) {
        assert.equal(token.start, end)
        end = token.end
      }
    }
  })

  it('know comments, also nested ones, and those that Lean keeps', () => {
    assert.deepEqual(kinds('a /- b /- c -/ d -/ e -- f\ng'), ['word a', 'comment /- b /- c -/ d -/', 'word e', 'comment -- f', 'word g'])
    assert.deepEqual(kinds('/-! m -/ /-- d -/ /--/'), ['doc /-! m -/', 'doc /-- d -/', 'comment /--/'])
  })

  it('know names with dots, primes, quotes and letters beyond Latin', () => {
    assert.deepEqual(kinds("Nat.add_comm' «a b».c ℝ x₁ λx"), ["word Nat.add_comm'", 'word «a b».c', 'word ℝ', 'word x₁', 'symbol λ', 'word x'])
  })

  it('know strings and characters', () => {
    assert.deepEqual(kinds(`"a\\"-- b" 'c' r#"d"e"#`), ['string "a\\"-- b"', "string 'c'", 'string r#"d"e"#'])
  })
})

describe('sorries', () => {
  it('finds those that Lean reads', () => {
    const text = 'theorem t : p := by\n  sorry -- sorry\n/- sorry -/ "sorry" sorry\' x.sorry sorryAx (sorry)'
    assert.deepEqual(sorries(text).map((place) => text.slice(place - 1, place + 6)), [' sorry ', '(sorry)'])
  })
})

describe('pieces', () => {
  it('are the text, with looks', () => {
    const text = '{m n : ℕ} (H : m < 1) : ∃ x, x ∣ m → True'
    const found = pieces(text)
    assert.equal(found.map((piece) => piece.text).join(''), text)
    const look = (word: string): string | undefined => found.find((piece) => piece.text === word)?.look
    assert.equal(look('m'), 'binder')
    assert.equal(look('∃'), 'keyword')
    assert.equal(look('1'), 'number')
    assert.equal(look('ℕ'), 'name')
  })
})
