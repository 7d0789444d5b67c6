/** The panel Suggestions: follows the cursor, and shows every checked tactic for the goal there. Idle while hidden. */

import * as vscode from 'vscode'
import { CancellationTokenSource, type LanguageClient, LSPErrorCodes, ResponseError } from 'vscode-languageclient/node'

import { type Place, samePlace, suggest } from './asking'
import { isLean } from './documents'
import { leanEditor, replace } from './editing'
import type { Figures } from './figures'
import type { Neighbour } from './neighbour'
import { showPage } from './page'
import { difference, type Goal, hypothesisText } from './shared/difference'
import { parseFromSuggestions, type FromSuggestions, type Outcome, type ShownSuggestion, type ToSuggestions } from './shared/messages'
import { outcomeOf } from './shared/outcome'
import { reasonOf } from './shared/reason'
import type { Sidecar } from './sidecar'
import type { SuggestionItem } from './wire'

const VIEW = 'tacit.suggestions'
const PAUSED = 'tacit.suggestionsPaused'
/** Long enough that moving through a file asks nothing, and that ghost text is asked for first. */
const REST_MS = 350
const NO_EDITOR = 'Put the cursor at a goal of a Lean file.'
const GIVES_WAY = 'Lean is still elaborating what stands above the cursor …'
const LOOKING = 'Looking at the goal …'
const NOTHING = 'Nothing that was tried closes the goal or makes progress.'

/** One question for a place, and what is known of it so far. */
interface Round extends Place {
  readonly number: number
  readonly cancel: CancellationTokenSource
  goals: readonly Goal[]
  items: readonly SuggestionItem[]
  sentence: string
  working: boolean
}

export class SuggestionsView implements vscode.WebviewViewProvider, vscode.Disposable {
  private view: vscode.WebviewView | undefined
  private ready = false
  private paused = false
  private rounds = 0
  private round: Round | undefined
  private rest: NodeJS.Timeout | undefined
  /** What each suggestion leaves, against the goal before: more suggestions come one by one, and these stay. */
  private readonly compared = new WeakMap<SuggestionItem, { readonly before: Goal; readonly shown: ShownSuggestion }>()
  private readonly subscriptions: vscode.Disposable

