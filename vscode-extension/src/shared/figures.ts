/** What was offered and taken, day by day: adding up, reading back, drawing. Pure. */

import { isCount, isRecord } from './check'

/** How a tactic came to the user. */
export type Way = 'ghost' | 'quickFix' | 'closeGoal' | 'panel' | 'search'

export const WAYS: readonly (readonly [Way, string])[] = [
  ['ghost', 'Ghost text'],
  ['quickFix', 'Quick fixes'],
  ['closeGoal', 'Close this goal'],
  ['panel', 'Suggestions panel'],
  ['search', 'Search panel'],
]

/** `offered` counts only where something is offered unasked: ghost text. */
export interface Counts {
  readonly offered: number
  readonly accepted: number
}

/** By day (2026-01-31), and in it by way. */
export type Days = Readonly<Record<string, Readonly<Partial<Record<Way, Counts>>>>>

/** The version of what is stored; what says none is of the first, which did not. */
const VERSION = 1

const NONE: Counts = { offered: 0, accepted: 0 }
const KEPT_DAYS = 400

/** The day of a moment in the user's own time. */
export function dayOf(moment: Date): string {
  const two = (count: number): string => count.toString().padStart(2, '0')
  return `${moment.getFullYear().toString()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`
}

/** Adds counts to one day and way; the oldest days go. */
export function plus(days: Days, day: string, way: Way, { offered, accepted }: Counts): Days {
  const before = days[day]?.[way] ?? NONE
  const counts = { offered: before.offered + offered, accepted: before.accepted + accepted }
  return newest({ ...days, [day]: { ...days[day], [way]: counts } })
}

function newest(days: Days): Days {
  const all = Object.entries(days)
  if (all.length <= KEPT_DAYS) return days
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)).slice(-KEPT_DAYS))
}

/** Whether a newer version of this extension stored it: then it is to be left as it is. */
export function isNewer(value: unknown): boolean {
  return isRecord(value) && isCount(value['version']) && value['version'] > VERSION
}

/** What is stored: the days, and beside them the version, which older versions of this extension pass over. */
export function toStored(days: Days): unknown {
  return { version: VERSION, ...days }
}

/** What was stored; what cannot be read is left out. */
export function parseDays(value: unknown): Days {
  if (!isRecord(value)) return {}
  const days: Record<string, Partial<Record<Way, Counts>>> = {}
  for (const [day, counts] of Object.entries(value)) {
    if (!/^\d{4}-\d\d-\d\d$/u.test(day) || !isRecord(counts)) continue
    const ways: Partial<Record<Way, Counts>> = {}
    for (const [way] of WAYS) {
      const count = counts[way]
      if (!isRecord(count)) continue
      const { offered, accepted } = count
      if (isCount(offered) && isCount(accepted)) ways[way] = { offered, accepted }
    }
    if (Object.keys(ways).length > 0) days[day] = ways
  }
  return newest(days)
}

/** The sum of all days. */
export function total(days: Days, way: Way): Counts {
  return Object.values(days).reduce<Counts>((sum, day) => {
    const { offered, accepted } = day[way] ?? NONE
    return { offered: sum.offered + offered, accepted: sum.accepted + accepted }
  }, NONE)
}

const WIDTH = 720
const HEIGHT = 180
const BOTTOM = 24
const LEFT = 34

/** The last `count` days up to `today`, a bar each: what was offered, and in front of it what was taken. An SVG. */
export function chart(days: Days, today: Date, count: number): string {
  const columns = Array.from({ length: count }, (_, place) => {
    const day = dayOf(new Date(today.getFullYear(), today.getMonth(), today.getDate() - (count - 1 - place)))
    const ways = Object.values(days[day] ?? {})
    const accepted = ways.reduce((sum, counts) => sum + counts.accepted, 0)
    const unasked = days[day]?.ghost ?? NONE
    return { day, accepted, offered: accepted - unasked.accepted + Math.max(unasked.offered, unasked.accepted) }
  })
  const most = Math.max(1, ...columns.map(({ offered }) => offered))
  const step = (WIDTH - LEFT) / count
  const height = (value: number): number => Math.round(((HEIGHT - BOTTOM - 10) * value * 10) / most) / 10
  const bar = (kind: string, place: number, value: number): string => {
    const x = (LEFT + place * step + step * 0.15).toFixed(1)
    const y = (HEIGHT - BOTTOM - height(value)).toFixed(1)
    return `<rect class="${kind}" x="${x}" y="${y}" width="${(step * 0.7).toFixed(1)}" height="${height(value).toString()}"/>`
  }
  const bars = columns.map(({ day, accepted, offered }, place) => {
    const said = `<title>${day}: ${accepted.toString()} taken, ${offered.toString()} offered</title>`
    return `<g>${said}${bar('offered', place, offered)}${bar('accepted', place, accepted)}</g>`
  })
  const floor = (HEIGHT - BOTTOM).toString()
  const first = columns[0]?.day ?? ''
  const last = columns.at(-1)?.day ?? ''
  return [
    `<svg viewBox="0 0 ${WIDTH.toString()} ${HEIGHT.toString()}" role="img" aria-label="Taken and offered, day by day">`,
    `<line x1="${LEFT.toString()}" x2="${WIDTH.toString()}" y1="${floor}" y2="${floor}"/>`,
    `<text x="${(LEFT - 6).toString()}" y="14" text-anchor="end">${most.toString()}</text>`,
    `<text x="${(LEFT - 6).toString()}" y="${floor}" text-anchor="end">0</text>`,
    ...bars,
    `<text x="${LEFT.toString()}" y="${(HEIGHT - 6).toString()}">${first}</text>`,
    `<text x="${WIDTH.toString()}" y="${(HEIGHT - 6).toString()}" text-anchor="end">${last}</text>`,
    '</svg>',
  ].join('\n')
}
