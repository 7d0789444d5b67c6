/** The panel Search: asks the sidecar what the page asks, and does to the editor what the user chooses there. */

import * as vscode from 'vscode'
import { CancellationTokenSource } from 'vscode-languageclient/node'

import type { Place } from './asking'
import { focus, insertName, leanEditor } from './editing'
import type { Figures } from './figures'
import type { GoalReader } from './goals'
import { showPage } from './page'
import { plain } from './shared/lean'
import { parseFromSearch, type FromSearch, type ToSearch } from './shared/messages'
import { reasonOf } from './shared/reason'
import type { Sidecar } from './sidecar'
import { parseSearchResult, SEARCH, type SearchHit, type SearchParams } from './wire'

const VIEW = 'tacit.search'
const MOST_HITS = 30
const NOT_RUNNING = 'Tacit is not running.'
const NO_EDITOR = 'Open a Lean file to insert into.'

export class SearchView implements vscode.WebviewViewProvider, vscode.Disposable {
  private view: vscode.WebviewView | undefined
  private shown: { readonly id: number; readonly hits: readonly SearchHit[]; readonly complete: boolean } | undefined
  private asking: CancellationTokenSource | undefined
  /** The goal that was searched from last: its question, and the place in that version of its document. */
  private goal: (Place & { readonly text: string }) | undefined
  /** What is to be said to a page that is not there yet. */
  private waiting: ToSearch[] = []
  private ready = false
  private readonly subscriptions: vscode.Disposable

  constructor(
    private readonly extension: vscode.Uri,
    private readonly sidecar: Sidecar,
    private readonly goals: GoalReader,
    private readonly figures: Figures,
  ) {
    const again = (): void => {
      if (this.shown?.complete === false) this.tell({ type: 'again' })
    }
    this.subscriptions = vscode.Disposable.from(
      vscode.window.registerWebviewViewProvider(VIEW, this),
      vscode.commands.registerCommand('tacit.search', () => this.open()),
      vscode.commands.registerCommand('tacit.searchFromGoal', () => this.searchFromGoal()),
      sidecar.onDidStart(again),
      sidecar.onDidChangeIndex(again),
    )
  }

  dispose(): void {
    this.subscriptions.dispose()
    this.asking?.dispose()
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view
    this.ready = false
    view.webview.onDidReceiveMessage((message: unknown) => {
      const said = parseFromSearch(message)
      if (said !== undefined) void this.hear(said)
    })
    view.onDidDispose(() => {
      if (this.view === view) this.view = undefined
    })
    showPage(view.webview, this.extension, 'search.js', 'Search')
  }

  private async hear(said: FromSearch): Promise<void> {
    switch (said.type) {
      case 'ready': {
        this.ready = true
        const waiting = this.waiting
        this.waiting = []
        for (const message of waiting) this.tell(message)
        break
      }
      case 'search':
        await this.search(said.id, said.text, said.usableHere)
        break
      case 'insert':
        await this.insert(this.hit(said.answer, said.index), said.withImport)
        break
      case 'definition':
        await this.goTo(this.hit(said.answer, said.index))
        break
      case 'goal':
        await this.searchFromGoal()
        break
      case 'leave':
        await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup')
        break
    }
  }

  private async open(): Promise<void> {
    const editor = leanEditor()
    const selected = editor === undefined ? '' : editor.document.getText(editor.selection).trim()
    await vscode.commands.executeCommand(`${VIEW}.focus`)
    if (selected !== '' && !selected.includes('\n')) this.tell({ type: 'ask', text: selected })
    this.tell({ type: 'focus' })
  }

  private async searchFromGoal(): Promise<void> {
    const editor = leanEditor()
    await vscode.commands.executeCommand(`${VIEW}.focus`)
    if (editor === undefined) {
      this.tell({ type: 'say', sentence: 'Open a Lean file, and put the cursor at a goal.' })
      return
    }
    this.tell({ type: 'say', sentence: 'Looking at the goal …' })
    this.tell({ type: 'focus' })
    const { document, selection } = editor
    const { version } = document
    const goal = await this.goals.at(document, selection.active)
    if (goal === undefined) {
      this.tell({ type: 'say', sentence: 'There is no goal at the cursor.' })
      return
    }
    const text = `⊢ ${plain(goal)}`
    this.goal = { text, document, version, position: selection.active }
    this.tell({ type: 'ask', text })
  }

