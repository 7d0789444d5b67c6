/** The sidecar's quick fixes on their way to the screen: they are counted when taken, and on a `sorry` one more is there. */

import * as vscode from 'vscode'
import type { Middleware } from 'vscode-languageclient/node'

import { ACCEPTED } from './ghost'
import { CLOSE_GOAL_HERE } from './lens'
import { sorriesOf } from './sorries'

type Provide = NonNullable<Middleware['provideCodeActions']>

export const provideQuickFixes: Provide = async (document, range, context, token, next) => {
  const actions = (await next(document, range, context, token)) ?? []
  for (const action of actions) {
    if (action instanceof vscode.CodeAction) action.command ??= { command: ACCEPTED, title: 'Count it', arguments: ['quickFix'] }
  }
  if (context.only !== undefined && !context.only.contains(vscode.CodeActionKind.QuickFix)) return actions
  const place = sorryIn(document, range)
  return place === undefined ? actions : [...actions, closeGoal(document, place)]
}

/** The first `sorry` that a range touches. */
function sorryIn(document: vscode.TextDocument, range: vscode.Range): vscode.Position | undefined {
  const from = document.offsetAt(range.start)
  const to = document.offsetAt(range.end)
  const place = sorriesOf(document).find((offset) => offset <= to && offset + 'sorry'.length >= from)
  return place === undefined ? undefined : document.positionAt(place)
}

function closeGoal(document: vscode.TextDocument, place: vscode.Position): vscode.CodeAction {
  const action = new vscode.CodeAction('Close this goal (search for a proof)', vscode.CodeActionKind.QuickFix)
  action.command = { command: CLOSE_GOAL_HERE, title: 'Close This Goal', arguments: [document.uri, place] }
  return action
}
