/** The item in the status bar: whether Tacit works, and in its tooltip what Lean, the index and the model are doing. */

import * as vscode from 'vscode'

import { isLean } from './documents'
import type { Neighbour } from './neighbour'
import { type Line, type Status, statusLines } from './shared/status'
import type { Sidecar } from './sidecar'
import { parseStatus, STATUS } from './wire'

const REST_MS = 200
/** How often it is looked at while the user looks at Lean: the model says nothing by itself. */
const LOOK_MS = 5_000
const COMMANDS: readonly (readonly [string, string])[] = [
  ['tacit.closeGoalHere', 'Close this goal'],
  ['tacit.search', 'Search'],
  ['tacit.showSuggestions', 'Suggestions'],
  ['tacit.doctor', 'Doctor'],
  ['tacit.showFigures', 'My figures'],
  ['tacit.restart', 'Restart'],
  ['tacit.showLog', 'Log'],
]

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('tacit.status', vscode.StatusBarAlignment.Right, 90)
  private readonly subscriptions: vscode.Disposable
  private rest: NodeJS.Timeout | undefined
  private closing: string | undefined
  private last: Status | undefined

  constructor(
    private readonly sidecar: Sidecar,
    private readonly neighbour: Neighbour,
  ) {
    this.item.name = 'Tacit'
    const soon = (): void => {
      clearTimeout(this.rest)
      this.rest = setTimeout(() => void this.look(), REST_MS)
    }
    const looking = setInterval(() => {
      if (vscode.window.state.focused && this.wanted) soon()
    }, LOOK_MS)
    this.subscriptions = vscode.Disposable.from(
      this.item,
      sidecar.onDidChangeStatus(soon),
      vscode.window.onDidChangeActiveTextEditor(soon),
      {
        dispose: () => {
          clearInterval(looking)
          clearTimeout(this.rest)
        },
      },
    )
    soon()
  }

  dispose(): void {
    this.subscriptions.dispose()
  }

  /** While a goal is being closed: how far that is. Undefined: it is over. */
  closes(message: string | undefined): void {
    this.closing = message
    this.show()
  }

  private get wanted(): boolean {
    const editor = vscode.window.activeTextEditor
    return editor !== undefined && isLean(editor.document)
  }

  private async look(): Promise<void> {
    const client = this.sidecar.running
    try {
      this.last = client === undefined ? undefined : parseStatus(await client.sendRequest(STATUS, {}))
    } catch {
      this.last = undefined
    }
    this.show()
  }

  /** What the official extension's Lean is doing: it has no part in whether Tacit is busy. */
  private beside(): readonly Line[] {
    const document = vscode.window.activeTextEditor?.document
    const from = document === undefined ? undefined : this.neighbour.elaboratesFrom(document)
    return from === undefined ? [] : [{ name: 'Lean’s own extension', said: `elaborates from line ${(from + 1).toString()} on.`, state: 'busy' }]
  }

  private show(): void {
    const { item, closing } = this
    if (!this.wanted && closing === undefined) {
      item.hide()
      return
    }
    const running = this.sidecar.running !== undefined
    const lines = statusLines(running, this.last)
    const busy = closing !== undefined || lines.some(({ state }) => state === 'busy')
    const broken = lines.some(({ state }) => state === 'broken')
    const far = closing?.split(':')[0] // what stands behind is the goal: the notification has it whole
    item.text = `${broken ? '$(warning)' : busy ? '$(sync~spin)' : '$(pass)'} ${far === undefined ? 'Tacit' : `Tacit: ${far}`}`
    item.command =
      closing === undefined
        ? { command: 'tacit.showStatus', title: 'Show Status' }
        : { command: 'tacit.cancelClosing', title: 'Stop Closing the Goal' }
    if (broken) item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground')
    else item.backgroundColor = undefined
    item.accessibilityInformation = { label: `Tacit. ${lines.map(({ name, said }) => `${name}: ${said}`).join(' ')}` }
    item.tooltip = tooltip([...lines, ...this.beside()], closing !== undefined)
    item.show()
  }
}

const MARKS = { good: '$(pass)', busy: '$(sync~spin)', none: '$(circle-slash)', broken: '$(warning)' } as const

function tooltip(lines: readonly Line[], closing: boolean): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true)
  const commands = closing ? [['tacit.cancelClosing', 'Stop closing the goal'] as const, ...COMMANDS] : COMMANDS
  // Only Tacit's own commands may be run from here, whatever stands in the sentences.
  text.isTrusted = { enabledCommands: commands.map(([command]) => command) }
  text.appendMarkdown('**Tacit** – every tactic shown was checked in Lean\n\n')
  for (const { name, said, state } of lines) {
    text.appendMarkdown(`${MARKS[state]} **${name}** `)
    text.appendText(said)
    text.appendMarkdown('\n\n')
  }
  text.appendMarkdown(`---\n\n${commands.map(([command, title]) => `[${title}](command:${command})`).join(' · ')}`)
  return text
}
