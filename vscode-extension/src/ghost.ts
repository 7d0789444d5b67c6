/** Ghost text on its way from the sidecar to the screen: when it gives way, what is counted, what a hover says of it. */

import * as vscode from 'vscode'
import type { Middleware } from 'vscode-languageclient/node'

import { type Place, samePlace, suggestUntil } from './asking'
import { SELECTOR } from './documents'
import type { Figures } from './figures'
import { abbreviationLeader, inlineSuggestionsEnabled } from './settings'
import { inAbbreviation, plain } from './shared/lean'
import { outcomeInWords, outcomeOf } from './shared/outcome'
import type { Sidecar } from './sidecar'
import { pause } from './waiting'
import type { SuggestionItem } from './wire'

export const ACCEPTED = 'tacit.accepted'
/** What ghost text showed a moment ago is found again at once; longer than this nobody looks at a hover. */
const HOVER_MS = 2_000
const MOST_GOALS = 3
/** From a key until the sidecar is asked. Asked at each key, it and Lean work while the next is drawn, for nothing. */
const TYPING_REST_MS = 150

type Next = Parameters<NonNullable<Middleware['provideInlineCompletionItems']>>[4]

interface Shown extends Place {
  readonly texts: readonly string[]
}

export class Ghost implements vscode.HoverProvider, vscode.Disposable {
  private shown: Shown | undefined
  private readonly edited = new WeakMap<vscode.TextDocument, number>()
  private readonly registrations = vscode.Disposable.from(
    vscode.languages.registerHoverProvider([...SELECTOR], this),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0) this.edited.set(document, Date.now())
    }),
  )

  constructor(
    private readonly figures: Figures,
    private readonly sidecar: () => Sidecar,
  ) {}

  dispose(): void {
    this.registrations.dispose()
  }

  async provide(
    document: vscode.TextDocument,
    position: vscode.Position,
    context: vscode.InlineCompletionContext,
    token: vscode.CancellationToken,
    next: Next,
  ): Promise<Awaited<ReturnType<Next>>> {
    if (!inlineSuggestionsEnabled(document) || yields(document, position, context)) return undefined
    const byItself = context.triggerKind === vscode.InlineCompletionTriggerKind.Automatic
    if (byItself && !(await this.rests(document, token))) return undefined
    const { version } = document
    const answer = await next(document, position, context, token)
    const items = Array.isArray(answer) ? answer : (answer?.items ?? [])
    if (items.length === 0 || token.isCancellationRequested) return answer
    const place = { document, version, position }
    if (!samePlace(this.shown, place)) this.figures.offered('ghost')
    const texts = items.map(({ insertText }) => (typeof insertText === 'string' ? insertText : insertText.value))
    this.shown = { ...place, texts }
    for (const item of items) item.command ??= { command: ACCEPTED, title: 'Count it', arguments: ['ghost'] }
    return answer
  }

  /** Waits until the keys rest. False when there was another one, or nobody wants to know any more. */
  private async rests(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<boolean> {
    const { version } = document
    const rest = (this.edited.get(document) ?? 0) + TYPING_REST_MS - Date.now()
    return rest <= 0 || ((await pause(rest, token)) && document.version === version)
  }

  /** Says what ghost text closes or leaves, over the text that it follows. */
  async provideHover(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | undefined> {
    const { shown } = this
    const client = this.sidecar().running
    if (shown === undefined || client === undefined) return undefined
    if (shown.document !== document || shown.version !== document.version) return undefined
    const range = follows(shown)
    if (!range.contains(position) || !isAtCursor(shown)) return undefined
    const wanted = (items: readonly SuggestionItem[]): SuggestionItem[] =>
      shown.texts.flatMap((text) => items.filter(({ tactic }) => plain(text).endsWith(plain(tactic))).slice(0, 1))
    const known = await suggestUntil(
      client,
      shown,
      ({ suggestions }) => wanted(suggestions).length === shown.texts.length,
      HOVER_MS,
    )
    const found = wanted(known.suggestions)
    if (found.length === 0 || token.isCancellationRequested) return undefined
    return new vscode.Hover(found.map(inWords), range)
  }
}

/** Whether others come first here: a list of completions that is open, or an abbreviation that Tab will end. */
function yields(document: vscode.TextDocument, position: vscode.Position, context: vscode.InlineCompletionContext): boolean {
  if (context.selectedCompletionInfo !== undefined) return true
  const before = document.lineAt(position.line).text.slice(0, position.character)
  return inAbbreviation(before, abbreviationLeader())
}

/** The word before the ghost text, and all blanks around. */
function follows({ document, position }: Shown): vscode.Range {
  const before = document.lineAt(position.line).text.slice(0, position.character)
  const word = /\S*\s*$/u.exec(before)?.[0].length ?? 0
  return new vscode.Range(position.translate(0, -word), position)
}

function isAtCursor({ document, position }: Shown): boolean {
  const editor = vscode.window.visibleTextEditors.find((each) => each.document === document)
  return editor?.selection.active.isEqual(position) === true
}

function inWords(item: SuggestionItem): vscode.MarkdownString {
  const { tactic, goals, source, note } = item
  const text = new vscode.MarkdownString()
  text.appendCodeblock(tactic, 'lean4')
  text.appendText(`${outcomeInWords(outcomeOf(item), goals.length)} · Tacit, ${source}`)
  if (note !== '') text.appendText(`. ${note}`)
  for (const goal of goals.slice(0, MOST_GOALS)) text.appendCodeblock(goal.text, 'lean4')
  return text
}
