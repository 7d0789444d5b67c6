/** Splits Lean text into tokens: enough to highlight a statement, to find a `sorry` and to read a file's imports. Pure. */

export type Kind = 'blank' | 'comment' | 'doc' | 'string' | 'number' | 'word' | 'symbol'

/** A token is the text from `start` up to `end`, in UTF-16 units. A `doc` is a comment that Lean keeps: a command. */
export interface Token {
  readonly kind: Kind
  readonly start: number
  readonly end: number
}

const BLANK = /\s+/uy
const LINE_COMMENT = /--[^\n]*/uy
const COMMENT_EDGE = /\/-|-\//gu
const STRING = /"(?:[^"\\]|\\[^])*"?/uy
const RAW_STRING = /r(#*)"[^]*?"\1/uy
const CHARACTER = /'(?:[^'\\\n]|\\[^'\n]+|\\')'/uy
const NUMBER = /\p{Nd}[\p{L}\p{Nd}]*(?:\.\p{Nd}+)?/uy
// `λ`, `Π` and `Σ` are signs of their own in Lean, however like letters they look.
const PART = "(?:«[^»\\n]*»|(?![λΠΣ])[\\p{L}_][\\p{L}\\p{N}\\p{M}_'!?]*)"
const WORD = new RegExp(`${PART}(?:\\.${PART})*`, 'uy')
const SYMBOL = /[^]/uy

/** The tokens of a text, one after the other and without gaps. Anything is a text: what makes no sense is a symbol. */
export function* tokens(text: string): Generator<Token> {
  let start = 0
  while (start < text.length) {
    const token = tokenAt(text, start)
    yield token
    start = token.end
  }
}

function tokenAt(text: string, start: number): Token {
  const end = (pattern: RegExp): number | undefined => {
    pattern.lastIndex = start
    const match = pattern.exec(text)
    return match === null || match[0] === '' ? undefined : pattern.lastIndex
  }
  const blank = end(BLANK)
  if (blank !== undefined) return { kind: 'blank', start, end: blank }
  if (text.startsWith('/-', start)) {
    // `/-/` is the beginning of a comment and not all of one; `/--/` and `/---/` are comments.
    const doc = /^\/-(?:-(?!\/)|!)/u.test(text.slice(start, start + 4))
    return { kind: doc ? 'doc' : 'comment', start, end: commentEnd(text, start) }
  }
  const tries: readonly (readonly [Kind, RegExp])[] = [
    ['comment', LINE_COMMENT],
    ['string', STRING],
    ['string', RAW_STRING],
    ['string', CHARACTER],
    ['number', NUMBER],
    ['word', WORD],
  ]
  for (const [kind, pattern] of tries) {
    const found = end(pattern)
    if (found !== undefined) return { kind, start, end: found }
  }
  return { kind: 'symbol', start, end: end(SYMBOL) ?? start + 1 }
}

/** Where a block comment ends. They nest, and one that is never closed goes on to the end of the text. */
function commentEnd(text: string, start: number): number {
  let depth = 1
  COMMENT_EDGE.lastIndex = start + 2
  for (;;) {
    const edge = COMMENT_EDGE.exec(text)
    if (edge === null) return text.length
    depth += edge[0] === '/-' ? 1 : -1
    if (depth === 0) return COMMENT_EDGE.lastIndex
  }
}

/** Where each `sorry` of a text begins: those that Lean would read, not such as stand in comments and strings. */
export function sorries(text: string): number[] {
  if (!text.includes('sorry')) return []
  const places: number[] = []
  for (const { kind, start, end } of tokens(text)) {
    if (kind === 'word' && end - start === 5 && text.startsWith('sorry', start)) places.push(start)
  }
  return places
}

/** How a piece of a statement is shown. */
export type Look = 'plain' | 'keyword' | 'sort' | 'name' | 'binder' | 'number' | 'string' | 'comment' | 'sign'

export interface Piece {
  readonly text: string
  readonly look: Look
}

