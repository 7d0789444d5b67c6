/** What the extension and the sidecar say to each other beyond the standard protocol. Shapes and their checks; no I/O. */

import type { Location, Position, Range, TextEdit } from 'vscode-languageclient/node'

import { isCount, isRecord, isText, isTexts, list } from './shared/check'
import type { Goal, Hypothesis } from './shared/difference'
import type { IndexStatus, Status } from './shared/status'

/** A command: find a proof of the goal at a place, and apply it to the document. */
export const CLOSE_GOAL = 'tacit.closeGoal'

/** A request (its parameters: an empty object): what the sidecar and its Lean are doing. It never waits for Lean. */
export const STATUS = 'tacit/status'

/** A request: SuggestParams to what `parseSuggestResult` reads; on the way, what `parsePartial` reads. */
export const SUGGEST = 'tacit/suggest'

/** A request: SearchParams to what `parseSearchResult` reads. */
export const SEARCH = 'tacit/search'

/** Notifications: ask for the status again. */
export const STATUS_CHANGED = 'tacit/statusChanged'
export const INDEX_CHANGED = 'tacit/indexChanged'

export interface SuggestParams {
  readonly textDocument: { readonly uri: string; readonly version: number }
  readonly position: Position
  /** Reads what stands before the cursor as ghost text does: as a tactic that is being typed. */
  readonly asTyped: boolean
  readonly partialResultToken?: string
}

/** A checked tactic. One that progresses and leaves no goals closes the goal at hand, and not all of its declaration. */
export interface SuggestionItem {
  readonly tactic: string
  readonly verdict: string
  readonly verified: boolean
  readonly goals: readonly Goal[]
  readonly edit: TextEdit
  readonly version: number
  readonly source: string
  readonly elapsed: number
  readonly note: string
}

export interface SuggestResult {
  readonly goals: readonly Goal[]
  readonly suggestions: readonly SuggestionItem[]
  readonly checked: number
  readonly elapsed: number
  readonly notice: string
}

/** A part of a streamed answer to SUGGEST. */
export type Partial =
  | { readonly kind: 'goals'; readonly goals: readonly Goal[] }
  | { readonly kind: 'suggestions'; readonly suggestions: readonly SuggestionItem[] }

/**
 * With the same `token`, a newer search ends an older one. `fromGoal`: first what is ranked for the goal at `position`,
 * then what the text finds beyond the file's imports.
 */
export interface SearchParams {
  readonly text: string
  readonly limit: number
  readonly textDocument?: { readonly uri: string }
  readonly position?: Position
  readonly usableHere: boolean
  readonly fromGoal?: boolean
  readonly token: string
}

export interface SearchHit {
  readonly name: string
  readonly kind: string
  readonly module: string
  readonly statement: string
  readonly doc: string
  readonly location: Location
  /** Whether it can be named at the place asked from; undefined where none was given. */
  readonly usable: boolean | undefined
  /** The module whose import would make it usable; undefined where none would, or none is needed. */
  readonly needs: string | undefined
}

export interface SearchResult {
  readonly hits: readonly SearchHit[]
  readonly elapsed: number
  readonly total: number
  readonly notice: string
}

/** The one argument of CLOSE_GOAL. A `version` that is not the newest is refused. */
export interface CloseGoalArgument {
  readonly uri: string
  readonly position: Position
  readonly version: number
}

/** What closing a goal came to. */
export interface CloseGoalResult {
  readonly applied: boolean
  readonly sentence: string
  /** Where the proof now stands, and all that were found, that one first; empty where it is the only one. */
  readonly range: Range | undefined
  readonly proofs: readonly ProofItem[]
}

/** A proof that Lean accepted; `newText` is what stands, or would stand, in its range. */
export interface ProofItem {
  readonly tactic: string
  readonly newText: string
}

/** Undefined when the answer has another shape: the sidecar may be older or newer than the extension. */
export function parseCloseGoalResult(answer: unknown): CloseGoalResult | undefined {
  if (!isRecord(answer)) return undefined
  const { applied, sentence } = answer
  if (typeof applied !== 'boolean' || typeof sentence !== 'string') return undefined
  return { applied, sentence, range: parseRange(answer['range']), proofs: list(answer['proofs'], parseProof) ?? [] }
}

function parseProof(answer: unknown): ProofItem | undefined {
  if (!isRecord(answer)) return undefined
  const { tactic, newText } = answer
  return isText(tactic) && isText(newText) ? { tactic, newText } : undefined
}

/** Undefined when the answer has another shape. */
export function parseStatus(answer: unknown): Status | undefined {
  if (!isRecord(answer) || !isRecord(answer['lean'])) return undefined
  const { version } = answer
  const { state, version: leanVersion, sentence } = answer['lean']
  if (typeof version !== 'string' || typeof state !== 'string') return undefined
  if (typeof leanVersion !== 'string' || typeof sentence !== 'string') return undefined
  const { index, model } = answer
  return { version, lean: { state, version: leanVersion, sentence }, index: parseIndex(index), model: parseModel(model) }
}

