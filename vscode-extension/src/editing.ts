/** Changes documents for the user, each time as one step that Undo takes back whole. */

import * as vscode from 'vscode'

import { isLean } from './documents'
import { importOf } from './shared/header'

/** The Lean editor that the user worked in last. A page in the side bar does not take its place. */
export function leanEditor(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window
  if (activeTextEditor !== undefined && isLean(activeTextEditor.document)) return activeTextEditor
  return visibleTextEditors.find((editor) => isLean(editor.document))
}

/** Puts a name in the place of the selection, and imports a module where the file does not. False when it cannot. */
export async function insertName(editor: vscode.TextEditor, name: string, module: string | undefined): Promise<boolean> {
  const { document, selection } = editor
  // First, so that whoever sees the name there and presses Undo takes back this, and not what is in a page.
  const focused = await focus(document)
  const text = document.getText()
  const added = module === undefined ? undefined : importOf(text, module)
  const start = document.offsetAt(selection.start)
  const before = text.slice(Math.max(0, start - 2), start)
  const after = text.slice(document.offsetAt(selection.end)).slice(0, 2)
  const spaced = `${joins(before.slice(-1)) ? ' ' : ''}${name}${joins(after.slice(0, 1)) ? ' ' : ''}`
  return focused.edit((edit) => {
    if (added !== undefined) edit.insert(document.positionAt(added.offset), added.text)
    edit.replace(selection, spaced)
  })
}

/** Whether a character would become one with a name next to it. */
function joins(character: string): boolean {
  return /[\p{L}\p{N}_'!?)\]}⟩»]/u.test(character)
}

/** Replaces a range, and puts the cursor behind what was put in. False when the document changed since `version`. */
export async function replace(
  document: vscode.TextDocument,
  range: vscode.Range,
  text: string,
  version: number,
): Promise<boolean> {
  if (document.version !== version) return false
  const editor = await focus(document)
  const start = document.offsetAt(range.start)
  const length = document.getText().length - (document.offsetAt(range.end) - start)
  const done = await editor.edit((edit) => {
    edit.replace(range, text)
  })
  if (done) {
    // The line ends that were put in are those of the document, so the length tells where it ends.
    const end = document.positionAt(start + document.getText().length - length)
    editor.selection = new vscode.Selection(end, end)
    editor.revealRange(new vscode.Range(end, end))
  }
  return done
}

export async function focus(document: vscode.TextDocument): Promise<vscode.TextEditor> {
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document)
  return vscode.window.showTextDocument(document, {
    ...(shown?.viewColumn === undefined ? {} : { viewColumn: shown.viewColumn }),
    preserveFocus: false,
  })
}
