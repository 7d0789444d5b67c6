/** The page of the panel Search: a question, answers as it is typed, and keys for all that can be done with one. */

import { isCount, isRecord, isText } from '../shared/check'
import { type FromSearch, parseHits, parseToSearch, type ShownHit } from '../shared/messages'
import { Choice } from './choice'
import { host, lean, make, page } from './page'

/** Long enough for a fast typist's next key, short enough not to be noticed. */
const REST_MS = 110

interface State {
  text: string
  usableHere: boolean
  answer: number
  hits: readonly ShownHit[]
  sentence: string
  selected: number
}

const state: State = restored()
let asked = state.answer
let rest: ReturnType<typeof setTimeout> | undefined

const input = make('input', {
  type: 'text',
  id: 'question',
  role: 'combobox',
  'aria-expanded': 'true',
  'aria-haspopup': 'grid',
  'aria-controls': 'hits',
  'aria-autocomplete': 'list',
  'aria-describedby': 'sentence',
  'aria-label': 'Search lemmas in words, symbols or patterns',
  placeholder: 'Words, symbols, a name, _ + _ = _',
  spellcheck: 'false',
  autocomplete: 'off',
})
const usableHere = make('input', { type: 'checkbox', id: 'usable-here' })
const fromGoal = make('button', { type: 'button', class: 'quiet', title: 'Search from the goal at the cursor' }, '⊢ From goal')
const sentence = make('div', { id: 'sentence', role: 'status', 'aria-live': 'polite' })
const hits = make('div', { id: 'hits', role: 'grid', 'aria-label': 'Lemmas found' })
const choice = new Choice(hits, input)

function say(message: FromSearch): void {
  host.postMessage(message)
}

function restored(): State {
  const fresh: State = { text: '', usableHere: false, answer: 0, hits: [], sentence: '', selected: 0 }
  const kept = host.getState()
  if (!isRecord(kept)) return fresh
  const found = parseHits(kept['hits'])
  const { text, sentence: said, answer, selected } = kept
  if (!isText(text) || !isText(said) || !isCount(answer) || !isCount(selected) || found === undefined) return fresh
  return { text, usableHere: kept['usableHere'] === true, answer, hits: found, sentence: said, selected }
}

function keep(): void {
  host.setState(state)
}

function search(): void {
  clearTimeout(rest)
  state.text = input.value
  keep()
  asked += 1
  if (input.value.trim() === '') {
    state.answer = asked
    show([], '')
    return
  }
  hits.setAttribute('aria-busy', 'true')
  say({ type: 'search', id: asked, text: input.value, usableHere: usableHere.checked })
}

function soon(): void {
  clearTimeout(rest)
  rest = setTimeout(search, REST_MS)
}

function show(found: readonly ShownHit[], said: string): void {
  state.hits = found
  state.sentence = said
  state.selected = 0
  render()
}

function render(): void {
  sentence.textContent = state.sentence
  hits.removeAttribute('aria-busy')
  hits.setAttribute('aria-rowcount', state.hits.length.toString())
  hits.replaceChildren(...state.hits.map(row))
  select(state.selected, false)
}

function row(hit: ShownHit, index: number): HTMLElement {
  const insert = button('Insert', 'Insert the name (Enter)', () => {
    choose(index, false)
  })
  const withImport = button(`Insert, import ${hit.needs}`, 'Insert the name and the import it needs (Ctrl+Enter)', () => {
    choose(index, true)
  })
  const definition = button('Go to definition', 'Open its source (F12)', () => {
    define(index)
  })
  const text = make(
    'div',
    { role: 'gridcell' },
    make('div', { class: 'name' }, make('span', { class: 'title' }, hit.name), ' ', make('span', { class: 'kind' }, hit.kind)),
    make('div', { class: 'statement code' }, ...lean(hit.statement)),
    ...(hit.doc === '' ? [] : [make('div', { class: 'doc' }, hit.doc)]),
    make('div', { class: 'module' }, hit.where),
  )
  const actions = make('div', { role: 'gridcell', class: 'actions' }, insert, ...(hit.needs === '' ? [] : [withImport]), definition)
  const element = make('div', { role: 'row', id: `hit-${index.toString()}`, class: 'hit' }, text, actions)
  element.setAttribute('aria-rowindex', (index + 1).toString())
  element.addEventListener('click', () => {
    select(index, true)
  })
  element.addEventListener('dblclick', () => {
    choose(index, true)
  })
  return element
}

/** A button for the mouse and for screen readers; the keyboard has keys for the same. */
function button(label: string, title: string, press: () => void): HTMLElement {
  const element = make('button', { type: 'button', tabindex: '-1', title }, label)
  element.addEventListener('click', (event) => {
    event.stopPropagation()
    press()
  })
  return element
}

function select(index: number, byUser: boolean): void {
  choice.select(index, byUser)
  keepChoice()
}

function keepChoice(): void {
  state.selected = choice.selected
  keep()
}

function choose(index: number, withImport: boolean): void {
  if (index < state.hits.length) say({ type: 'insert', answer: state.answer, index, withImport })
}

function define(index: number): void {
  if (index < state.hits.length) say({ type: 'definition', answer: state.answer, index })
}

function key(event: KeyboardEvent): void {
  if (event.isComposing) return
  const done = act(event)
  if (!done) return
  event.preventDefault()
  event.stopPropagation()
}

function act({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  const { selected } = state
  switch (key) {
    case 'Enter':
      if (altKey) define(selected)
      else choose(selected, ctrlKey || metaKey)
      return true
    case 'F12':
      define(selected)
      return true
    case 'Escape':
      say({ type: 'leave' })
      return true
    default:
      if (!choice.moves(key)) return false
      keepChoice()
      return true
  }
}

function hear(message: unknown): void {
  const said = parseToSearch(message)
  switch (said?.type) {
    case 'answer':
      if (said.id !== asked) return
      state.answer = said.id
      show(said.hits, said.sentence)
      break
    case 'ask':
      input.value = said.text
      search()
      break
    case 'say':
      state.sentence = said.sentence
      sentence.textContent = said.sentence
      break
    case 'focus':
      input.focus()
      input.select()
      break
    case 'again':
      search()
      break
    case undefined:
      break
  }
}

input.value = state.text
usableHere.checked = state.usableHere
page().append(
  make('div', { class: 'bar', role: 'search' }, input),
  make(
    'div',
    { class: 'bar' },
    make('label', { for: 'usable-here', title: 'Only what this file imports, or has above the cursor' }, usableHere, ' Usable here'),
    fromGoal,
  ),
  sentence,
  hits,
)
input.addEventListener('input', soon)
input.addEventListener('keydown', key)
usableHere.addEventListener('change', () => {
  state.usableHere = usableHere.checked
  search()
})
page().addEventListener('keydown', (event) => {
  if (event.key === 'Escape') say({ type: 'leave' })
})
fromGoal.addEventListener('click', () => {
  say({ type: 'goal' })
})
window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  hear(data)
})
render()
say({ type: 'ready' })
// What the extension had found is gone when it was restarted: asked again, places in the answer mean something again.
if (state.text !== '') search()
