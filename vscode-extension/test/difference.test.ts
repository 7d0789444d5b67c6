import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { difference, type Goal, words } from '../src/shared/difference'

function goal(target: string, ...hypotheses: readonly (readonly [string, string])[]): Goal {
  return {
    target,
    tag: null,
    text: '',
    hypotheses: hypotheses.map(([names, type]) => ({ names: names.split(' '), type, value: null })),
  }
}

describe('difference', () => {
  it('names the hypotheses that came and went', () => {
    const before = goal('q ∧ p', ['p q', 'Prop'], ['h', 'p ∧ q'])
    const after = goal('q ∧ p', ['p q', 'Prop'], ['hp', 'p'], ['hq', 'q'])
    assert.deepEqual(difference(before, after), {
      tag: '',
      hypotheses: [
        { text: 'h : p ∧ q', mark: 'removed' },
        { text: 'hp : p', mark: 'added' },
        { text: 'hq : q', mark: 'added' },
      ],
      target: [{ text: 'q ∧ p', mark: 'same' }],
      targetChanged: false,
    })
  })

  it('puts both sides of a hypothesis that changed next to each other', () => {
    const before = goal('p', ['a', 'x'], ['h', 'a = b'])
    const after = goal('p', ['a', 'x'], ['new', 'y'], ['h', 'b = a'])
    assert.deepEqual(difference(before, after).hypotheses.map(({ text, mark }) => `${mark} ${text}`), [
      'removed h : a = b',
      'added h : b = a',
      'added new : y',
    ])
  })

  it('takes names of one type apart: one more changes nothing about the others', () => {
    assert.deepEqual(difference(goal('p', ['a', 'ℕ']), goal('p', ['a b', 'ℕ'])).hypotheses, [{ text: 'b : ℕ', mark: 'added' }])
  })

  it('overlooks how lines are broken', () => {
    assert.equal(difference(goal('a =\n  b'), goal('a = b')).targetChanged, false)
  })

  it('marks the words of the target that are new', () => {
    const { target, targetChanged } = difference(goal('a + b = b + a'), goal('a + 0 = 0 + a'))
    assert.ok(targetChanged)
    assert.equal(target.map(({ text }) => text).join(''), 'a + 0 = 0 + a')
    assert.deepEqual(target.filter(({ mark }) => mark === 'added').map(({ text }) => text.trim()), ['0', '0'])
  })
})

describe('words', () => {
  it('marks nothing in equal texts and everything in strange ones', () => {
    assert.deepEqual(words('x = y', 'x = y'), [{ text: 'x = y', mark: 'same' }])
    assert.deepEqual(words('x', 'foo bar'), [{ text: 'foo bar', mark: 'added' }])
  })

  it('gives up word by word on very long texts', () => {
    const long = 'x + '.repeat(1_000)
    assert.deepEqual(words('y', long), [{ text: long, mark: 'added' }])
  })
})
