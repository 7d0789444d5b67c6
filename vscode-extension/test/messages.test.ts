import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseFromSearch, parseFromSuggestions, parseToSearch, parseToSuggestions } from '../src/shared/messages'

const HIT = { name: 'n', kind: 'theorem', where: 'M', statement: 's', doc: '', needs: 'M' }
const SUGGESTION = {
  tactic: 'simp',
  outcome: 'leaves',
  goals: [{ tag: '', hypotheses: [{ text: 'h : p', mark: 'added' }], target: [{ text: 'p', mark: 'same' }], targetChanged: false }],
  source: 'portfolio',
  seconds: 0.1,
  note: '',
}
const SHOW = { type: 'show', round: 1, sentence: '', working: true, hypotheses: ['h : p'], target: 'p', more: 0, suggestions: [SUGGESTION] }

describe('messages', () => {
  it('are read as they were written', () => {
    for (const message of [
      { type: 'search', id: 3, text: 'x', usableHere: false },
      { type: 'insert', answer: 3, index: 0, withImport: true },
      { type: 'definition', answer: 3, index: 0 },
      { type: 'goal' },
    ]) {
      assert.deepEqual(parseFromSearch(message), message)
    }
    const answer = { type: 'answer', id: 3, hits: [HIT], sentence: '' }
    assert.deepEqual(parseToSearch(answer), answer)
    assert.deepEqual(parseToSuggestions(SHOW), SHOW)
    assert.deepEqual(parseFromSuggestions({ type: 'insert', round: 1, index: 0 }), { type: 'insert', round: 1, index: 0 })
  })

  it('of another shape are none', () => {
    for (const message of [
      null,
      'search',
      { type: 'run', command: 'rm' },
      { type: 'search', id: -1, text: 'x', usableHere: false },
      { type: 'search', id: 1, text: 'x'.repeat(100_001), usableHere: false },
      { type: 'insert', answer: 3, index: 0.5, withImport: true },
      { type: 'definition', answer: '3', index: 0 },
    ]) {
      assert.equal(parseFromSearch(message), undefined)
    }
    assert.equal(parseToSearch({ type: 'answer', id: 3, hits: [{ ...HIT, doc: 1 }], sentence: '' }), undefined)
    assert.equal(parseToSuggestions({ ...SHOW, suggestions: [{ ...SUGGESTION, outcome: 'perhaps' }] }), undefined)
    assert.equal(parseFromSuggestions({ type: 'insert', round: 1 }), undefined)
  })

  it('carry nothing beyond their shape', () => {
    assert.deepEqual(parseFromSearch({ type: 'leave', command: 'x' }), { type: 'leave' })
  })
})
