import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { inAbbreviation, targetOf } from '../src/shared/lean'
import { type IndexStatus, type Status, statusLines } from '../src/shared/status'
import { parseStatus } from '../src/wire'

const INDEX: IndexStatus = { state: 'idle', package: '', what: '', done: 0, total: 0, sentence: '', packages: [] }
const STATUS: Status = {
  version: '1',
  lean: { state: 'ready', version: '4.27.0', sentence: 'Lean 4.27.0 is ready.' },
  index: INDEX,
  model: undefined,
}

function line(name: string, status: Status): string {
  const found = statusLines(true, status).find((each) => each.name === name)
  return `${found?.state ?? ''}: ${found?.said ?? ''}`
}

describe('the status in words', () => {
  it('names every part and what it does', () => {
    assert.deepEqual(statusLines(true, STATUS).map(({ name }) => name), ['Sidecar', 'Lean', 'Index', 'Model'])
    assert.equal(line('Lean', STATUS), 'good: Lean 4.27.0 is ready.')
    assert.equal(line('Model', STATUS), 'none: not asked yet.')
  })

  it('says how far an index is, and what it holds', () => {
    const working = { ...INDEX, state: 'working', package: 'mathlib', what: 'embedding', done: 1, total: 3 }
    assert.equal(line('Index', { ...STATUS, index: working }), 'busy: learning the meanings of mathlib (33 %).')
    const packages = [{ name: 'mathlib', premises: 244_000, meanings: false }, { name: 'empty', premises: 0, meanings: true }]
    assert.equal(line('Index', { ...STATUS, index: { ...INDEX, packages } }), 'good: mathlib (244,000, words only).')
    assert.match(line('Index', { ...STATUS, index: { ...INDEX, state: 'failed', sentence: 'The disk is full.' } }), /^broken: The disk/u)
  })

  it('says that nothing runs', () => {
    assert.deepEqual(statusLines(false, STATUS).map(({ state }) => state), ['broken'])
    assert.deepEqual(statusLines(true, undefined).map(({ state }) => state), ['good'])
  })
})

describe('the answer to tacit/status', () => {
  it('is read as it was written, and no other shape', () => {
    assert.deepEqual(parseStatus({ ...STATUS, documents: [], model: null }), STATUS)
    assert.equal(parseStatus({ ...STATUS, lean: { state: 'ready' } }), undefined)
    assert.equal(parseStatus({ ...STATUS, index: { state: 'idle' } })?.index, undefined)
  })
})

describe('goals and abbreviations', () => {
  it('have a target behind the last turnstile', () => {
    assert.equal(targetOf('case inl\nh : a ⊢ b\n⊢ p →\n  q'), 'p →\n  q')
    assert.equal(targetOf('p'), 'p')
  })

  it('are being typed until a blank', () => {
    assert.ok(inAbbreviation('exact \\al', '\\'))
    assert.ok(!inAbbreviation('s \\ t', '\\'))
    assert.ok(!inAbbreviation('exact', '\\'))
    assert.ok(!inAbbreviation('exact', ''))
  })
})