function parseIndex(answer: unknown): IndexStatus | undefined {
  if (!isRecord(answer)) return undefined
  const { state, what, done, total, sentence } = answer
  const packages = list(answer['packages'], parsePackage)
  if (!isText(state) || !isText(answer['package']) || !isText(what) || !isCount(done) || !isCount(total)) return undefined
  if (!isText(sentence) || packages === undefined) return undefined
  return { state, package: answer['package'], what, done, total, sentence, packages }
}

function parsePackage(answer: unknown): IndexStatus['packages'][number] | undefined {
  if (!isRecord(answer)) return undefined
  const { name, premises, meanings } = answer
  return isText(name) && isCount(premises) && typeof meanings === 'boolean' ? { name, premises, meanings } : undefined
}

function parseModel(answer: unknown): Status['model'] {
  if (!isRecord(answer)) return undefined
  const { state, sentence } = answer
  const name = isText(answer['name']) ? answer['name'] : ''
  return isText(state) && isText(sentence) ? { state, name, sentence } : undefined
}

/** Undefined when the answer has another shape. */
export function parseSearchResult(answer: unknown): SearchResult | undefined {
  if (!isRecord(answer)) return undefined
  const { elapsed, total, notice } = answer
  const hits = list(answer['hits'], parseHit)
  if (hits === undefined || typeof elapsed !== 'number' || !isCount(total) || !isText(notice)) return undefined
  return { hits, elapsed, total, notice }
}

function parseHit(answer: unknown): SearchHit | undefined {
  if (!isRecord(answer) || !isRecord(answer['location'])) return undefined
  const { name, kind, module, statement, doc } = answer
  const { uri } = answer['location']
  const range = parseRange(answer['location']['range'])
  if (!isText(name) || !isText(kind) || !isText(module) || !isText(statement) || !isText(doc)) return undefined
  if (!isText(uri) || range === undefined) return undefined
  const needs = isText(answer['import']) && answer['import'] !== '' ? answer['import'] : undefined
  const usable = typeof answer['usable'] === 'boolean' ? answer['usable'] : undefined
  return { name, kind, module, statement, doc, location: { uri, range }, usable, needs }
}

/** Undefined when the answer has another shape. */
export function parseSuggestResult(answer: unknown): SuggestResult | undefined {
  if (!isRecord(answer)) return undefined
  const { checked, elapsed, notice } = answer
  const goals = list(answer['goals'], parseGoal)
  const suggestions = list(answer['suggestions'], parseSuggestion)
  if (goals === undefined || suggestions === undefined || !isCount(checked)) return undefined
  if (typeof elapsed !== 'number' || !isText(notice)) return undefined
  return { goals, suggestions, checked, elapsed, notice }
}

/** Undefined when the part has another shape. */
export function parsePartial(part: unknown): Partial | undefined {
  if (!isRecord(part)) return undefined
  const goals = list(part['goals'], parseGoal)
  if (goals !== undefined) return { kind: 'goals', goals }
  const suggestions = list(part['suggestions'], parseSuggestion)
  return suggestions === undefined ? undefined : { kind: 'suggestions', suggestions }
}

function parseSuggestion(answer: unknown): SuggestionItem | undefined {
  if (!isRecord(answer) || !isRecord(answer['edit'])) return undefined
  const { tactic, verdict, verified, version, source, elapsed, note } = answer
  const goals = list(answer['goals'], parseGoal)
  const range = parseRange(answer['edit']['range'])
  const newText = answer['edit']['newText']
  if (!isText(tactic) || !isText(verdict) || typeof verified !== 'boolean' || goals === undefined) return undefined
  if (range === undefined || !isText(newText) || typeof version !== 'number') return undefined
  if (!isText(source) || typeof elapsed !== 'number' || !isText(note)) return undefined
  return { tactic, verdict, verified, goals, edit: { range, newText }, version, source, elapsed, note }
}

function parseGoal(answer: unknown): Goal | undefined {
  if (!isRecord(answer)) return undefined
  const { target, text } = answer
  const hypotheses = list(answer['hypotheses'], parseHypothesis)
  if (!isText(target) || !isText(text) || hypotheses === undefined) return undefined
  return { target, hypotheses, tag: isText(answer['tag']) ? answer['tag'] : null, text }
}

function parseHypothesis(answer: unknown): Hypothesis | undefined {
  if (!isRecord(answer)) return undefined
  const { names, type } = answer
  if (!isTexts(names) || !isText(type)) return undefined
  return { names, type, value: isText(answer['value']) ? answer['value'] : null }
}

function parseRange(answer: unknown): Range | undefined {
  if (!isRecord(answer)) return undefined
  const start = parsePosition(answer['start'])
  const end = parsePosition(answer['end'])
  return start === undefined || end === undefined ? undefined : { start, end }
}

function parsePosition(answer: unknown): Position | undefined {
  if (!isRecord(answer)) return undefined
  const { line, character } = answer
  return isCount(line) && isCount(character) ? { line, character } : undefined
}
