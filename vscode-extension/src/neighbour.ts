/**
 * The official extension, leanprover.lean4, where it is installed: what its live Lean servers know. Tacit works
 * without it, and it may be of any version: what it answers is looked at, and what it does not answer is left out.
 */

import * as vscode from 'vscode'

import { isRecord, isTexts } from './shared/check'
import { within } from './waiting'

const EXTENSION = 'leanprover.lean4'
const PLAIN_GOAL = '$/lean/plainGoal'
/** A Lean that is busy with the file answers when it comes to it: that is too long to wait. */
const PATIENCE_MS = 1_500

interface Client {
  sendRequest(method: string, params: unknown): Promise<unknown>
}

export class Neighbour {
  /** Whether it is there and switched on. */
  get present(): boolean {
    return vscode.extensions.getExtension(EXTENSION) !== undefined
  }

  /** The goals at a place, each as Lean prints it; undefined when it is not there, or does not say. Never throws. */
  async goals(document: vscode.TextDocument, position: vscode.Position): Promise<readonly string[] | undefined> {
    try {
      const client = await this.client()
      if (client === undefined) return undefined
      const params = {
        textDocument: { uri: document.uri.toString() },
        position: { line: position.line, character: position.character },
      }
      const answer = await within(PATIENCE_MS, client.sendRequest(PLAIN_GOAL, params))
      return isRecord(answer) && isTexts(answer['goals']) ? answer['goals'] : undefined
    } catch {
      return undefined
    }
  }

  /** The client of the active editor. It is never started for us: only one that runs is asked. */
  private async client(): Promise<Client | undefined> {
    const extension = vscode.extensions.getExtension<unknown>(EXTENSION)
    if (extension?.isActive !== true || !isRecord(extension.exports)) return undefined
    const features: unknown = await extension.exports['lean4EnabledFeatures']
    const provider = isRecord(features) ? features['clientProvider'] : undefined
    if (!isRecord(provider)) return undefined
    // Each folder has a client of its own; the active one is that of the active editor, and others do not know the file.
    const active = provider['getActiveClient']
    const client: unknown = typeof active === 'function' ? active.call(provider) : undefined
    return isClient(client) ? client : undefined
  }
}

function isClient(value: unknown): value is Client {
  return isRecord(value) && typeof value['sendRequest'] === 'function'
}
