import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'

import { chart, type Days, dayOf, isNewer, parseDays, plus, toStored, total } from '../src/shared/figures'

const DAY = new Date(2026, 0, 31, 23, 59)

describe('figures', () => {
  it('add up by day and way', () => {
    let days: Days = {}
    days = plus(days, '2026-01-30', 'ghost', { offered: 2, accepted: 1 })
    days = plus(days, '2026-01-31', 'ghost', { offered: 1, accepted: 0 })
    days = plus(days, '2026-01-31', 'panel', { offered: 0, accepted: 1 })
    assert.deepEqual(total(days, 'ghost'), { offered: 3, accepted: 1 })
    assert.deepEqual(total(days, 'search'), { offered: 0, accepted: 0 })
    assert.deepEqual(parseDays(JSON.parse(JSON.stringify(days))), days)
  })

  it('leave out what cannot be read', () => {
    assert.deepEqual(parseDays(undefined), {})
    assert.deepEqual(parseDays({ '2026-01-31': { ghost: { offered: -1, accepted: 0 } }, yesterday: {} }), {})
  })

  it('of the first version are read, and kept with a version', async () => {
    const old: unknown = JSON.parse(await readFile('test/old/figures-7e992c6.json', 'utf8'))
    const days = parseDays(old)
    assert.deepEqual(total(days, 'ghost'), { offered: 15, accepted: 6 })
    assert.deepEqual(days, old)
    assert.deepEqual(toStored(days), { version: 1, ...days })
    assert.deepEqual(parseDays(toStored(days)), days)
    assert.equal(isNewer(old) || isNewer(toStored(days)) || isNewer(undefined), false)
  })

  it('of a newer version are told apart', () => {
    assert.equal(isNewer({ version: 2, '2026-01-31': {} }), true)
    assert.equal(isNewer({ version: 'x' }), false)
  })

  it('forget the oldest days', () => {
    let days: Days = {}
    for (let day = 0; day < 500; day += 1) days = plus(days, dayOf(new Date(2025, 0, day)), 'ghost', { offered: 1, accepted: 0 })
    assert.equal(Object.keys(days).length, 400)
    assert.ok(dayOf(new Date(2025, 0, 499)) in days)
  })

  it('forget the oldest days of what is read', () => {
    const days = Array.from({ length: 5_000 }, (_, day) => [dayOf(new Date(2025, 0, day)), { ghost: { offered: 1, accepted: 1 } }])
    const read = parseDays(Object.fromEntries(days))
    assert.deepEqual(Object.keys(read), days.slice(-400).map(([day]) => day))
    assert.deepEqual(total(read, 'ghost'), { offered: 400, accepted: 400 })
  })

  it('are drawn to scale', () => {
    const svg = chart({ '2026-01-31': { ghost: { offered: 10, accepted: 5 } } }, DAY, 3)
    const heights = [...svg.matchAll(/<rect class="(\w+)"[^>]* height="([\d.]+)"/gu)].map(([, kind, height]) => [kind, Number(height)])
    const [[kind, offered] = [], [, accepted] = []] = heights.slice(-2)
    assert.equal(kind, 'offered')
    assert.equal(offered, 2 * Number(accepted))
    assert.match(svg, /2026-01-29.*2026-01-31/su)
  })
})
