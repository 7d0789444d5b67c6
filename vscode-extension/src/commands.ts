/** What the commands of the palette do. */

import { randomUUID } from 'node:crypto'

import * as vscode from 'vscode'
import { ExecuteCommandRequest, type LanguageClient, WorkDoneProgress } from 'vscode-languageclient/node'

import { isLean } from './documents'
import type { Sidecar } from './sidecar'
import { RESTART_COMMAND, type User } from './user'
import { CLOSE_GOAL, type CloseGoalArgument, parseCloseGoalResult, parseStatus, type Status, STATUS } from './wire'

export function registerCommands(sidecar: Sidecar, user: User): vscode.Disposable {
  // The language client registers the sidecar's own command names (`tacit.closeGoal`): ours must differ.
  return vscode.Disposable.from(
    vscode.commands.registerCommand('tacit.closeGoalHere', () => withClient(sidecar, user, closeGoalHere)),
    vscode.commands.registerCommand('tacit.showStatus', () => withClient(sidecar, user, showStatus)),
    vscode.commands.registerCommand(RESTART_COMMAND, () => sidecar.restart()),
  )
}

async function withClient(
  sidecar: Sidecar,
  user: User,
  command: (client: LanguageClient, user: User) => Promise<void>,
): Promise<void> {
  const client = sidecar.running
  if (client === undefined) {
    user.notRunning()
    return
  }
  await command(client, user)
}

async function closeGoalHere(client: LanguageClient, user: User): Promise<void> {
  const editor = vscode.window.activeTextEditor
  if (editor === undefined || !isLean(editor.document)) return
  const argument: CloseGoalArgument = {
    uri: client.code2ProtocolConverter.asUri(editor.document.uri),
    position: client.code2ProtocolConverter.asPosition(editor.selection.active),
    version: editor.document.version,
  }
  await user.whileClosingGoal(async (report, token) => {
    const workDoneToken = randomUUID()
    const progress = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
      if (value.kind !== 'end' && value.message !== undefined) report(value.message)
    })
    try {
      const params = { command: CLOSE_GOAL, arguments: [argument], workDoneToken }
      const result = parseCloseGoalResult(await client.sendRequest(ExecuteCommandRequest.type, params, token))
      if (result?.applied === false) user.notice(result.sentence)
    } catch (error) {
      if (!token.isCancellationRequested) user.requestFailed('close this goal', error)
    } finally {
      progress.dispose()
    }
  })
}

async function showStatus(client: LanguageClient, user: User): Promise<void> {
  try {
    user.status(inWords(parseStatus(await client.sendRequest(STATUS, {}))))
  } catch (error) {
    user.requestFailed('ask the sidecar for its status', error)
  }
}

function inWords(status: Status | undefined): string {
  if (status === undefined) return 'the sidecar is running, but says its status in words of another version.'
  const { version, lean, model } = status
  const leanInWords = lean.sentence || `Lean ${lean.version}`.trim() + ` is ${lean.state}.`
  return `sidecar ${version}. ${leanInWords}${modelInWords(model)}`
}

/** The sentence says which model it is and why, why there is none, or what failed. */
function modelInWords(model: Status['model']): string {
  if (model === undefined) return ''
  return model.state === 'none' ? ` ${model.sentence}` : ` Model (${model.state}): ${model.sentence}`
}
