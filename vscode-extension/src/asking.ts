/** Asks the sidecar for suggestions, and for no more of them than is wanted. */

import { randomUUID } from 'node:crypto'

import type * as vscode from 'vscode'
import { CancellationTokenSource, type LanguageClient, ProgressType } from 'vscode-languageclient/node'

import type { Goal } from './shared/difference'
import { parsePartial, parseSuggestResult, SUGGEST, type SuggestionItem, type SuggestParams, type SuggestResult } from './wire'

/** A place in one version of a document. */
export interface Place {
  readonly document: vscode.TextDocument
  readonly version: number
  readonly position: vscode.Position
}

export function samePlace(one: Place | undefined, other: Place): boolean {
  return one?.document === other.document && one.version === other.version && one.position.isEqual(other.position)
}

/** What is known so far. */
export interface Known {
  readonly goals: readonly Goal[]
  readonly suggestions: readonly SuggestionItem[]
}

/**
 * Suggestions for a place, read as ghost text reads it, so that both share one search. `news` is told of all that is
 * known whenever there is more. Resolves with the whole, undefined when it has another shape; throws when it fails.
 */
export async function suggest(
  client: LanguageClient,
  { document, version, position }: Place,
  token: vscode.CancellationToken,
  news: (known: Known) => void,
): Promise<SuggestResult | undefined> {
  const partialResultToken = randomUUID()
  let known: Known = { goals: [], suggestions: [] }
  const parts = client.onProgress(new ProgressType<unknown>(), partialResultToken, (value) => {
    const part = parsePartial(value)
    if (part === undefined) return
    if (part.kind === 'goals') known = { ...known, goals: part.goals }
    else known = { ...known, suggestions: [...known.suggestions, ...part.suggestions] }
    news(known)
  })
  const converter = client.code2ProtocolConverter
  const params: SuggestParams = {
    textDocument: { uri: converter.asUri(document.uri), version },
    position: converter.asPosition(position),
    asTyped: true,
    partialResultToken,
  }
  try {
    return parseSuggestResult(await client.sendRequest(SUGGEST, params, token))
  } finally {
    parts.dispose()
  }
}

/** What is known when it is enough, when all is known, or when time is up. Never throws. */
export async function suggestUntil(
  client: LanguageClient,
  place: Place,
  enough: (known: Known) => boolean,
  limitMs: number,
): Promise<Known> {
  const stop = new CancellationTokenSource()
  const timer = setTimeout(() => {
    stop.cancel()
  }, limitMs)
  let known: Known = { goals: [], suggestions: [] }
  try {
    const whole = await suggest(client, place, stop.token, (news) => {
      known = news
      if (enough(news)) stop.cancel()
    })
    return whole ?? known
  } catch {
    return known
  } finally {
    clearTimeout(timer)
    stop.dispose()
  }
}
