/** What the commands of the palette do. */

import { randomUUID } from 'node:crypto'

import * as vscode from 'vscode'
import { CancellationTokenSource, ExecuteCommandRequest, type LanguageClient, WorkDoneProgress } from 'vscode-languageclient/node'

import { collectReport, showDoctor } from './doctor'
import { isLean } from './documents'
import type { Figures } from './figures'
import { showFigures } from './figuresPage'
import { ACCEPTED } from './ghost'
import { CLOSE_GOAL_HERE } from './lens'
import type { OtherProofs } from './otherProofs'
import { type Way, WAYS } from './shared/figures'
import { statusLines } from './shared/status'
import type { Sidecar } from './sidecar'
import type { StatusBar } from './statusBar'
import { RESTART_COMMAND, SET_UP_COMMAND, type User } from './user'
import { CLOSE_GOAL, type CloseGoalArgument, parseCloseGoalResult, parseStatus, STATUS } from './wire'

export class Commands implements vscode.Disposable {
  private readonly registrations: vscode.Disposable
  private closing: CancellationTokenSource | undefined

  constructor(
    private readonly extension: vscode.Uri,
    private readonly sidecar: Sidecar,
    private readonly user: User,
    private readonly figures: Figures,
    private readonly statusBar: StatusBar,
    private readonly otherProofs: OtherProofs,
  ) {
    const on = (name: string, command: (...words: readonly unknown[]) => unknown): vscode.Disposable =>
      vscode.commands.registerCommand(name, command)
    // The language client registers the sidecar's own command names (`tacit.closeGoal`): ours must differ.
    this.registrations = vscode.Disposable.from(
      on(CLOSE_GOAL_HERE, (uri, position) => this.closeGoal(uri, position)),
      on('tacit.cancelClosing', () => this.closing?.cancel()),
      on('tacit.showStatus', () => this.showStatus()),
      on('tacit.doctor', () => this.doctor()),
      on('tacit.collectReport', () => this.collectReport()),
      on('tacit.showFigures', () => {
        showFigures(extension, figures)
      }),
      on('tacit.forgetFigures', () => figures.forget()),
      on('tacit.showLog', () => {
        user.log.show()
      }),
      on(ACCEPTED, (way) => {
        if (isWay(way)) figures.accepted(way)
      }),
      on(RESTART_COMMAND, () => sidecar.restart()),
      on(SET_UP_COMMAND, () => sidecar.setUp()),
      on('tacit.setUpModel', () => sidecar.setUpModel()),
    )
  }

  dispose(): void {
    this.registrations.dispose()
  }

  private async withClient(work: (client: LanguageClient) => Promise<void>): Promise<void> {
    const client = await this.sidecar.whenRunning()
    if (client === undefined) this.user.notRunning()
    else await work(client)
  }

  /** Closes the goal at a place that a lens names, else at the cursor: a menu names the document alone. */
  private async closeGoal(uri: unknown, position: unknown): Promise<void> {
    const editor = vscode.window.activeTextEditor
    const named = vscode.window.visibleTextEditors.find(
      ({ document }) => uri instanceof vscode.Uri && document.uri.toString() === uri.toString(),
    )
    const { document, selection } = named ?? editor ?? {}
    if (document === undefined || selection === undefined || !isLean(document)) return
    const place = position instanceof vscode.Position ? position : selection.active
    await this.withClient((client) => this.closeGoalAt(client, document, place))
  }

  private async closeGoalAt(client: LanguageClient, document: vscode.TextDocument, place: vscode.Position): Promise<void> {
    const argument: CloseGoalArgument = {
      uri: client.code2ProtocolConverter.asUri(document.uri),
      position: client.code2ProtocolConverter.asPosition(place),
      version: document.version,
    }
    this.closing?.cancel()
    const stop = new CancellationTokenSource()
    this.closing = stop
    this.statusBar.closes('closing a goal')
    try {
      await this.user.whileClosingGoal(async (report, token) => {
        token.onCancellationRequested(() => {
          stop.cancel()
        })
        const workDoneToken = randomUUID()
        const progress = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
          if (value.kind === 'end' || value.message === undefined) return
          report(value.message)
          this.statusBar.closes(value.message)
        })
        try {
          const params = { command: CLOSE_GOAL, arguments: [argument], workDoneToken }
          const result = parseCloseGoalResult(await client.sendRequest(ExecuteCommandRequest.type, params, stop.token))
          if (result?.applied === true) {
            this.figures.accepted('closeGoal')
            if (result.range !== undefined && result.proofs.length > 1) {
              this.otherProofs.found(document, client.protocol2CodeConverter.asRange(result.range), result.proofs)
            }
          } else if (result !== undefined) this.user.notice(result.sentence)
        } catch (error) {
          if (!stop.token.isCancellationRequested) this.user.requestFailed('close this goal', error)
        } finally {
          progress.dispose()
        }
      })
    } finally {
      stop.dispose()
      if (this.closing === stop) {
        this.closing = undefined
        this.statusBar.closes(undefined)
      }
    }
  }

  private async showStatus(): Promise<void> {
    await this.withClient(async (client) => {
      try {
        const lines = statusLines(true, parseStatus(await client.sendRequest(STATUS, {})))
        this.user.status(lines.map(({ name, said }) => (said.startsWith(name) ? said : `${name} ${said}`)).join(' '))
      } catch (error) {
        this.user.requestFailed('ask the sidecar for its status', error)
      }
    })
  }

  private async doctor(): Promise<void> {
    try {
      await showDoctor(this.extension, this.sidecar)
    } catch (error) {
      this.user.requestFailed('run its doctor', error)
    }
  }

  private async collectReport(): Promise<void> {
    try {
      await collectReport(this.extension, this.sidecar)
    } catch (error) {
      this.user.requestFailed('collect a bug report', error)
    }
  }
}

function isWay(value: unknown): value is Way {
  return WAYS.some(([way]) => way === value)
}
