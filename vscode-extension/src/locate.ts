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
  /** `chosen`: the settings name one, and it is not there. */
  | { readonly kind: 'Missing'; readonly sentence: string; readonly chosen: boolean }

/** Where a search looks besides the settings. `folder` is what a relative path in the settings is relative to. */
export interface Surroundings {
  readonly path: string
  readonly home: string
  readonly folder: string | undefined
  /** The program of the extension's own environment, where there is one. */
  readonly managed: string | undefined
}

const PYTHON_IMPORT_LIMIT_MS = 20_000
// What the console script `tacit` runs. -P keeps Python from importing modules that lie in the user's Lean project.
const PYTHON_ENTRY = ['-P', '-c', 'import sys; from tacit.server.cli import main; sys.exit(main())']

export function surroundings(folder: string | undefined, managed: string | undefined): Surroundings {
  return { path: process.env['PATH'] ?? '', home: homedir(), folder, managed }
}

/**
 * The settings' program, else `tacit` on the PATH or in ~/.local/bin, else the extension's own environment, else a
 * Python that has the package.
 */
export async function locateSidecar(settings: StartSettings, around: Surroundings): Promise<Located> {
  if (settings.serverPath !== '') {
    const command = await named(settings.serverPath, around)
    if (command !== undefined) return { kind: 'Found', command, args: settings.serverArgs }
    return {
      kind: 'Missing',
      sentence: `The setting tacit.serverPath names ‘${settings.serverPath}’, but there is no such program.`,
      chosen: true,
    }
  }
  const tacit = (await onPath('tacit', [around.path, join(around.home, '.local', 'bin')].join(delimiter))) ?? around.managed
  if (tacit !== undefined) return { kind: 'Found', command: tacit, args: ['serve'] }
  for (const name of ['python3', 'python']) {
    const python = await onPath(name, around.path)
    if (python !== undefined && (await hasTacit(python))) {
      return { kind: 'Found', command: python, args: [...PYTHON_ENTRY, 'serve'] }
    }
  }
  return {
    kind: 'Missing',
    sentence:
      'Tacit did not find its sidecar: there is no program ‘tacit’ on the PATH. ' +
      'Install the Python package lean-tacit, or say in the settings where the program is.',
    chosen: false,
  }
}

async function named(text: string, around: Surroundings): Promise<string | undefined> {
  const path = text.replace(/^~(?=$|[\\/])/, around.home)
  if (!/[\\/]/.test(path)) return onPath(path, around.path)
  const absolute = isAbsolute(path) || around.folder === undefined ? path : resolve(around.folder, path)
  return (await isProgram(absolute)) ? absolute : undefined
}

/** A program of this name in the folders of a PATH; undefined where there is none. */
export async function onPath(name: string, path: string): Promise<string | undefined> {
  const file = process.platform === 'win32' && !name.endsWith('.exe') ? `${name}.exe` : name
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const program = join(folder, file)
    if (await isProgram(program)) return program
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
