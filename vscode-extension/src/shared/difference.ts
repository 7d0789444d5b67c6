/** Says how a goal differs from the goal before: hypotheses that came and went, and what is new in the target. Pure. */

import { plain, tokens } from './lean'
import type { Marked, ShownGoal } from './messages'

/** A goal as the sidecar sends it. */
export interface Goal {
  readonly target: string
  readonly hypotheses: readonly Hypothesis[]
  readonly tag: string | null
  readonly text: string
}

export interface Hypothesis {
  readonly names: readonly string[]
  readonly type: string
  readonly value: string | null
}

/** Texts longer than this are not compared word by word. */
const MOST_WORDS = 400

/** A hypothesis as Lean prints it. */
export function hypothesisText({ names, type, value }: Hypothesis): string {
  return `${names.join(' ')} : ${type}${value === null ? '' : ` := ${value}`}`
}

/** A goal that is left, against the goal before. What both have in common among the hypotheses is left out. */
export function difference(before: Goal, after: Goal): ShownGoal {
  const old = lines(before)
  const now = lines(after)
  const added = now.filter((line) => !old.includes(line))
  const removed = old.filter((line) => !now.includes(line))
  // A hypothesis that changed stands as one that went and one that came, next to each other.
  const hypotheses: Marked[] = []
  const left = [...added]
  for (const text of removed) {
    hypotheses.push({ text, mark: 'removed' })
    const same = left.findIndex((line) => nameOf(line) === nameOf(text))
    if (same >= 0) hypotheses.push(...left.splice(same, 1).map((line): Marked => ({ text: line, mark: 'added' })))
  }
  hypotheses.push(...left.map((text): Marked => ({ text, mark: 'added' })))
  const targetChanged = plain(before.target) !== plain(after.target)
  const target = targetChanged ? words(before.target, after.target) : [{ text: after.target, mark: 'same' as const }]
  return { tag: after.tag ?? '', hypotheses, target, targetChanged }
}

/** One line for each name: Lean joins names of one type, and one more name is no change of the others. */
function lines({ hypotheses }: Goal): string[] {
  return hypotheses.flatMap(({ names, type, value }) =>
    names.map((name) => hypothesisText({ names: [name], type: plain(type), value })),
  )
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(' : '))
}

/** The new text in pieces, marked as the same or as added: by the longest common subsequence of words. */
export function words(before: string, after: string): Marked[] {
  const old = cut(before).filter((word) => word.trim() !== '')
  const now = cut(after)
  if (old.length > MOST_WORDS || now.length > MOST_WORDS) return [{ text: after, mark: 'added' }]
  const table = common(old, now)
  const found: Marked[] = []
  let i = 0
  now.forEach((word, j) => {
    const blank = word.trim() === ''
    while (!blank && i < old.length && old[i] !== word && at(table, i + 1, j) >= at(table, i, j + 1)) i += 1
    const same = !blank && i < old.length && old[i] === word
    if (same) i += 1
    const last = found.at(-1)
    const mark = blank ? (last?.mark ?? 'same') : same ? 'same' : 'added'
    if (last?.mark === mark) found[found.length - 1] = { text: last.text + word, mark }
    else found.push({ text: word, mark })
  })
  return found
}

function cut(text: string): string[] {
  return [...tokens(text)].map(({ start, end }) => text.slice(start, end))
}

/** table[i][j]: how many words old[i..] and now[j..] have in common, in this order. */
function common(old: readonly string[], now: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0))
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const row = table[i]
      if (row === undefined) continue
      row[j] = old[i] === now[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1))
    }
  }
  return table
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0
}
