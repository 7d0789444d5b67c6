/** The page of the panel Suggestions: the goal, and every checked tactic with what it leaves. */

import { type FromSuggestions, type Marked, parseToSuggestions, type ShownGoal, type ShownSuggestion, type ToSuggestions } from '../shared/messages'
import { counted, outcomeInWords } from '../shared/outcome'
import { Choice } from './choice'
import { host, lean, make, page } from './page'

const SIGNS: Readonly<Record<Marked['mark'], string>> = { added: '+ ', removed: '− ', same: '' }
const SAID: Readonly<Record<Marked['mark'], string>> = { added: 'new: ', removed: 'gone: ', same: '' }

let shown: ToSuggestions | undefined

const sentence = make('div', { class: 'sentence', role: 'status', 'aria-live': 'polite' })
const before = make('div', { class: 'goal goal-before code', role: 'region', 'aria-label': 'The goal at the cursor' })
const found = make('div', { role: 'listbox', tabindex: '0', 'aria-label': 'Checked tactics' })
const choice = new Choice(found, found)

function say(message: FromSuggestions): void {
  host.postMessage(message)
}

function render(news: ToSuggestions): void {
  const same = shown?.round === news.round
  shown = news
  sentence.textContent = news.sentence
  found.setAttribute('aria-busy', news.working.toString())
  before.hidden = news.target === ''
  before.replaceChildren(
    ...news.hypotheses.map((line) => make('div', {}, ...lean(line))),
    make('div', {}, ...lean(`⊢ ${news.target}`)),
    ...(news.more === 0 ? [] : [make('div', { class: 'note' }, `and ${counted(news.more, 'more ')} after it`)]),
  )
  found.replaceChildren(...news.suggestions.map(entry))
  choice.select(same ? choice.selected : 0, false)
}

function entry(suggestion: ShownSuggestion, index: number): HTMLElement {
  const closes = suggestion.outcome !== 'leaves'
  const element = make(
    'div',
    { role: 'option', id: `suggestion-${index.toString()}`, class: closes ? 'suggestion closes' : 'suggestion' },
    make('div', { class: 'tactic' }, ...lean(suggestion.tactic)),
    make(
      'div',
      { class: 'source' },
      make('span', { class: 'outcome' }, outcome(suggestion)),
      ` · ${suggestion.source} · ${suggestion.seconds.toFixed(2)} s`,
    ),
    ...(suggestion.note === '' ? [] : [make('div', { class: 'note' }, suggestion.note)]),
    ...suggestion.goals.map(goal),
  )
  element.addEventListener('click', () => {
    choice.select(index, true)
    insert(index)
  })
  return element
}

function outcome({ outcome, goals: left }: ShownSuggestion): string {
  return outcome === 'leaves' ? `${counted(left.length)} left` : `✓ ${outcomeInWords(outcome, 0)}`
}

function goal({ tag, hypotheses, target, targetChanged }: ShownGoal): HTMLElement {
  return make(
    'div',
    { class: 'goal code' },
    ...(tag === '' ? [] : [make('div', { class: 'comment' }, `case ${tag}`)]),
    ...hypotheses.map((line) =>
      make('div', { class: line.mark, 'aria-label': SAID[line.mark] + line.text }, SIGNS[line.mark] + line.text),
    ),
    make(
      'div',
      { class: targetChanged ? 'target' : 'target same' },
      '⊢ ',
      ...target.map(({ text, mark }) => (mark === 'added' ? make('span', { class: 'added' }, text) : text)),
    ),
  )
}

function insert(index: number): void {
  if (shown !== undefined && index < shown.suggestions.length) say({ type: 'insert', round: shown.round, index })
}

function act(key: string): boolean {
  switch (key) {
    case 'Home':
      choice.first()
      return true
    case 'End':
      choice.last()
      return true
    case 'Enter':
      insert(choice.selected)
      return true
    case 'Escape':
      say({ type: 'leave' })
      return true
    default:
      return choice.moves(key)
  }
}

page().append(sentence, before, found)
before.hidden = true
found.addEventListener('keydown', (event) => {
  if (act(event.key)) event.preventDefault()
})
window.addEventListener('focus', () => {
  found.focus({ preventScroll: true })
})
window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const news = parseToSuggestions(data)
  if (news !== undefined) render(news)
})
say({ type: 'ready' })