  constructor(
    private readonly extension: vscode.Uri,
    private readonly sidecar: Sidecar,
    private readonly neighbour: Neighbour,
    private readonly figures: Figures,
  ) {
    const follow = (): void => {
      this.follow()
    }
    this.subscriptions = vscode.Disposable.from(
      vscode.window.registerWebviewViewProvider(VIEW, this),
      vscode.commands.registerCommand('tacit.showSuggestions', () => vscode.commands.executeCommand(`${VIEW}.focus`)),
      vscode.commands.registerCommand('tacit.pauseSuggestions', () => this.pause(true)),
      vscode.commands.registerCommand('tacit.followSuggestions', () => this.pause(false)),
      vscode.window.onDidChangeActiveTextEditor(follow),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (isLean(textEditor.document)) this.follow()
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (document === this.round?.document && contentChanges.length > 0) this.follow()
      }),
      sidecar.onDidStart(follow),
    )
  }

  dispose(): void {
    this.subscriptions.dispose()
    this.stop()
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view
    this.ready = false
    view.webview.onDidReceiveMessage((message: unknown) => {
      const said = parseFromSuggestions(message)
      if (said !== undefined) void this.hear(said)
    })
    view.onDidChangeVisibility(() => {
      if (view.visible) this.follow()
      else this.stop()
    })
    view.onDidDispose(() => {
      if (this.view !== view) return
      this.view = undefined
      this.stop()
    })
    showPage(view.webview, this.extension, 'suggestions.js', 'Suggestions')
  }

  private async hear(said: FromSuggestions): Promise<void> {
    switch (said.type) {
      case 'ready':
        this.ready = true
        this.show()
        this.follow()
        break
      case 'insert': {
        const item = this.round?.number === said.round ? this.shown(this.round)[said.index] : undefined
        if (item !== undefined && this.round !== undefined) await this.insert(this.round, item)
        break
      }
      case 'leave':
        await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup')
        break
    }
  }

  private async pause(paused: boolean): Promise<void> {
    this.paused = paused
    await vscode.commands.executeCommand('setContext', PAUSED, paused)
    if (this.view !== undefined) this.view.description = paused ? 'paused' : ''
    if (!paused) this.follow()
  }

  /** Asks again when the cursor has come to rest, where somebody would see the answer. */
  private follow(): void {
    clearTimeout(this.rest)
    if (this.paused || this.view?.visible !== true) return
    this.rest = setTimeout(() => {
      const editor = leanEditor()
      if (editor === undefined) {
        this.stop()
        this.round = undefined
        this.show()
      } else this.ask(editor)
    }, REST_MS)
  }

  private stop(): void {
    clearTimeout(this.rest)
    this.round?.cancel.cancel()
  }

  private ask({ document, selection }: vscode.TextEditor): void {
    const client = this.sidecar.running
    const place: Place = { document, version: document.version, position: selection.active }
    const goesOn = samePlace(this.round, place) && this.round?.cancel.token.isCancellationRequested === false
    if (client === undefined || goesOn) return
    this.stop()
    this.rounds += 1
    const round: Round = {
      number: this.rounds,
      ...place,
      cancel: new CancellationTokenSource(),
      goals: [],
      items: [],
      sentence: this.neighbour.elaborates(document, place.position) ? GIVES_WAY : LOOKING,
      working: true,
    }
    this.round = round
    this.show()
    void this.run(client, round)
  }

  private async run(client: LanguageClient, round: Round): Promise<void> {
    try {
      await this.neighbour.passes(round.document, round.position, round.cancel.token)
      if (round.sentence === GIVES_WAY) round.sentence = LOOKING
      const result = await suggest(client, round, round.cancel.token, (known) => {
        round.goals = known.goals
        round.items = known.suggestions
        round.sentence = 'Checking tactics …'
        this.update(round)
      })
      if (result === undefined) round.sentence = 'The sidecar answers in words of another version.'
      else {
        round.goals = result.goals
        round.items = result.suggestions
        const tried = `${result.checked.toString()} tried in ${result.elapsed.toFixed(1)} s.`
        const nothing = result.suggestions.length === 0 ? NOTHING : ''
        if (result.goals.length === 0) round.sentence = result.notice || 'There is no goal at the cursor.'
        else round.sentence = [nothing, tried, result.notice].filter((part) => part !== '').join(' ')
      }
    } catch (error) {
      round.sentence = sentenceOf(error, round.sentence)
    } finally {
      round.working = false
      this.update(round)
    }
  }

  private update(round: Round): void {
    if (round === this.round) this.show()
  }

  /** What is shown of a round, in this order: what closes the goal first. */
  private shown({ items }: Round): readonly SuggestionItem[] {
    const rank: Readonly<Record<Outcome, number>> = { closes: 0, closesHere: 1, leaves: 2 }
    const last = new Map(items.map((item) => [JSON.stringify(item.edit), item]))
    return [...last.values()].sort((a, b) => rank[outcomeOf(a)] - rank[outcomeOf(b)])
  }

  private show(): void {
    if (this.view === undefined || !this.ready) return
    const { round } = this
    const [before, ...others] = round?.goals ?? []
    const news: ToSuggestions = {
      type: 'show',
      round: round?.number ?? 0,
      sentence: round?.sentence ?? NO_EDITOR,
      working: round?.working ?? false,
      hypotheses: before?.hypotheses.map(hypothesisText) ?? [],
      target: before?.target ?? '',
      more: others.length,
      suggestions: round === undefined || before === undefined ? [] : this.shown(round).map((item) => this.against(before, item)),
    }
    void this.view.webview.postMessage(news)
  }

  private against(before: Goal, item: SuggestionItem): ShownSuggestion {
    const known = this.compared.get(item)
    if (known?.before === before) return known.shown
    const shown = show(before, item)
    this.compared.set(item, { before, shown })
    return shown
  }

  private async insert(round: Round, item: SuggestionItem): Promise<void> {
    const range = this.sidecar.running?.protocol2CodeConverter.asRange(item.edit.range)
    if (range === undefined) return
    if (await replace(round.document, range, item.edit.newText, item.version)) this.figures.accepted('panel')
    else {
      round.sentence = 'The document changed in the meantime, so nothing was inserted.'
      this.update(round)
    }
  }
}

function show(before: Goal, item: SuggestionItem): ShownSuggestion {
  return {
    tactic: item.tactic,
    outcome: outcomeOf(item),
    goals: item.goals.map((goal) => difference(before, goal)),
    source: item.source,
    seconds: item.elapsed,
    note: item.note,
  }
}

/** What to say of a request that failed. One that was ended for a newer one leaves what was found on the screen. */
function sentenceOf(error: unknown, before: string): string {
  if (error instanceof ResponseError) {
    const quiet: readonly number[] = [LSPErrorCodes.RequestCancelled, LSPErrorCodes.ContentModified]
    if (quiet.includes(error.code)) return before
    if (error.code === LSPErrorCodes.ServerCancelled) return 'Ended for a newer request; move the cursor to ask again.'
  }
  return reasonOf(error)
}