const KEYWORDS: ReadonlySet<string> = new Set([
  ...['fun', 'let', 'have', 'show', 'from', 'if', 'then', 'else', 'match', 'with', 'do', 'by', 'in', 'at', 'where'],
  ...['theorem', 'lemma', 'def', 'abbrev', 'instance', 'structure', 'class', 'inductive', 'axiom', 'example', 'extends'],
  ...['exact', 'intro', 'intros', 'apply', 'refine', 'rw', 'simp', 'simp_all', 'omega', 'grind', 'constructor', 'cases'],
  ...['rcases', 'obtain', 'induction', 'aesop', 'norm_num', 'linarith', 'ring', 'decide', 'rfl', 'trivial', 'assumption'],
  ...['calc', 'all_goals', 'any_goals', 'exists', 'use', 'sorry', 'using', 'only', 'generalizing', 'contradiction'],
])
const SORTS: ReadonlySet<string> = new Set(['Prop', 'Type', 'Sort'])
const SIGN_KEYWORDS: ReadonlySet<string> = new Set(['λ', '∀', '∃', 'Π', 'Σ', '⊢'])
const BRACKETS: ReadonlySet<string> = new Set('()[]{}⦃⦄⟨⟩,:'.split(''))

/** A statement or a tactic in pieces to be coloured; together they are the text. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  const bound = boundNames(text)
  for (const { kind, start, end } of tokens(text)) {
    const piece = text.slice(start, end)
    const look = lookOf(kind, piece, bound)
    const last = found.at(-1)
    if (last?.look === look) found[found.length - 1] = { text: last.text + piece, look }
    else found.push({ text: piece, look })
  }
  return found
}

function lookOf(kind: Kind, text: string, bound: ReadonlySet<string>): Look {
  switch (kind) {
    case 'blank':
      return 'plain'
    case 'comment':
    case 'doc':
      return 'comment'
    case 'string':
    case 'number':
      return kind
    case 'word':
      if (KEYWORDS.has(text)) return 'keyword'
      if (SORTS.has(text)) return 'sort'
      return bound.has(text) ? 'binder' : 'name'
    case 'symbol':
      if (SIGN_KEYWORDS.has(text)) return 'keyword'
      return BRACKETS.has(text) ? 'plain' : 'sign'
  }
}

const BINDER_OPENS: ReadonlySet<string> = new Set(['(', '{', '[', '⦃', 'λ', '∀', '∃', 'fun'])

/** The names that binders of a text introduce: the words between an opening sign and the colon (or arrow) behind them. */
function boundNames(text: string): ReadonlySet<string> {
  const bound = new Set<string>()
  let group: string[] | undefined
  for (const { kind, start, end } of tokens(text)) {
    if (kind === 'blank') continue
    const token = text.slice(start, end)
    if (BINDER_OPENS.has(token)) group = []
    else if (group !== undefined && kind === 'word' && !KEYWORDS.has(token)) group.push(token)
    else if (group !== undefined && [':', ',', '↦', '∈', '≤', '<', '>', '≥', '⊆'].includes(token)) {
      for (const name of group) bound.add(name)
      group = undefined
    } else group = undefined
  }
  return bound
}

/** What stands behind the turnstile of a goal as Lean prints it; all of it where there is none. */
export function targetOf(goal: string): string {
  const place = goal.lastIndexOf('⊢ ')
  return (place < 0 ? goal : goal.slice(place + 2)).trim()
}

/** Whether an abbreviation such as `\alpha` is being typed at the end of a text: Tab belongs to it. */
export function inAbbreviation(before: string, leader: string): boolean {
  const place = leader === '' ? -1 : before.lastIndexOf(leader)
  return place >= 0 && !/\s/u.test(before.slice(place + leader.length))
}

/** A text on one line, with single blanks: what Lean breaks differently is the same. */
export function plain(text: string): string {
  return text.replace(/\s+/gu, ' ').trim()
}
