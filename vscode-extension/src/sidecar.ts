/** Runs the sidecar: starts, stops and restarts it, and gives up when it keeps dying. Shows nothing itself. */

import { createInterface } from 'node:readline'

import * as vscode from 'vscode'
import {
  CloseAction,
  type CloseHandlerResult,
  DidChangeConfigurationNotification,
  ErrorAction,
  type ErrorHandler,
  type ErrorHandlerResult,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
  State,
} from 'vscode-languageclient/node'

import { SELECTOR } from './documents'
import { type Located, locateSidecar, surroundings } from './locate'
import type { Managed } from './managed'
import { readStartSettings, SECTION, wholeSection } from './settings'
import { SET_UP_MODEL_TITLE, type User } from './user'
import { within } from './waiting'
import { INDEX_CHANGED, STATUS_CHANGED } from './wire'

const START_LIMIT_MS = 30_000
const MOST_DEATHS = 5
const DEATH_WINDOW_MINUTES = 3

export class Sidecar implements vscode.Disposable {
  private readonly started = new vscode.EventEmitter<void>()
  /** A sidecar answers, for the first time or again. */
  readonly onDidStart = this.started.event
  private readonly news = new vscode.EventEmitter<void>()
  /** What the sidecar, its Lean or its index is doing has changed. */
  readonly onDidChangeStatus = this.news.event
  private readonly indexNews = new vscode.EventEmitter<void>()
  /** What can be searched has changed. */
  readonly onDidChangeIndex = this.indexNews.event

  private current: { readonly client: QuietClient; readonly deaths: GivesUpAfterDeaths } | undefined
  /** Starts and stops run one after the other, however fast the user clicks. */
  private queue: Promise<void> = Promise.resolve()

  constructor(
    private readonly user: User,
    private readonly middleware: Middleware,
    private readonly managed: Managed,
  ) {}

  /** The client of a sidecar that answers now. */
  get running(): LanguageClient | undefined {
    return this.current?.client.state === State.Running ? this.current.client : undefined
  }

  /** The same, after a start that is under way. */
  async whenRunning(): Promise<LanguageClient | undefined> {
    if (this.running === undefined) await this.enqueue(() => this.settle())
    return this.running
  }

  /** Starts the sidecar, or starts it again. Tells the user when that fails; never throws. */
  restart(): Promise<void> {
    return this.enqueue(async () => {
      await this.settle()
      await this.stopNow()
      await this.startNow()
    })
  }

  /** The command line that does something else than serve with the same program; undefined where there is none. */
  async program(word: string): Promise<readonly [string, ...string[]] | undefined> {
    const located = await this.locate()
    if (located.kind === 'Missing') throw new Error(located.sentence)
    const place = located.args.lastIndexOf('serve')
    return place < 0 ? undefined : [located.command, ...located.args.slice(0, place), word]
  }

  /** Makes the extension's own environment, and starts the sidecar in it. Tells the user when that fails; never throws. */
  setUp(): Promise<void> {
    return this.enqueue(async () => {
      await this.settle()
      await this.stopNow()
      if (await this.setUpNow()) await this.startNow()
    })
  }

  /** Builds what runs the local model into that environment, and starts the sidecar again. Tells when that fails; never throws. */
  async setUpModel(): Promise<void> {
    const done = await this.user.whileSettingUp('the local model', (report, stop) =>
      this.managed.setUpModel(SET_UP_MODEL_TITLE, report, stop),
    )
    if (done.kind === 'Failed') this.user.modelLeftOut(done.sentence)
    if (done.kind !== 'Ready') return
    this.user.modelIsSetUp()
    await this.restart()
  }

  /** Sends the settings as they are now. One that starts later reads them itself. */
  async configure(): Promise<void> {
    const settings = { [SECTION]: wholeSection() }
    await this.running?.sendNotification(DidChangeConfigurationNotification.type, { settings })
  }

  /** For the end of the extension's life; `stop` comes before. */
  dispose(): void {
    this.started.dispose()
    this.news.dispose()
    this.indexNews.dispose()
  }

  stop(): Promise<void> {
    return this.enqueue(async () => {
      await this.settle()
      await this.stopNow()
    })
  }

  private enqueue(step: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(step)
    return this.queue
  }

