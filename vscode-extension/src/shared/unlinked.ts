/** Keeps a text what it is. Pure. */

/**
 * VS Code makes links of `[this](command:…)` in its messages, and a click on one runs the command with any arguments.
 * What Lean, a project or the sidecar says is text: here none of it reads as a link any more.
 */
export function unlinked(text: string): string {
  return text.replaceAll('](', '] (')
}
