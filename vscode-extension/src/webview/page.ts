/** What Tacit's pages have in common: the way to the extension, and elements made without any HTML text. */

import { type Look, pieces } from '../shared/lean'

interface Host {
  postMessage(message: unknown): void
  getState(): unknown
  setState(state: unknown): void
}

declare function acquireVsCodeApi(): Host

export const host = acquireVsCodeApi()

type Attributes = Readonly<Record<string, string>>

/** An element with attributes and children. Text is text, whatever it looks like. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

const LOOKS: Readonly<Record<Look, string>> = {
  plain: '',
  keyword: 'keyword',
  sort: 'sort',
  name: '',
  binder: 'binder',
  number: 'number',
  string: 'string',
  comment: 'comment',
  sign: 'sign',
}

/** Lean text with colours. */
export function lean(text: string): Node[] {
  return pieces(text).map(({ text: piece, look }) => {
    const name = LOOKS[look]
    return name === '' ? document.createTextNode(piece) : make('span', { class: name }, piece)
  })
}

/** The element that the extension made for the page. */
export function page(): HTMLElement {
  const found = document.getElementById('page')
  if (found === null) throw new Error('the page has no place for its content')
  return found
}