  private async locate(): Promise<Located> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath
    return locateSidecar(readStartSettings(), surroundings(folder, await this.managed.program()))
  }

  private async setUpNow(): Promise<boolean> {
    const path = surroundings(undefined, undefined).path
    const done = await this.user.whileSettingUp('the sidecar', (report, stop) => this.managed.setUp(path, report, stop))
    if (done.kind === 'Failed') this.user.settingUpFailed(done.sentence)
    // Behind the start that follows, and nothing waits for it.
    if (done.kind === 'Ready' && (await this.managed.hasModel())) void this.queue.then(() => this.setUpModel())
    return done.kind === 'Ready'
  }

  private async startNow(): Promise<void> {
    let located = await this.locate()
    if (located.kind === 'Missing' && !located.chosen && (await this.managed.isOutdated())) {
      await this.setUpNow()
      located = await this.locate()
    }
    if (located.kind === 'Missing') {
      if (!located.chosen && (await this.managed.isPossible())) this.user.sidecarCanBeSetUp()
      else this.user.sidecarMissing(located.sentence)
      return
    }
    const { command, args } = located
    this.user.sidecarStarts([command, ...args])
    const deaths: GivesUpAfterDeaths = new GivesUpAfterDeaths(this.user, command, () => client.state === State.Running)
    const client: QuietClient = new QuietClient(
      SECTION,
      'Tacit',
      { command, args: [...args] },
      clientOptions(this.user, deaths, this.middleware),
    )
    this.current = { client, deaths }
    client.onNotification(STATUS_CHANGED, () => {
      this.news.fire()
    })
    client.onNotification(INDEX_CHANGED, () => {
      this.indexNews.fire()
      this.news.fire()
    })
    client.onDidChangeState(({ newState }) => {
      this.news.fire()
      // Running comes before the client has registered what the sidecar offers; then the start is over.
      if (newState !== State.Running) return
      void client.start().then(() => {
        this.user.sidecarRuns(client.serverProcess?.pid)
        this.started.fire()
      })
    })
    try {
      await within(START_LIMIT_MS, client.start())
    } catch (error) {
      this.user.log.error(error instanceof Error ? error : String(error))
      deaths.atBirth()
      await this.stopNow()
    }
  }

  /** Waits for a start after a death. A client cannot be stopped while it starts: it would go on beside the next one. */
  private async settle(): Promise<void> {
    const client = this.current?.client
    if (client?.state !== State.Starting) return
    try {
      await within(START_LIMIT_MS, client.start())
    } catch (error) {
      this.user.log.debug(String(error))
    }
  }

  private async stopNow(): Promise<void> {
    if (this.current === undefined) return
    const { client, deaths } = this.current
    this.current = undefined
    deaths.retire()
    try {
      await client.dispose()
    } catch (error) {
      // It had ended already, or did not answer `shutdown` in time and is killed.
      this.user.log.debug(String(error))
    }
  }
}

function clientOptions(user: User, errorHandler: ErrorHandler, middleware: Middleware): LanguageClientOptions {
  return {
    documentSelector: [...SELECTOR],
    initializationOptions: wholeSection,
    outputChannel: user.log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    stdioOptions: {
      stdout: () => undefined, // carries the protocol
      stderr: (stream, log) => {
        createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
          log.info(line)
        })
      },
    },
    initializationFailedHandler: () => false,
    errorHandler,
    middleware,
  }
}

/**
 * The language client without its own notifications: they go to the log. A request that failed is noise to
 * somebody who types on, and what has to be said about the process, the User says in one sentence.
 */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false)
  }
}

/** Starts a sidecar that died again, unless it died at birth or dies again and again. */
class GivesUpAfterDeaths implements ErrorHandler {
  private readonly deaths: number[] = []
  private saidSo = false
  private retired = false

  constructor(
    private readonly user: User,
    private readonly command: string,
    private readonly hadStarted: () => boolean,
  ) {}

  /** The user or the editor ends the sidecar: it may die now, and nobody needs to hear of it. */
  retire(): void {
    this.retired = true
  }

  /** The sidecar did not get as far as an answer to `initialize`. Both who waits for it and `closed` may notice. */
  atBirth(): void {
    if (!this.saidSo) this.user.sidecarDidNotStart(this.command)
    this.saidSo = true
  }

  error(): ErrorHandlerResult {
    // A message that cannot be read or written. When the pipe is broken, `closed` follows.
    return { action: ErrorAction.Continue, handled: true }
  }

  closed(): CloseHandlerResult {
    if (this.retired) return { action: CloseAction.DoNotRestart, handled: true }
    if (!this.hadStarted()) {
      this.atBirth()
      return { action: CloseAction.DoNotRestart, handled: true }
    }
    const now = Date.now()
    this.deaths.push(now)
    const recent = this.deaths.filter((death) => now - death < DEATH_WINDOW_MINUTES * 60_000)
    if (recent.length >= MOST_DEATHS) {
      this.user.sidecarKeepsDying(recent.length, DEATH_WINDOW_MINUTES)
      return { action: CloseAction.DoNotRestart, handled: true }
    }
    this.user.sidecarDied()
    return { action: CloseAction.Restart, handled: true }
  }
}
