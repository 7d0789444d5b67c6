/** Reads the goal at a place: from the official extension's Lean where it runs, else from Tacit's. */

import type * as vscode from 'vscode'

import { suggestUntil } from './asking'
import type { Neighbour } from './neighbour'
import { targetOf } from './shared/lean'
import type { Sidecar } from './sidecar'

/** Lean may have to start, and to read what the file imports. */
const LIMIT_MS = 60_000

export class GoalReader {
  constructor(
    private readonly sidecar: Sidecar,
    private readonly neighbour: Neighbour,
  ) {}

  /** The target of the main goal, as Lean prints it; undefined where there is none. Never throws. */
  async at(document: vscode.TextDocument, position: vscode.Position): Promise<string | undefined> {
    const [goal] = (await this.neighbour.goals(document, position)) ?? []
    if (goal !== undefined) return targetOf(goal)
    const client = this.sidecar.running
    if (client === undefined) return undefined
    const place = { document, version: document.version, position }
    const { goals } = await suggestUntil(client, place, (known) => known.goals.length > 0, LIMIT_MS)
    return goals[0]?.target
  }
}
