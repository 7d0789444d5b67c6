/** What a checked tactic comes to, as it is shown. Pure. */

import type { Outcome } from './messages'

interface Checked {
  readonly verdict: string
  readonly verified: boolean
  readonly goals: readonly unknown[]
}

/** That a tactic closes the goal, and with it its declaration, is said only of what Lean elaborated in place. */
export function outcomeOf({ verdict, verified, goals }: Checked): Outcome {
  if (verdict === 'closes' && verified) return 'closes'
  return goals.length === 0 ? 'closesHere' : 'leaves'
}

export function outcomeInWords(outcome: Outcome, goals: number): string {
  switch (outcome) {
    case 'closes':
      return 'closes the goal'
    case 'closesHere':
      return 'closes this goal'
    case 'leaves':
      return `leaves ${counted(goals)}`
  }
}

/** `1 goal`, `2 goals`; with a word between them `2 more goals`. */
export function counted(goals: number, between = ''): string {
  return `${goals.toString()} ${between}goal${goals === 1 ? '' : 's'}`
}
