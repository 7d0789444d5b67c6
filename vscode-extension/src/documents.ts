/** Which documents Tacit works on. */

import type * as vscode from 'vscode'

/** leanprover.lean4 calls the language `lean4`; Lean 3's extension, still used with forks of it, calls it `lean`. */
const LANGUAGES: readonly string[] = ['lean4', 'lean']
const SCHEMES: readonly string[] = ['file', 'untitled']

export const SELECTOR = SCHEMES.flatMap((scheme) => LANGUAGES.map((language) => ({ scheme, language })))

export function isLean(document: vscode.TextDocument): boolean {
  return LANGUAGES.includes(document.languageId) && SCHEMES.includes(document.uri.scheme)
}
