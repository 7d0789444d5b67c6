/** Other proofs than the one that was put in: offered where that stands, for as long as it stands there unchanged. */

import * as vscode from 'vscode'

import { SELECTOR } from './documents'
import { replace } from './editing'
import type { ProofItem } from './wire'

const OTHER_PROOFS = 'tacit.otherProofs'
const WHEN = 'tacit.hasOtherProofs'

interface Choice {
  readonly document: vscode.TextDocument
  /** Where the chosen proof begins; it goes on for as long as its text does. */
  readonly start: vscode.Position
  readonly proofs: readonly ProofItem[]
  readonly chosen: number
}

export class OtherProofs implements vscode.CodeActionProvider, vscode.Disposable {
  private choice: Choice | undefined
  private readonly subscriptions: vscode.Disposable

  constructor() {
    const kinds = { providedCodeActionKinds: [vscode.CodeActionKind.RefactorRewrite] }
    this.subscriptions = vscode.Disposable.from(
      vscode.commands.registerCommand(OTHER_PROOFS, () => this.choose()),
      vscode.languages.registerCodeActionsProvider([...SELECTOR], this, kinds),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document === this.choice?.document && this.place() === undefined) this.forget()
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document === this.choice?.document) this.forget()
      }),
    )
  }

  dispose(): void {
    this.subscriptions.dispose()
  }

  /** A goal was closed: `proofs` are all that were found, the first of which stands in `range`. */
  found(document: vscode.TextDocument, range: vscode.Range, proofs: readonly ProofItem[]): void {
    this.choice = { document, start: range.start, proofs, chosen: 0 }
    if (this.place() === undefined) this.forget()
    else void vscode.commands.executeCommand('setContext', WHEN, true)
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    const place = document === this.choice?.document ? this.place() : undefined
    if (place?.intersection(range) === undefined || this.choice === undefined) return []
    const title = `Other proofs (${(this.choice.proofs.length - 1).toString()})`
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.RefactorRewrite)
    action.command = { command: OTHER_PROOFS, title }
    return [action]
  }

  private async choose(): Promise<void> {
    const { choice } = this
    if (choice === undefined) return
    const items = choice.proofs.map((proof, number) => ({
      label: proof.tactic.split('\n')[0] ?? '',
      description: number === choice.chosen ? 'what stands there' : '',
      detail: proof.tactic.includes('\n') ? proof.tactic.split('\n').slice(1).join(' ⏎ ') : '',
      number,
    }))
    const picked = await vscode.window.showQuickPick(
      items.filter(({ number }) => number !== choice.chosen),
      { title: 'Tacit: other proofs found', placeHolder: 'Each was accepted by Lean in this place' },
    )
    const place = this.place()
    const proof = picked === undefined ? undefined : choice.proofs[picked.number]
    if (picked === undefined || proof === undefined || place === undefined || this.choice !== choice) return
    // Set before the edit: the change that it makes is looked at meanwhile.
    this.choice = { ...choice, chosen: picked.number }
    if (!(await replace(choice.document, place, proof.newText, choice.document.version))) this.choice = choice
  }

  /** Where the chosen proof stands; undefined where it does no more. */
  private place(): vscode.Range | undefined {
    const { document, start, proofs, chosen } = this.choice ?? {}
    const text = chosen === undefined ? undefined : proofs?.[chosen]?.newText
    if (document === undefined || start === undefined || text === undefined) return undefined
    const shown = document.eol === vscode.EndOfLine.CRLF ? text.replace(/\n/gu, '\r\n') : text
    const range = new vscode.Range(start, document.positionAt(document.offsetAt(start) + shown.length))
    return document.getText(range) === shown ? range : undefined
  }

  private forget(): void {
    this.choice = undefined
    void vscode.commands.executeCommand('setContext', WHEN, false)
  }
}
