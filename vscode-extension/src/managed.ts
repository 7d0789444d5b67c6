/**
 * A Python environment of the extension's own, in its storage: the sidecar for those who have installed none.
 * What goes in comes with the extension (the sidecar's wheel, and the hashes of what it needs); what it needs is
 * fetched by pip from the package index that the user's pip is set up for, and checked against those hashes. What runs
 * the local model is published as source alone: it is built, where there is a compiler, by the script that `make` runs.
 */

import { execFile, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { constants as constantsOfSystem, setPriority } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

import { onPath } from './locate'
import { reasonOf } from './shared/reason'

/** What became of setting up. */
export type SetUp =
  | { readonly kind: 'Ready'; readonly program: string }
  | { readonly kind: 'Cancelled' }
  | { readonly kind: 'Failed'; readonly sentence: string }

const PYTHONS: readonly string[] = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python']
const LOOKS = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
const LOOK_LIMIT_MS = 20_000
const NO_PYTHON =
  'Tacit needs Python 3.11 or later with venv to set itself up, and there is none on the PATH ' +
  '(on Debian and Ubuntu: apt install python3-venv).'
const WINDOWS = process.platform === 'win32'

const NOT_OURS =
  'The local model can be set up where Tacit has set up its sidecar itself; beside a sidecar of your own, install ' +
  'llama-cpp-python in its environment.'

class Failure extends Error {}

export class Managed {
  private readonly environment: string
  private readonly mark: string
  private readonly lock: string

  /** `storage`: a folder that may be written. `parts`: the folder that came with the extension. */
  constructor(
    private readonly storage: string,
    private readonly parts: string,
    private readonly version: string,
  ) {
    this.environment = join(storage, 'sidecar')
    this.mark = join(storage, 'sidecar.ready')
    this.lock = join(storage, 'sidecar.lock')
  }

  /** The program of an environment that was set up for this version of the extension; undefined where there is none. */
  async program(): Promise<string | undefined> {
    if ((await this.state()) !== 'ready') return undefined
    return this.inEnvironment('tacit')
  }

  /** Whether the user had let an older version set itself up: this one may do the same without asking. */
  async isOutdated(): Promise<boolean> {
    return (await this.state()) === 'outdated'
  }

  /** Whether the extension came with what there is to set up. */
  async isPossible(): Promise<boolean> {
    return (await this.wheel()) !== undefined
  }

  /** Makes the environment anew. Never throws. */
  async setUp(path: string, report: (message: string) => void, stop: AbortSignal): Promise<SetUp> {
    let locked = false
    try {
      await mkdir(this.storage, { recursive: true })
      await this.take()
      locked = true
      report('looking for Python')
      const python = await findPython(path)
      const wheel = await this.wheel()
      if (python === undefined) throw new Failure(NO_PYTHON)
      if (wheel === undefined) throw new Failure('This extension came without its sidecar.')
      await rm(this.mark, { force: true })
      await rm(this.environment, { recursive: true, force: true })
      report('making a Python environment')
      // -I: Python takes no module from the current folder, nor what the user's variables name.
      await run(python, ['-I', '-m', 'venv', this.environment], report, stop)
      const pip = ['-I', '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off']
      const own = this.inEnvironment('python')
      const locks = (await readdir(this.parts)).filter((name) => name.endsWith('.lock')).sort()
      for (const lock of locks) {
        const words = ['--require-hashes', ...(lock === 'runtime.lock' ? [] : ['--no-deps']), '-r', join(this.parts, lock)]
        await run(own, [...pip, ...words], report, stop)
      }
      report('installing the sidecar')
      await run(own, [...pip, '--no-deps', '--no-index', wheel], report, stop)
      await run(own, ['-I', '-c', 'import tacit.server.cli'], report, stop)
      await writeFile(this.mark, this.version, 'utf8')
      return { kind: 'Ready', program: this.inEnvironment('tacit') }
    } catch (error) {
      if (stop.aborted) return { kind: 'Cancelled' }
      const reason = reasonOf(error)
      return { kind: 'Failed', sentence: error instanceof Failure ? reason : `Tacit could not set up its sidecar: ${reason}` }
    } finally {
      if (locked) await rm(this.lock, { force: true })
    }
  }

  /** Whether the extension came with what builds the runner of the local model. */
  async hasModel(): Promise<boolean> {
    return exists(this.modelScript)
  }

  /** Builds what runs the local model into the environment that was set up: minutes, once a machine. Never throws. */
  async setUpModel(again: string, report: (message: string) => void, stop: AbortSignal): Promise<SetUp> {
    let locked = false
    try {
      const program = await this.program()
      if (program === undefined) throw new Failure(NOT_OURS)
      if (!(await this.hasModel())) throw new Failure('This extension came without what builds llama.cpp.')
      await this.take()
      locked = true
      report('looking for a compiler, then building llama.cpp (some minutes, once)')
      await run(this.inEnvironment('python'), ['-I', this.modelScript, '--again'], report, stop, { TACIT_MODEL_AGAIN: again })
      return { kind: 'Ready', program }
    } catch (error) {
      return stop.aborted ? { kind: 'Cancelled' } : { kind: 'Failed', sentence: reasonOf(error) }
    } finally {
      if (locked) await rm(this.lock, { force: true })
    }
  }

  private get modelScript(): string {
    return join(this.parts, 'model', 'install_model.py')
  }

  private async state(): Promise<'none' | 'outdated' | 'ready'> {
    try {
      const version = await readFile(this.mark, 'utf8')
      await access(this.inEnvironment('tacit'), constants.X_OK)
      return version === this.version ? 'ready' : 'outdated'
    } catch {
      return 'none'
    }
  }

  /** Keeps other windows out. A lock whose process is gone is no lock. */
  private async take(): Promise<void> {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const file = await open(this.lock, 'wx')
        await file.writeFile(process.pid.toString(), 'utf8')
        await file.close()
        return
      } catch {
        const holder = Number(await readFile(this.lock, 'utf8').catch(() => ''))
        if (isAlive(holder)) break
        await rm(this.lock, { force: true })
      }
    }
    throw new Failure('Another window is setting Tacit up; when it is done, choose Tacit: Restart the Sidecar here.')
  }

  private async wheel(): Promise<string | undefined> {
    try {
      const name = (await readdir(this.parts)).find((each) => each.endsWith('.whl'))
      return name === undefined ? undefined : join(this.parts, name)
    } catch {
      return undefined
    }
  }

  private inEnvironment(name: string): string {
    return WINDOWS ? join(this.environment, 'Scripts', `${name}.exe`) : join(this.environment, 'bin', name)
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function findPython(path: string): Promise<string | undefined> {
  for (const name of PYTHONS) {
    const python = await onPath(name, path)
    if (python === undefined) continue
    try {
      await promisify(execFile)(python, ['-I', '-c', LOOKS], { timeout: LOOK_LIMIT_MS })
      return python
    } catch {
      continue
    }
  }
  return undefined
}

/** Runs a program to its end; what it says is reported line by line. Throws when it fails or is stopped. */
async function run(
  program: string,
  args: readonly string[],
  report: (message: string) => void,
  stop: AbortSignal,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(program, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stop,
    killSignal: 'SIGINT', // as from a terminal: what it has begun is cleared away
    detached: !WINDOWS, // a group of its own, so that a compiler that it runs ends too
    windowsHide: true,
    env: { ...process.env, ...variables },
  })
  const { pid } = child
  if (pid !== undefined) yieldToTheEditor(pid)
  stop.addEventListener('abort', () => {
    if (pid !== undefined) endGroup(pid)
  })
  let last = ''
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      const said = line.trim()
      if (said === '') return
      if (/^error/iu.test(said) || !/^error/iu.test(last)) last = said
      const news = brief(said)
      if (news !== undefined) report(news)
    })
  }
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(last || `${program} ended with status ${String(code)}`))
    })
  })
}

/** What is set up is not waited for by the keys that the user strikes meanwhile. */
function yieldToTheEditor(pid: number): void {
  try {
    setPriority(pid, constantsOfSystem.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

function endGroup(pid: number): void {
  try {
    if (!WINDOWS) process.kill(-pid, 'SIGINT')
  } catch {
    // It has ended already.
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** A line of pip's as it fits into a notification; undefined for what tells a user nothing. */
export function brief(line: string): string | undefined {
  const fetched = /^(?:Collecting|Downloading|Using cached|Processing)\s+(?:\S*\/)?([^\s=<>!~;[(]+)/u.exec(line)?.[1]
  if (fetched !== undefined) return `fetching ${fetched.replace(/-\d.*$/u, '')}`
  if (line.startsWith('Building wheel')) return 'building what it needs'
  return line.startsWith('Installing collected packages') ? 'installing what it needs' : undefined
}
