/** Where an editor keeps what the extension stored, and what of it goes with the extension. No editor is asked: none runs. */

import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const ID = 'lean-tacit.tacit'
/** What `managed.ts` makes. */
const OURS: readonly string[] = ['sidecar', 'sidecar.ready', 'sidecar.lock']

/** By the folder that extensions lie in: the data folder of that editor. */
const EDITORS: Readonly<Record<string, string>> = {
  '.vscode': 'Code',
  '.vscode-insiders': 'Code - Insiders',
  '.vscode-oss': 'VSCodium',
  '.cursor': 'Cursor',
  '.windsurf': 'Windsurf',
}

/**
 * The storage of the extension in the editor that it was installed in, told from its own folder:
 * `~/.vscode/extensions/lean-tacit.tacit-0.1.0` is Code's. A server (`~/.vscode-server/extensions/…`,
 * `~/.local/share/code-server/extensions/…`) keeps its data beside them.
 */
export function storages(
  extension: string,
  home: string,
  platform: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const extensions = dirname(extension)
  const editor = dirname(extensions)
  if (basename(extensions) !== 'extensions' || !basename(extension).startsWith(ID)) return []
  const beside = [join(editor, 'data'), editor].map((data) => join(data, 'User', 'globalStorage', ID))
  const name = EDITORS[basename(editor)]
  if (name === undefined) return beside
  const base = {
    darwin: join(home, 'Library', 'Application Support'),
    win32: environment['APPDATA'] ?? join(home, 'AppData', 'Roaming'),
  }[platform]
  const data = base ?? environment['XDG_CONFIG_HOME'] ?? join(home, '.config')
  return [...beside, join(data, name, 'User', 'globalStorage', ID)]
}

/** Removes what the extension made there, and the folder if nothing else is in it. Follows no link; never throws. */
export async function removeEnvironment(storage: string): Promise<void> {
  try {
    if (!(await lstat(storage)).isDirectory()) return
    for (const name of OURS) await rm(join(storage, name), { recursive: true, force: true, maxRetries: 3 })
    if ((await readdir(storage)).length === 0) await rmdir(storage)
  } catch {
    // There is none, or it may not be removed: nobody is there who could be told.
  }
}