  private async search(id: number, text: string, usableHere: boolean): Promise<void> {
    this.asking?.cancel()
    const client = this.sidecar.running
    if (client === undefined) {
      this.answer(id, [], NOT_RUNNING, false)
      return
    }
    const asking = new CancellationTokenSource()
    this.asking = asking
    const { goal } = this
    // A question that was edited since, or whose document was, is one of words as any other.
    const place = goal?.text === text && goal.version === goal.document.version && !goal.document.isClosed ? goal : undefined
    const editor = leanEditor()
    const document = place?.document ?? editor?.document
    const position = place?.position ?? editor?.selection.active
    const converter = client.code2ProtocolConverter
    const params: SearchParams = {
      text,
      limit: MOST_HITS,
      usableHere,
      token: VIEW,
      ...(place === undefined ? {} : { fromGoal: true }),
      ...(document === undefined || position === undefined
        ? {}
        : { textDocument: { uri: converter.asUri(document.uri) }, position: converter.asPosition(position) }),
    }
    try {
      const result = parseSearchResult(await client.sendRequest(SEARCH, params, asking.token))
      if (asking.token.isCancellationRequested) return
      if (result === undefined) this.answer(id, [], 'The sidecar answers in words of another version.', true)
      else {
        // For a goal, what cannot be used there is the theorem that it belongs to, or stands below.
        const hits = text.startsWith('⊢') ? result.hits.filter((hit) => hit.usable !== false || hit.needs !== undefined) : result.hits
        const found = `${hits.length.toString()} of ${result.total.toLocaleString('en')} declarations`
        this.answer(id, hits, result.notice || `${found}, ${result.elapsed.toFixed(2)} s`, result.total > 0, place !== undefined)
      }
    } catch (error) {
      if (asking.token.isCancellationRequested) return
      this.answer(id, [], reasonOf(error), false)
    } finally {
      if (this.asking === asking) this.asking = undefined
      asking.dispose()
    }
  }

  /** `complete`: asked again, the answer would be the same. `forGoal`: what is usable at the goal is marked so. */
  private answer(id: number, hits: readonly SearchHit[], sentence: string, complete: boolean, forGoal = false): void {
    this.shown = { id, hits, complete }
    const shown = hits.map((hit) => {
      const { name, kind, statement, doc, needs } = hit
      return { name, kind, where: where(hit, forGoal), statement, doc, needs: needs ?? '' }
    })
    this.tell({ type: 'answer', id, hits: shown, sentence })
  }

  private hit(answer: number, index: number): SearchHit | undefined {
    return this.shown?.id === answer ? this.shown.hits[index] : undefined
  }

  private async insert(hit: SearchHit | undefined, withImport: boolean): Promise<void> {
    if (hit === undefined) return
    const editor = leanEditor()
    if (editor === undefined) this.tell({ type: 'say', sentence: NO_EDITOR })
    else if (await insertName(editor, hit.name, withImport ? hit.needs : undefined)) this.figures.accepted('search')
    else this.tell({ type: 'say', sentence: 'The editor did not take the edit.' })
  }

  private async goTo(hit: SearchHit | undefined): Promise<void> {
    const location = this.sidecar.running?.protocol2CodeConverter.asLocation(hit?.location)
    if (location === undefined) return
    try {
      const document = await vscode.workspace.openTextDocument(location.uri)
      const editor = await focus(document)
      editor.selection = new vscode.Selection(location.range.start, location.range.start)
      editor.revealRange(location.range, vscode.TextEditorRevealType.InCenter)
    } catch {
      this.tell({ type: 'say', sentence: `${location.uri.fsPath} cannot be opened.` })
    }
  }

  private tell(message: ToSearch): void {
    if (this.view !== undefined && this.ready) void this.view.webview.postMessage(message)
    else if (message.type !== 'answer') this.waiting.push(message)
  }
}

function where({ module, usable, needs }: SearchHit, forGoal: boolean): string {
  if (usable !== false) return forGoal && usable === true ? `${module} · usable here` : module
  return needs === undefined ? `${module} · not above the cursor` : `${module} · not imported`
}
