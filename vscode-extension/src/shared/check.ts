/** Looks whether a value that came from elsewhere has the shape that is expected. Pure. */

export type Unknown = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

/** A list of which every element can be read; undefined when it is no list or one cannot. */
export function list<T>(value: unknown, read: (element: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined
  const found: T[] = []
  for (const element of value as readonly unknown[]) {
    const one = read(element)
    if (one === undefined) return undefined
    found.push(one)
  }
  return found
}
