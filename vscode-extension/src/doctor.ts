/** The command Doctor: lets the sidecar's program look around, and shows what it found. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import * as vscode from 'vscode'

import { escaped, showStatic } from './page'
import { leanPath } from './settings'
import { isRecord, isText, list } from './shared/check'
import type { Sidecar } from './sidecar'

/** It starts Lean and checks a theorem, which may take half a minute by its own limit. */
const LIMIT_MS = 120_000
const MOST_BYTES = 1_000_000

function mark(ok: boolean | null): readonly [string, string, string] {
  if (ok === null) return ['how', '–', 'not here']
  return ok ? ['good', '✓', 'works'] : ['bad', '✗', 'does not work']
}

interface Finding {
  readonly name: string
  readonly ok: boolean | null
  readonly said: string
  readonly how: string
}

interface Report {
  readonly works: boolean
  readonly version: string
  readonly findings: readonly Finding[]
}

/** Runs the doctor and shows its report. Throws when there is none. */
export async function showDoctor(extension: vscode.Uri, sidecar: Sidecar): Promise<void> {
  const report = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: 'Tacit: looking around', cancellable: true },
    async (_, token) => examine(sidecar, token),
  )
  if (report === undefined) return
  const panel = vscode.window.createWebviewPanel('tacit.doctorReport', 'Tacit: Doctor', vscode.ViewColumn.Active)
  showStatic(panel.webview, extension, 'Doctor', html(report))
}

/** Undefined when the user had enough of waiting. */
async function examine(sidecar: Sidecar, token: vscode.CancellationToken): Promise<Report | undefined> {
  const command = await sidecar.program('doctor')
  if (command === undefined) throw new Error('the settings start the sidecar in a way of their own, without `serve`')
  const [program, ...args] = command
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath
  const lean = leanPath()
  const stop = new AbortController()
  const cancelling = token.onCancellationRequested(() => {
    stop.abort()
  })
  try {
    const words = [...args, '--json', ...(lean === '' ? [] : ['--lean', lean]), ...(folder === undefined ? [] : [folder])]
    const { stdout } = await promisify(execFile)(program, words, {
      ...(folder === undefined ? {} : { cwd: folder }),
      timeout: LIMIT_MS,
      maxBuffer: MOST_BYTES,
      signal: stop.signal,
    }).catch((error: unknown) => {
      // It ends with a status of its own when suggestions do not work, and has said why.
      if (isRecord(error) && isText(error['stdout']) && error['stdout'] !== '') return { stdout: error['stdout'] }
      throw error
    })
    return parse(stdout)
  } catch (error) {
    if (token.isCancellationRequested) return undefined
    throw error
  } finally {
    cancelling.dispose()
  }
}

function parse(text: string): Report {
  const said: unknown = JSON.parse(text)
  const findings = isRecord(said) ? list(said['checks'], finding) : undefined
  if (!isRecord(said) || findings === undefined || !isText(said['version'])) throw new Error('its report has another shape')
  return { works: said['works'] === true, version: said['version'], findings }
}

function finding(value: unknown): Finding | undefined {
  if (!isRecord(value)) return undefined
  const { name, ok, said, how } = value
  if (!isText(name) || !isText(said) || !isText(how) || (typeof ok !== 'boolean' && ok !== null)) return undefined
  return { name, ok, said, how }
}

function html({ works, version, findings }: Report): string {
  const rows = findings.map(({ name, ok, said, how }) => {
    const [kind, sign, label] = mark(ok)
    const advice = how === '' ? '' : `<div class="how">${escaped(how)}</div>`
    return `<tr><td class="${kind}" aria-label="${label}">${sign}</td><th scope="row">${escaped(name)}</th><td>${escaped(said)}${advice}</td></tr>`
  })
  const verdict = works ? 'Suggestions work.' : 'Suggestions do not work here yet.'
  return `<div class="wide"><h1>${verdict}</h1><table>${rows.join('')}</table><p class="how">Tacit ${escaped(version)}</p></div>`
}
