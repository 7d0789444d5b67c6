/** Reads the header of a Lean file, and says where one more `import` belongs. Pure. */

import { type Token, tokens } from './lean'

/** Put this text at this offset. */
export interface Insertion {
  readonly offset: number
  readonly text: string
}

interface Header {
  readonly modules: ReadonlySet<string>
  /** Behind the last import; undefined where there is none. */
  readonly lastImport: number | undefined
  /** Behind `module` or `prelude`; undefined where there is neither. */
  readonly keyword: number | undefined
  /** Behind the block comments that a file begins with, such as its copyright: where the first import goes. */
  readonly top: number
}

const MODIFIERS: ReadonlySet<string> = new Set(['public', 'private', 'meta'])

/** What makes a module imported; undefined when the file imports it by name already. */
export function importOf(text: string, module: string): Insertion | undefined {
  const header = read(text)
  if (header.modules.has(module)) return undefined
  const line = `import ${module}`
  if (header.lastImport !== undefined) return { offset: endOfLine(text, header.lastImport), text: `\n${line}` }
  if (header.keyword !== undefined) return { offset: endOfLine(text, header.keyword), text: `\n\n${line}` }
  const rest = text.slice(header.top)
  const above = header.top > 0 && !text.slice(0, header.top).endsWith('\n') ? '\n' : ''
  const below = rest === '' || rest.startsWith('\n') || rest.startsWith('\r') ? '\n' : '\n\n'
  return { offset: header.top, text: `${above}${line}${below}` }
}

function read(text: string): Header {
  const modules = new Set<string>()
  let lastImport: number | undefined
  let keyword: number | undefined
  let top = 0
  let topIsOpen = true
  let expected: 'keyword' | 'name' = 'keyword'
  for (const token of tokens(text)) {
    const { kind, start, end } = token
    if (kind === 'blank') continue
    if (kind === 'comment') {
      if (topIsOpen && text.startsWith('/-', start)) top = startOfNextLine(text, end)
      else topIsOpen = false
      continue
    }
    if (kind !== 'word') break
    topIsOpen = false
    const word = text.slice(start, end)
    if (expected === 'name') {
      if (word === 'all') continue
      modules.add(word)
      lastImport = end
      expected = 'keyword'
    } else if (word === 'import') expected = 'name'
    else if ((word === 'module' || word === 'prelude') && lastImport === undefined) keyword = end
    else if (!MODIFIERS.has(word)) break
  }
  return { modules, lastImport, keyword, top }
}

/** The end of a line, where what stands on the rest of it is blank or a comment; else the place itself. */
function endOfLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset)
  const end = newline < 0 ? text.length : text[newline - 1] === '\r' ? newline - 1 : newline
  const rest: readonly Token[] = [...tokens(text.slice(offset, end))]
  return rest.every(({ kind }) => kind === 'blank' || kind === 'comment') ? end : offset
}

function startOfNextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset)
  return newline >= 0 && text.slice(offset, newline).trim() === '' ? newline + 1 : offset
}
