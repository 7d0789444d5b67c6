/** Where a document has a `sorry`: lenses and quick fixes ask for the same at each change, and it is read once. */

import type * as vscode from 'vscode'

import { sorries } from './shared/lean'

const known = new WeakMap<vscode.TextDocument, { readonly version: number; readonly places: readonly number[] }>()

/** The offset of each, in the document as it stands. */
export function sorriesOf(document: vscode.TextDocument): readonly number[] {
  const { version } = document
  const before = known.get(document)
  if (before?.version === version) return before.places
  const places = sorries(document.getText())
  known.set(document, { version, places })
  return places
}
