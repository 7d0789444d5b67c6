/** Activates: puts the parts together. Nothing else. */

import * as vscode from 'vscode'

import { askOnArrival } from './arrival'
import { registerCommands } from './commands'
import { changesSomething, changesStart } from './settings'
import { Sidecar } from './sidecar'
import { User } from './user'

let sidecar: Sidecar | undefined

export function activate(context: vscode.ExtensionContext): void {
  const user = new User()
  const started = new Sidecar(user)
  sidecar = started
  context.subscriptions.push(
    user,
    started,
    registerCommands(started, user),
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
