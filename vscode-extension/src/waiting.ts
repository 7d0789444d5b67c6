/** Waits: for a while, or for something but no longer than a while. */

import type { CancellationToken } from 'vscode-languageclient/node'

/** Resolves when the time is over, with true, or as soon as nobody wants it any more, with false. */
export async function pause(milliseconds: number, token: CancellationToken): Promise<boolean> {
  if (token.isCancellationRequested) return false
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      cancelled.dispose()
      resolve(true)
    }, milliseconds)
    const cancelled = token.onCancellationRequested(() => {
      clearTimeout(timer)
      cancelled.dispose()
      resolve(false)
    })
  })
}

/** What work comes to. Rejects when that takes longer; the work goes on. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer in ${(milliseconds / 1000).toString()} s`))
    }, milliseconds)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
