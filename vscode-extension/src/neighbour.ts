/**
 * The official extension, leanprover.lean4, where it is installed: what its live Lean servers know. Tacit works
 * without it, and it may be of any version: what it answers is looked at, and what it does not answer is left out.
 */

import * as vscode from 'vscode'

import { isCount, isRecord, isTexts, list } from './shared/check'
import { pause, within } from './waiting'

const EXTENSION = 'leanprover.lean4'
const PLAIN_GOAL = '$/lean/plainGoal'
/** A Lean that is busy with the file answers when it comes to it: that is too long to wait. */
const PATIENCE_MS = 1_500
/** For this long a question that nobody asked gives way to a Lean that elaborates what stands above the place. */
const GIVES_WAY_MS = 3_000
const LOOK_MS = 100
/** It keeps its promise at once where its Lean runs already. */
const MEET_MS = 200
/** Of what is being processed, that which Lean has given up. */
const FATAL = 2

interface Client {
  sendRequest(method: string, params: unknown): Promise<unknown>
  readonly [name: string]: unknown
}

export class Neighbour {
  /** Who hands out its clients. It promises that when it starts, and keeps the promise when it finds a Lean to run. */
  private provider: Readonly<Record<string, unknown>> | undefined
  private meeting: Promise<void> | undefined

  /** Whether it is there and switched on. */
  get present(): boolean {
    return vscode.extensions.getExtension(EXTENSION) !== undefined
  }

  /** The goals at a place, each as Lean prints it; undefined when it is not there, or does not say. Never throws. */
  async goals(document: vscode.TextDocument, position: vscode.Position): Promise<readonly string[] | undefined> {
    this.meet()
    if (this.provider === undefined && this.meeting !== undefined) await within(MEET_MS, this.meeting).catch(() => undefined)
    const client = this.client()
    if (client === undefined || this.elaborates(document, position)) return undefined
    const params = {
      textDocument: { uri: document.uri.toString() },
      position: { line: position.line, character: position.character },
    }
    try {
      const answer = await within(PATIENCE_MS, client.sendRequest(PLAIN_GOAL, params))
      return isRecord(answer) && isTexts(answer['goals']) ? answer['goals'] : undefined
    } catch {
      return undefined
    }
  }

  /** The line, from 0, from which on its Lean still elaborates a document; undefined where it does not. */
  elaboratesFrom(document: vscode.TextDocument): number | undefined {
    const client = this.client()
    const progress = client?.['progress']
    if (client?.['running'] === false || !(progress instanceof Map)) return undefined
    const uri = document.uri.toString()
    // It names documents by objects, a new one each time: what it said before stays there, and the last is how it is.
    let newest: unknown
    for (const [key, processing] of progress as ReadonlyMap<unknown, unknown>) {
      if (String(key) === uri) newest = processing
    }
    return list(newest, startOf)?.reduce(least, undefined)
  }

  /** Whether its Lean has not come to a place yet. */
  elaborates(document: vscode.TextDocument, { line }: vscode.Position): boolean {
    const from = this.elaboratesFrom(document)
    return from !== undefined && from <= line
  }

  /** Resolves when its Lean has come to a place, after a while, or when nobody wants it any more. */
  async passes(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<void> {
    for (let rest = GIVES_WAY_MS; rest > 0 && this.elaborates(document, position); rest -= LOOK_MS) {
      if (!(await pause(LOOK_MS, token))) return
    }
  }

  /** The client of the active editor. It is never started for us: only one that runs is asked. */
  private client(): Client | undefined {
    if (this.provider === undefined) {
      this.meet()
      return undefined
    }
    // Each folder has a client of its own; the active one is that of the active editor, and others do not know the file.
    const active = this.provider['getActiveClient']
    try {
      const client: unknown = typeof active === 'function' ? active.call(this.provider) : undefined
      return isClient(client) ? client : undefined
    } catch {
      return undefined
    }
  }

  /** Learns who hands out its clients, as soon as it says so: while it asks the user to install a Lean, it does not. */
  private meet(): void {
    const extension = vscode.extensions.getExtension<unknown>(EXTENSION)
    if (this.meeting !== undefined || extension?.isActive !== true || !isRecord(extension.exports)) return
    this.meeting = Promise.resolve(extension.exports['lean4EnabledFeatures']).then(
      (features) => {
        const provider = isRecord(features) ? features['clientProvider'] : undefined
        if (isRecord(provider)) this.provider = provider
      },
      () => undefined,
    )
  }
}

function isClient(value: unknown): value is Client {
  return isRecord(value) && typeof value['sendRequest'] === 'function'
}

/** Where a range that is being processed begins. Infinity where that was given up. */
function startOf(processing: unknown): number | undefined {
  if (!isRecord(processing) || !isRecord(processing['range']) || !isRecord(processing['range']['start'])) return undefined
  const { line } = processing['range']['start']
  return !isCount(line) ? undefined : processing['kind'] === FATAL ? Infinity : line
}

function least(before: number | undefined, line: number): number | undefined {
  return line === Infinity ? before : Math.min(before ?? line, line)
}
