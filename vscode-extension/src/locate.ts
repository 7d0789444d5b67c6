/** Finds the program that starts the sidecar. Starts nothing but `python -c 'import …'`, and shows nothing. */

import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { promisify } from 'node:util'

import type { StartSettings } from './settings'

export type Located =
  | { readonly kind: 'Found'; readonly command: string; readonly args: readonly string[] }
  | { readonly kind: 'Missing'; readonly sentence: string }

/** Where a search looks besides the settings. `folder` is what a relative path in the settings is relative to. */
export interface Surroundings {
  readonly path: string
  readonly home: string
  readonly folder: string | undefined
}

const PYTHON_IMPORT_LIMIT_MS = 20_000
// What the console script `tacit` runs. -P keeps Python from importing modules that lie in the user's Lean project.
const PYTHON_ENTRY = ['-P', '-c', 'import sys; from tacit.server.cli import main; sys.exit(main())']

export function surroundings(folder: string | undefined): Surroundings {
  return { path: process.env['PATH'] ?? '', home: homedir(), folder }
}

/** The settings' program, else `tacit` on the PATH or in ~/.local/bin, else a Python that has the package. */
export async function locateSidecar(settings: StartSettings, around: Surroundings): Promise<Located> {
  if (settings.serverPath !== '') {
    const command = await named(settings.serverPath, around)
    if (command !== undefined) return { kind: 'Found', command, args: settings.serverArgs }
    return {
      kind: 'Missing',
      sentence: `The setting tacit.serverPath names ‘${settings.serverPath}’, but there is no such program.`,
    }
  }
  const folders = around.path.split(delimiter)
  const tacit = await onPath('tacit', [...folders, join(around.home, '.local', 'bin')])
  if (tacit !== undefined) return { kind: 'Found', command: tacit, args: ['serve'] }
  for (const name of ['python3', 'python']) {
    const python = await onPath(name, folders)
    if (python !== undefined && (await hasTacit(python))) {
      return { kind: 'Found', command: python, args: [...PYTHON_ENTRY, 'serve'] }
    }
  }
  return {
    kind: 'Missing',
    sentence:
      'Tacit did not find its sidecar: there is no program ‘tacit’ on the PATH. ' +
      'Install the Python package lean-tacit, or say in the settings where the program is.',
  }
}

async function named(text: string, around: Surroundings): Promise<string | undefined> {
  const path = text.replace(/^~(?=$|[\\/])/, around.home)
  if (!/[\\/]/.test(path)) return onPath(path, around.path.split(delimiter))
  const absolute = isAbsolute(path) || around.folder === undefined ? path : resolve(around.folder, path)
  return (await isProgram(absolute)) ? absolute : undefined
}

async function onPath(name: string, folders: readonly string[]): Promise<string | undefined> {
  const file = process.platform === 'win32' && !name.endsWith('.exe') ? `${name}.exe` : name
  for (const folder of folders) {
    if (!isAbsolute(folder)) continue
    const path = join(folder, file)
    if (await isProgram(path)) return path
  }
  return undefined
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

async function hasTacit(python: string): Promise<boolean> {
  try {
    await promisify(execFile)(python, ['-P', '-c', 'import tacit.server.cli'], { timeout: PYTHON_IMPORT_LIMIT_MS })
    return true
  } catch {
    return false
  }
}
