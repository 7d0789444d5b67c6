/** “Close this goal” above each `sorry`, and, where the settings say so, above goals that Lean says are open. */

import * as vscode from 'vscode'

import { SELECTOR } from './documents'
import { changesLenses, lenses } from './settings'
import { sorriesOf } from './sorries'

export const CLOSE_GOAL_HERE = 'tacit.closeGoalHere'
const UNSOLVED = /^(?:error: )?unsolved goals/u

export class Lenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>()
  readonly onDidChangeCodeLenses = this.changed.event
  private readonly subscriptions: vscode.Disposable

  constructor() {
    const change = (): void => {
      this.changed.fire()
    }
    this.subscriptions = vscode.Disposable.from(
      this.changed,
      vscode.languages.registerCodeLensProvider([...SELECTOR], this),
      vscode.languages.onDidChangeDiagnostics(({ uris }) => {
        if (lenses() === 'all' && uris.some(isShown)) change()
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (changesLenses(event)) change()
      }),
    )
  }

  dispose(): void {
    this.subscriptions.dispose()
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const which = lenses()
    if (which === 'off') return []
    const found = sorriesOf(document).map((offset) => document.positionAt(offset))
    const open = which === 'all' ? unsolved(document.uri) : []
    return [
      ...found.map((position) => lens(document, position, position)),
      ...open.map(({ above, goal }) => lens(document, above, goal)),
    ]
  }
}

function lens(document: vscode.TextDocument, above: vscode.Position, goal: vscode.Position): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(above, above), {
    title: '⊢ Close this goal',
    tooltip: 'Tacit searches for a proof that Lean accepts, and inserts it',
    command: CLOSE_GOAL_HERE,
    arguments: [document.uri, goal],
  })
}

function isShown(uri: vscode.Uri): boolean {
  return vscode.window.visibleTextEditors.some(({ document }) => document.uri.toString() === uri.toString())
}

/** Goals that Lean, in whatever extension, says are left at the end of a proof: where it says so, and where they are. */
function unsolved(uri: vscode.Uri): { above: vscode.Position; goal: vscode.Position }[] {
  return vscode.languages
    .getDiagnostics(uri)
    .filter(({ severity, message }) => severity === vscode.DiagnosticSeverity.Error && UNSOLVED.test(message))
    .map((diagnostic) => ({ above: diagnostic.range.start, goal: wholeRange(diagnostic).end }))
}

/** The official extension keeps what Lean calls the full range: the plain one ends with its first line. */
function wholeRange(diagnostic: vscode.Diagnostic): vscode.Range {
  const { fullRange } = diagnostic as { readonly fullRange?: unknown }
  return fullRange instanceof vscode.Range ? fullRange : diagnostic.range
}
