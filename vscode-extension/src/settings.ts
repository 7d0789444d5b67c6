/** Reads the settings under `tacit`. Nothing else reads them, and this module remembers none. */

import * as vscode from 'vscode'

/** The section that the sidecar is sent whole: it reads the settings that are its own, and checks them. */
export const SECTION = 'tacit'

/** How to start the sidecar. An empty path means that the user left the choice to Tacit. */
export interface StartSettings {
  readonly serverPath: string
  readonly serverArgs: readonly string[]
}

export function readStartSettings(): StartSettings {
  const section = vscode.workspace.getConfiguration(SECTION)
  return {
    serverPath: section.get('serverPath', '').trim(),
    serverArgs: section.get<readonly string[]>('serverArgs', ['serve']),
  }
}

/** Everything under `tacit`, as the sidecar gets it when it starts and whenever it changes. */
export function wholeSection(): unknown {
  return vscode.workspace.getConfiguration().get(SECTION)
}

export function inlineSuggestionsEnabled(document: vscode.TextDocument): boolean {
  return vscode.workspace.getConfiguration(SECTION, document).get('inlineSuggestions.enabled', true)
}

export function changesSomething(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(SECTION)
}

/** Whether a change takes effect only in a sidecar that is started again. */
export function changesStart(event: vscode.ConfigurationChangeEvent): boolean {
  return ['serverPath', 'serverArgs'].some((name) => event.affectsConfiguration(`${SECTION}.${name}`))
}

export type Lenses = 'sorry' | 'all' | 'off'

/** Where “Close this goal” is offered above the line. */
export function lenses(): Lenses {
  const chosen = vscode.workspace.getConfiguration(SECTION).get('codeLens')
  return chosen === 'all' || chosen === 'off' ? chosen : 'sorry'
}

export function changesLenses(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(`${SECTION}.codeLens`)
}

/** The Lean that the settings name; empty where Tacit shall find one. */
export function leanPath(): string {
  return vscode.workspace.getConfiguration(SECTION).get('lean.path', '').trim()
}

/** What begins a Unicode abbreviation of the official extension. */
export function abbreviationLeader(): string {
  return vscode.workspace.getConfiguration('lean4.input').get('leader', '\\')
}
