/**
 * Asks for ghost text when the cursor arrives at a place where a tactic is expected, and when the sidecar arrives
 * while it stands there. VS Code itself asks only after typing. Knows of Lean only what such a place looks like.
 */

import * as vscode from 'vscode'

import { isLean } from './documents'
import { inlineSuggestionsEnabled } from './settings'
import type { Sidecar } from './sidecar'

/** Long enough that holding an arrow key down asks nothing on the way. */
const REST_MS = 250
/** A typed character is first an edit and then a move of the cursor, some milliseconds apart. VS Code has asked then. */
const SAME_KEY_MS = 500
const EXPECTS_TACTIC = /(?:\bby|:=|=>|·|<;>)[ \t]*$|^[ \t]+$/u

export function askOnArrival(sidecar: Sidecar): vscode.Disposable {
  const edited = new WeakMap<vscode.TextDocument, number>()
  let afterMove: NodeJS.Timeout | undefined
  let afterStart: NodeJS.Timeout | undefined
  const edits = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    if (contentChanges.length > 0) edited.set(document, Date.now())
  })
  const moves = vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
    clearTimeout(afterMove)
    const { document } = textEditor
    if (!isLean(document)) return
    const editedAt = edited.get(document)
    edited.delete(document)
    const typed = editedAt !== undefined && Date.now() - editedAt < SAME_KEY_MS
    if (typed || kind === vscode.TextEditorSelectionChangeKind.Command) return
    afterMove = setTimeout(() => {
      if (sidecar.running !== undefined) ask(false)
    }, REST_MS)
  })
  const starts = sidecar.onDidStart(() => {
    clearTimeout(afterStart)
    // Not at once: the last key before the start may not have reached this process yet.
    afterStart = setTimeout(() => {
      // Not explicit, VS Code would remember that nobody had an answer here a moment ago, and ask nobody.
      ask(true)
    }, REST_MS)
  })
  return vscode.Disposable.from(edits, moves, starts, {
    dispose: () => {
      clearTimeout(afterMove)
      clearTimeout(afterStart)
    },
  })
}

function ask(explicit: boolean): void {
  const editor = vscode.window.activeTextEditor
  if (editor === undefined || !isLean(editor.document)) return
  if (!inlineSuggestionsEnabled(editor.document) || !expectsTactic(editor)) return
  void vscode.commands.executeCommand('editor.action.inlineSuggest.trigger', { explicit })
}

/** Whether a lone cursor stands at the end of a line that a tactic may continue. */
function expectsTactic({ document, selections }: vscode.TextEditor): boolean {
  const [selection] = selections
  if (selection === undefined || selections.length > 1 || !selection.isEmpty) return false
  const line = document.lineAt(selection.active).text
  const before = line.slice(0, selection.active.character)
  return EXPECTS_TACTIC.test(before) && line.slice(before.length).trim() === ''
}
