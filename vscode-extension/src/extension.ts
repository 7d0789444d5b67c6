/** Activates: puts the parts together. Nothing else. */

import * as vscode from 'vscode'
import type { Middleware } from 'vscode-languageclient/node'

import { askOnArrival } from './arrival'
import { Commands } from './commands'
import { Figures } from './figures'
import { Ghost } from './ghost'
import { GoalReader } from './goals'
import { Lenses } from './lens'
import { Managed } from './managed'
import { Neighbour } from './neighbour'
import { OtherProofs } from './otherProofs'
import { provideQuickFixes } from './quickFixes'
import { SearchView } from './searchView'
import { changesSomething, changesStart } from './settings'
import { Sidecar } from './sidecar'
import { StatusBar } from './statusBar'
import { SuggestionsView } from './suggestionsView'
import { User } from './user'

let sidecar: Sidecar | undefined

export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri } = context
  const user = new User()
  const figures = new Figures(context.globalState)
  const neighbour = new Neighbour()
  const ghost: Ghost = new Ghost(figures, () => started)
  const managed = new Managed(
    context.globalStorageUri.fsPath,
    vscode.Uri.joinPath(extensionUri, 'sidecar').fsPath,
    String((context.extension.packageJSON as { readonly version: unknown }).version),
  )
  const started = new Sidecar(user, middleware(ghost, neighbour), managed)
  sidecar = started
  const statusBar = new StatusBar(started, neighbour)
  const otherProofs = new OtherProofs()
  context.subscriptions.push(
    user,
    figures,
    ghost,
    started,
    statusBar,
    otherProofs,
    new Commands(extensionUri, started, user, figures, statusBar, otherProofs),
    new Lenses(),
    new SearchView(extensionUri, started, new GoalReader(started, neighbour), figures),
    new SuggestionsView(extensionUri, started, neighbour, figures),
    askOnArrival(started),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesStart(event)) void started.restart()
      else if (changesSomething(event)) void started.configure()
    }),
  )
  void started.restart()
}

export async function deactivate(): Promise<void> {
  await sidecar?.stop()
}

/** What stands between the sidecar's answers and the editor. */
function middleware(ghost: Ghost, neighbour: Neighbour): Middleware {
  return {
    provideInlineCompletionItems: (document, position, context, token, next) =>
      ghost.provide(document, position, context, token, next),
    provideCodeActions: provideQuickFixes,
    // Lean's own server lists the declarations of the workspace: they would all stand there twice.
    provideWorkspaceSymbols: (query, token, next) => (neighbour.present ? [] : next(query, token)),
  }
}
