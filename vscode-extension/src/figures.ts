/** Counts what was offered and taken, by day, in the editor's own storage on this machine; sends nothing anywhere. */

import type * as vscode from 'vscode'

import { dayOf, type Days, isNewer, parseDays, plus, toStored, type Way } from './shared/figures'

const KEY = 'tacit.figures'
const WRITE_MS = 2_000

interface News {
  readonly day: string
  readonly way: Way
  readonly offered: number
  readonly accepted: number
}

export class Figures implements vscode.Disposable {
  private news: News[] = []
  private writing: NodeJS.Timeout | undefined

  constructor(private readonly storage: vscode.Memento) {}

  dispose(): void {
    if (this.news.length > 0) void this.write()
  }

  offered(way: Way): void {
    this.count({ day: dayOf(new Date()), way, offered: 1, accepted: 0 })
  }

  accepted(way: Way): void {
    this.count({ day: dayOf(new Date()), way, offered: 0, accepted: 1 })
  }

  /** All that was counted so far. */
  get days(): Days {
    // Windows share the storage: what another one has counted is kept.
    const stored = parseDays(this.storage.get(KEY))
    return this.news.reduce((days, { day, way, ...counts }) => plus(days, day, way, counts), stored)
  }

  /** Whether nothing is counted, because a newer version of this extension keeps them in a way of its own. */
  get areNewer(): boolean {
    return isNewer(this.storage.get(KEY))
  }

  async forget(): Promise<void> {
    this.news = []
    await this.storage.update(KEY, undefined)
  }

  private count(news: News): void {
    this.news.push(news)
    this.writing ??= setTimeout(() => void this.write(), WRITE_MS)
  }

  private async write(): Promise<void> {
    clearTimeout(this.writing)
    this.writing = undefined
    const { days } = this
    this.news = []
    if (!this.areNewer) await this.storage.update(KEY, toStored(days))
  }
}
