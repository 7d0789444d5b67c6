/** What the pages in the side bar and the extension say to each other. Shapes and their checks, both ways; no I/O. */

import { isCount, isRecord, isText, isTexts, list, type Unknown } from './check'

/** An answer of search as the page shows it. The page names it by its place in the answer. */
export interface ShownHit {
  readonly name: string
  readonly kind: string
  /** The module, and what stands in the way of using it. */
  readonly where: string
  readonly statement: string
  readonly doc: string
  /** The module whose import would make it usable; empty where none is needed. */
  readonly needs: string
}

/** What the page of search says. `id` counts its questions; `answer` is the `id` that a list was the answer to. */
export type FromSearch =
  | { readonly type: 'ready' }
  | { readonly type: 'search'; readonly id: number; readonly text: string; readonly usableHere: boolean }
  | { readonly type: 'insert'; readonly answer: number; readonly index: number; readonly withImport: boolean }
  | { readonly type: 'definition'; readonly answer: number; readonly index: number }
  | { readonly type: 'goal' }
  | { readonly type: 'leave' }

/** What the page of search is told. `ask`: search for this, as if it were typed. `again`: what was found may be old. */
export type ToSearch =
  | { readonly type: 'answer'; readonly id: number; readonly hits: readonly ShownHit[]; readonly sentence: string }
  | { readonly type: 'ask'; readonly text: string }
  | { readonly type: 'say'; readonly sentence: string }
  | { readonly type: 'focus' }
  | { readonly type: 'again' }

export type Mark = 'same' | 'added' | 'removed'

/** A piece of text and whether the goal before has it too. */
export interface Marked {
  readonly text: string
  readonly mark: Mark
}

/** A goal that a tactic leaves, against the goal before: hypotheses that came or went, and the target. */
export interface ShownGoal {
  readonly tag: string
  readonly hypotheses: readonly Marked[]
  readonly target: readonly Marked[]
  readonly targetChanged: boolean
}

export type Outcome = 'closes' | 'closesHere' | 'leaves'

export interface ShownSuggestion {
  readonly tactic: string
  readonly outcome: Outcome
  readonly goals: readonly ShownGoal[]
  readonly source: string
  readonly seconds: number
  readonly note: string
}

/** All that the page of suggestions shows. `round` counts questions; a suggestion is named by it and its place. */
export interface ToSuggestions {
  readonly type: 'show'
  readonly round: number
  readonly sentence: string
  readonly working: boolean
  readonly hypotheses: readonly string[]
  readonly target: string
  readonly more: number
  readonly suggestions: readonly ShownSuggestion[]
}

export type FromSuggestions =
  | { readonly type: 'ready' }
  | { readonly type: 'insert'; readonly round: number; readonly index: number }
  | { readonly type: 'leave' }

const LONGEST_QUESTION = 100_000

export function parseFromSearch(value: unknown): FromSearch | undefined {
  if (!isRecord(value)) return undefined
  const { type, id, text, usableHere, answer, index, withImport } = value
  switch (type) {
    case 'ready':
    case 'goal':
    case 'leave':
      return { type }
    case 'search':
      if (!isCount(id) || !isText(text) || text.length > LONGEST_QUESTION || typeof usableHere !== 'boolean') return undefined
      return { type, id, text, usableHere }
    case 'insert':
      if (!isCount(answer) || !isCount(index) || typeof withImport !== 'boolean') return undefined
      return { type, answer, index, withImport }
    case 'definition':
      return isCount(answer) && isCount(index) ? { type, answer, index } : undefined
    default:
      return undefined
  }
}

export function parseToSearch(value: unknown): ToSearch | undefined {
  if (!isRecord(value)) return undefined
  const { type, id, text, sentence } = value
  switch (type) {
    case 'focus':
    case 'again':
      return { type }
    case 'ask':
      return isText(text) ? { type, text } : undefined
    case 'say':
      return isText(sentence) ? { type, sentence } : undefined
    case 'answer': {
      const hits = parseHits(value['hits'])
      return isCount(id) && isText(sentence) && hits !== undefined ? { type, id, hits, sentence } : undefined
    }
    default:
      return undefined
  }
}

export function parseHits(value: unknown): ShownHit[] | undefined {
  return list(value, (element) => {
    if (!isRecord(element)) return undefined
    const { name, kind, where, statement, doc, needs } = element
    if (!isText(name) || !isText(kind) || !isText(where)) return undefined
    if (!isText(statement) || !isText(doc) || !isText(needs)) return undefined
    return { name, kind, where, statement, doc, needs }
  })
}

export function parseFromSuggestions(value: unknown): FromSuggestions | undefined {
  if (!isRecord(value)) return undefined
  const { type, round, index } = value
  switch (type) {
    case 'ready':
    case 'leave':
      return { type }
    case 'insert':
      return isCount(round) && isCount(index) ? { type, round, index } : undefined
    default:
      return undefined
  }
}

export function parseToSuggestions(value: unknown): ToSuggestions | undefined {
  if (!isRecord(value) || value['type'] !== 'show') return undefined
  const { round, sentence, working, hypotheses, target, more } = value
  const suggestions = list(value['suggestions'], parseSuggestion)
  if (!isCount(round) || !isText(sentence) || typeof working !== 'boolean' || !isTexts(hypotheses)) return undefined
  if (!isText(target) || !isCount(more) || suggestions === undefined) return undefined
  return { type: 'show', round, sentence, working, hypotheses, target, more, suggestions }
}

function parseSuggestion(value: unknown): ShownSuggestion | undefined {
  if (!isRecord(value)) return undefined
  const { tactic, outcome, source, seconds, note } = value
  const goals = list(value['goals'], parseGoal)
  if (!isText(tactic) || !isOutcome(outcome) || goals === undefined) return undefined
  if (!isText(source) || typeof seconds !== 'number' || !isText(note)) return undefined
  return { tactic, outcome, goals, source, seconds, note }
}

function isOutcome(value: unknown): value is Outcome {
  return value === 'closes' || value === 'closesHere' || value === 'leaves'
}

function parseGoal(value: unknown): ShownGoal | undefined {
  if (!isRecord(value)) return undefined
  const { tag, targetChanged } = value
  const hypotheses = parseMarked(value, 'hypotheses')
  const target = parseMarked(value, 'target')
  if (!isText(tag) || typeof targetChanged !== 'boolean') return undefined
  if (hypotheses === undefined || target === undefined) return undefined
  return { tag, hypotheses, target, targetChanged }
}

function parseMarked(value: Unknown, name: string): Marked[] | undefined {
  return list(value[name], (element) => {
    if (!isRecord(element)) return undefined
    const { text, mark } = element
    if (!isText(text) || (mark !== 'same' && mark !== 'added' && mark !== 'removed')) return undefined
    return { text, mark }
  })
}
