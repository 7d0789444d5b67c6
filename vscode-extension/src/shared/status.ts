/** What the sidecar, Lean, the index and the model are doing, in words. Pure. */

/** The part of the sidecar's status that is shown. */
export interface Status {
  readonly version: string
  readonly lean: { readonly state: string; readonly version: string; readonly sentence: string }
  /** Undefined from a sidecar that indexes nothing. */
  readonly index: IndexStatus | undefined
  /** Undefined before anything was asked of a model, and from a sidecar that knows of none. */
  readonly model: { readonly state: string; readonly name: string; readonly sentence: string } | undefined
}

export interface IndexStatus {
  readonly state: string
  readonly package: string
  readonly what: string
  readonly done: number
  readonly total: number
  readonly sentence: string
  readonly packages: readonly { readonly name: string; readonly premises: number; readonly meanings: boolean }[]
}

/** `none`: nothing is done, and nothing is wrong. */
export type State = 'good' | 'busy' | 'none' | 'broken'

export interface Line {
  readonly name: string
  readonly said: string
  readonly state: State
}

/** One line for each part. `status` is undefined when the sidecar does not say. */
export function statusLines(running: boolean, status: Status | undefined): readonly Line[] {
  if (!running) return [{ name: 'Sidecar', said: 'is not running.', state: 'broken' }]
  if (status === undefined) return [{ name: 'Sidecar', said: 'runs, and says its status in words of another version.', state: 'good' }]
  return [
    { name: 'Sidecar', said: `${status.version} runs.`, state: 'good' },
    leanLine(status.lean),
    indexLine(status.index),
    modelLine(status.model),
  ]
}

function leanLine({ state, version, sentence }: Status['lean']): Line {
  const said = sentence || `${version} is ${state}.`.trim()
  const states: Readonly<Record<string, State>> = { starting: 'busy', ready: 'good', replaying: 'good', missing: 'broken', failed: 'broken' }
  return { name: 'Lean', said: state === 'starting' && sentence === '' ? 'is starting.' : said, state: states[state] ?? 'none' }
}

function indexLine(index: IndexStatus | undefined): Line {
  if (index === undefined) return { name: 'Index', said: 'none: this sidecar does not search.', state: 'none' }
  if (index.state === 'working') {
    const what = index.what === 'embedding' ? 'learning the meanings of' : index.what || 'working on'
    const share = index.total > 0 ? ` (${Math.floor((100 * index.done) / index.total).toString()} %)` : ''
    return { name: 'Index', said: `${what} ${index.package}${share}.`, state: 'busy' }
  }
  if (index.state === 'waiting') return { name: 'Index', said: 'waits for another builder.', state: 'busy' }
  const packages = index.packages.filter(({ premises }) => premises > 0)
  const listed = packages.map(({ name, premises, meanings }) => `${name} (${premises.toLocaleString('en')}${meanings ? '' : ', words only'})`)
  const said = [listed.length > 0 ? `${listed.join(', ')}.` : '', index.sentence].filter((part) => part !== '').join(' ')
  const fine = said || 'is looked into when something is searched.'
  return { name: 'Index', said: fine, state: index.state === 'failed' ? 'broken' : listed.length > 0 ? 'good' : 'none' }
}

function modelLine(model: Status['model']): Line {
  if (model === undefined) return { name: 'Model', said: 'not asked yet.', state: 'none' }
  const states: Readonly<Record<string, State>> = { starting: 'busy', ready: 'good', failed: 'broken' }
  const state = states[model.state] ?? 'none'
  // The sentence says which model it is and why, why there is none, or what failed.
  return { name: 'Model', said: model.state === 'none' ? model.sentence : `(${model.state}): ${model.sentence}`, state }
}
