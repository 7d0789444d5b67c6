/** Talks to the user: every message, button and log line of the extension. Decides nothing. */

import * as vscode from 'vscode'

import { SECTION } from './settings'
import { reasonOf } from './shared/reason'
import { unlinked } from './shared/unlinked'

/** Here because its button is. */
export const RESTART_COMMAND = 'tacit.restart'

export const SET_UP_COMMAND = 'tacit.setUp'

/** The command that sets up the local model, as the palette has it. */
export const SET_UP_MODEL_TITLE = 'Tacit: Set Up the Local Model'

const RESTART = 'Restart Tacit'
const SET_UP = 'Set Up Tacit'
const OPEN_SETTINGS = 'Open Settings'
const SHOW_LOG = 'Show Log'

type Button = typeof RESTART | typeof SET_UP | typeof OPEN_SETTINGS | typeof SHOW_LOG
type Show = (message: string, ...buttons: Button[]) => Thenable<Button | undefined>

export class User implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('Tacit', { log: true })

  dispose(): void {
    this.log.dispose()
  }

  sidecarStarts(command: readonly string[]): void {
    this.log.info(`Starting ${command.join(' ')}`)
  }

  sidecarRuns(pid: number | undefined): void {
    this.log.info(`The sidecar runs as process ${pid?.toString() ?? 'unknown'}.`)
  }

  sidecarMissing(sentence: string): void {
    this.log.error(sentence)
    this.say(vscode.window.showWarningMessage, sentence, OPEN_SETTINGS, RESTART)
  }

  /** There is none, and the extension can make one. */
  sidecarCanBeSetUp(): void {
    const sentence =
      "Tacit's sidecar, a Python program, is not on this machine yet. Tacit can set it up in a folder of its own; " +
      'pip fetches the packages that it needs (some 450 MB on disk), and llama.cpp is built for the local model where there is a compiler.'
    this.log.info(sentence)
    this.say(vscode.window.showInformationMessage, sentence, SET_UP, OPEN_SETTINGS)
  }

  settingUpFailed(sentence: string): void {
    this.log.error(sentence)
    this.say(vscode.window.showErrorMessage, sentence, SET_UP, SHOW_LOG)
  }

  /** The rest works without it. */
  modelLeftOut(sentence: string): void {
    this.log.warn(sentence)
    this.say(vscode.window.showInformationMessage, `Tacit: ${sentence}`, SHOW_LOG)
  }

  modelIsSetUp(): void {
    this.log.info('The local model can run.')
  }

  /** Shows a notification with a Cancel button for as long as something is set up; the log gets every step. */
  async whileSettingUp<T>(
    what: 'the sidecar' | 'the local model',
    work: (report: (message: string) => void, stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const stop = new AbortController()
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `Tacit: setting up ${what}`, cancellable: true },
      async (progress, token) => {
        token.onCancellationRequested(() => {
          stop.abort()
        })
        return work((message) => {
          this.log.info(`Setting up: ${message}`)
          progress.report({ message: unlinked(message) })
        }, stop.signal)
      },
    )
  }

  sidecarDidNotStart(command: string): void {
    const sentence = `Tacit's sidecar ended while it started (${command}). The log shows its last words.`
    this.log.error(sentence)
    this.say(vscode.window.showErrorMessage, sentence, SHOW_LOG, RESTART, OPEN_SETTINGS)
  }

  sidecarDied(): void {
    this.log.warn("Tacit's sidecar ended unexpectedly and is started again.")
  }

  sidecarKeepsDying(times: number, minutes: number): void {
    const sentence = `Tacit's sidecar ended ${times.toString()} times in ${minutes.toString()} minutes and stays off.`
    this.log.error(sentence)
    this.say(vscode.window.showErrorMessage, sentence, RESTART, SHOW_LOG)
  }

  notRunning(): void {
    this.say(vscode.window.showWarningMessage, 'Tacit is not running.', RESTART, SHOW_LOG)
  }

  status(sentence: string): void {
    this.say(vscode.window.showInformationMessage, `Tacit: ${sentence}`, SHOW_LOG)
  }

  notice(sentence: string): void {
    this.say(vscode.window.showInformationMessage, `Tacit: ${sentence}`)
  }

  requestFailed(what: string, error: unknown): void {
    const reason = reasonOf(error)
    this.log.error(`${what}: ${reason}`)
    this.say(vscode.window.showErrorMessage, `Tacit could not ${what}: ${reason}`, SHOW_LOG)
  }

  /** Shows a notification with a Cancel button for as long as `work` runs. */
  async whileClosingGoal<T>(
    work: (report: (message: string) => void, token: vscode.CancellationToken) => Promise<T>,
  ): Promise<T> {
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Tacit: closing this goal', cancellable: true },
      (progress, token) =>
        work((message) => {
          progress.report({ message: unlinked(message) })
        }, token),
    )
  }

  /** Shows a message and does what its button says. Never awaited: a message may stay for hours. */
  private say(show: Show, message: string, ...buttons: Button[]): void {
    void show(unlinked(message), ...buttons).then(async (button) => {
      switch (button) {
        case RESTART:
          await vscode.commands.executeCommand(RESTART_COMMAND)
          break
        case SET_UP:
          await vscode.commands.executeCommand(SET_UP_COMMAND)
          break
        case OPEN_SETTINGS:
          await openSettings()
          break
        case SHOW_LOG:
          this.log.show()
          break
        case undefined:
          break
      }
    })
  }
}

/** Where the paths of programs can be set: in a remote window, the user's own settings do not list them. */
async function openSettings(): Promise<void> {
  const command = vscode.env.remoteName === undefined ? 'openSettings' : 'openRemoteSettings'
  await vscode.commands.executeCommand(`workbench.action.${command}`, { query: `${SECTION}.server` })
}
