/** The commands Doctor and Collect a Bug Report: let the sidecar's program look around, and show what it found. */

import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import * as vscode from 'vscode'

import { escaped, showStatic } from './page'
import { leanPath, wholeSection } from './settings'
import { isCount, isRecord, isText, list } from './shared/check'
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

/** A file of a bug report; `what` says what is in it. */
interface Part {
  readonly name: string
  readonly bytes: number
  readonly what: string
}

interface Report {
  readonly works: boolean
  readonly version: string
  readonly findings: readonly Finding[]
  readonly parts: readonly Part[]
}

/** Runs the doctor and shows its report. Throws when there is none. */
export async function showDoctor(extension: vscode.Uri, sidecar: Sidecar, file?: string): Promise<void> {
  const report = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: 'Tacit: looking around', cancellable: true },
    async (_, token) => examine(sidecar, token, file),
  )
  if (report === undefined) return
  const panel = vscode.window.createWebviewPanel('tacit.doctorReport', 'Tacit: Doctor', vscode.ViewColumn.Active)
  showStatic(panel.webview, extension, 'Doctor', html(report, file))
}

/** Asks where to put a bug report, makes it and shows what is in it. Sends nothing. Throws when it cannot be made. */
export async function collectReport(extension: vscode.Uri, sidecar: Sidecar): Promise<void> {
  const name = `tacit-report-${new Date().toISOString().slice(0, 19).replace(/\D/gu, '')}.zip`
  const chosen = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(homedir(), name)),
    filters: { Zip: ['zip'] },
    title: 'Tacit: where to put the bug report',
  })
  if (chosen === undefined) return
  await rm(chosen.fsPath, { force: true }) // the dialog has asked whether it may be replaced
  await showDoctor(extension, sidecar, chosen.fsPath)
}

/** Undefined when the user had enough of waiting. */
async function examine(sidecar: Sidecar, token: vscode.CancellationToken, file?: string): Promise<Report | undefined> {
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
    const report = file === undefined ? [] : ['--settings', '-', `--bundle=${file}`]
    const named = [...(lean === '' ? [] : ['--lean', lean]), ...report]
    const running = promisify(execFile)(program, [...args, '--json', ...named, ...(folder === undefined ? [] : [folder])], {
      ...(folder === undefined ? {} : { cwd: folder }),
      timeout: LIMIT_MS,
      maxBuffer: MOST_BYTES,
      signal: stop.signal,
    })
    running.child.stdin?.on('error', () => undefined) // it may end without having read them
    running.child.stdin?.end(file === undefined ? '' : JSON.stringify(wholeSection()))
    const { stdout } = await running.catch((error: unknown) => {
      // It ends with a status of its own when suggestions do not work, and has said why.
      if (isRecord(error) && isText(error['stdout']) && error['stdout'] !== '') return { stdout: error['stdout'] }
      throw error
    })
    return parse(stdout, file !== undefined)
  } catch (error) {
    if (token.isCancellationRequested) return undefined
    throw error
  } finally {
    cancelling.dispose()
  }
}

function parse(text: string, bundled: boolean): Report {
  const said: unknown = JSON.parse(text)
  const findings = isRecord(said) ? list(said['checks'], finding) : undefined
  if (isRecord(said) && isRecord(said['error'])) throw new Error(String(said['error']['message']))
  if (!isRecord(said) || findings === undefined || !isText(said['version'])) throw new Error('its report has another shape')
  const bundle = said['bundle']
  const parts = bundled ? list(isRecord(bundle) ? bundle['contents'] : undefined, part) : []
  if (parts === undefined) throw new Error('it does not say what is in the report')
  return { works: said['works'] === true, version: said['version'], findings, parts }
}

function part(value: unknown): Part | undefined {
  if (!isRecord(value)) return undefined
  const { name, bytes, what } = value
  return isText(name) && isCount(bytes) && isText(what) ? { name, bytes, what } : undefined
}

function finding(value: unknown): Finding | undefined {
  if (!isRecord(value)) return undefined
  const { name, ok, said, how } = value
  if (!isText(name) || !isText(said) || !isText(how) || (typeof ok !== 'boolean' && ok !== null)) return undefined
  return { name, ok, said, how }
}

function html({ works, version, findings, parts }: Report, file: string | undefined): string {
  const rows = findings.map(({ name, ok, said, how }) => {
    const [kind, sign, label] = mark(ok)
    const advice = how === '' ? '' : `<div class="how">${escaped(how)}</div>`
    return `<tr><td class="${kind}" aria-label="${label}">${sign}</td><th scope="row">${escaped(name)}</th><td>${escaped(said)}${advice}</td></tr>`
  })
  const verdict = works ? 'Suggestions work.' : 'Suggestions do not work here yet.'
  const held = parts.map(
    ({ name, bytes, what }) => `<tr><th scope="row">${escaped(name)}</th><td>${bytes.toString()}</td><td>${escaped(what)}</td></tr>`,
  )
  const report =
    file === undefined
      ? ''
      : `<h2>The bug report</h2><p>${escaped(file)} holds this and nothing else, and was sent nowhere:</p><table>${held.join('')}</table>`
  const table = `<table>${rows.join('')}</table>`
  return `<div class="wide"><h1>${verdict}</h1>${table}${report}<p class="how">Tacit ${escaped(version)}</p></div>`
}
