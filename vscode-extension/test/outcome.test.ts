import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { counted, outcomeInWords, outcomeOf } from '../src/shared/outcome'

describe('what a tactic comes to', () => {
  it('closes the goal only where Lean elaborated it in place', () => {
    assert.equal(outcomeOf({ verdict: 'closes', verified: true, goals: [] }), 'closes')
    assert.equal(outcomeOf({ verdict: 'closes', verified: false, goals: [] }), 'closesHere')
  })

  it('closes this goal where none is left of it', () => {
    assert.equal(outcomeOf({ verdict: 'progresses', verified: true, goals: [] }), 'closesHere')
    assert.equal(outcomeOf({ verdict: 'progresses', verified: true, goals: ['a', 'b'] }), 'leaves')
  })

  it('is said in words', () => {
    assert.equal(outcomeInWords('closes', 0), 'closes the goal')
    assert.equal(outcomeInWords('closesHere', 0), 'closes this goal')
    assert.equal(outcomeInWords('leaves', 1), 'leaves 1 goal')
    assert.equal(counted(2, 'more '), '2 more goals')
  })
})
