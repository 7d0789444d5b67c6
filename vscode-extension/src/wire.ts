/** What the extension and the sidecar say to each other beyond the standard protocol. Shapes and their checks; no I/O. */

import type { Position } from 'vscode-languageclient/node'

/** A command: find one tactic that closes the goal at a place, and apply it to the document. */
export const CLOSE_GOAL = 'tacit.closeGoal'

/** A request (its parameters: an empty object): what the sidecar and its Lean are doing. It never waits for Lean. */
export const STATUS = 'tacit/status'

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
}

/** The part of the answer to STATUS that this version shows. */
export interface Status {
  readonly version: string
  readonly lean: { readonly state: string; readonly version: string; readonly sentence: string }
  /** Undefined before anything was asked of a model, and from a sidecar that knows of none. */
  readonly model: { readonly state: string; readonly sentence: string } | undefined
}

/** Undefined when the answer has another shape: the sidecar may be older or newer than the extension. */
export function parseCloseGoalResult(answer: unknown): CloseGoalResult | undefined {
  if (!isRecord(answer)) return undefined
  const { applied, sentence } = answer
  if (typeof applied !== 'boolean' || typeof sentence !== 'string') return undefined
  return { applied, sentence }
}

/** Undefined when the answer has another shape. */
export function parseStatus(answer: unknown): Status | undefined {
  if (!isRecord(answer) || !isRecord(answer['lean'])) return undefined
  const { version } = answer
  const { state, version: leanVersion, sentence } = answer['lean']
  if (typeof version !== 'string' || typeof state !== 'string') return undefined
  if (typeof leanVersion !== 'string' || typeof sentence !== 'string') return undefined
  return { version, lean: { state, version: leanVersion, sentence }, model: parseModel(answer['model']) }
}

function parseModel(answer: unknown): Status['model'] {
  if (!isRecord(answer)) return undefined
  const { state, sentence } = answer
  return typeof state === 'string' && typeof sentence === 'string' ? { state, sentence } : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
