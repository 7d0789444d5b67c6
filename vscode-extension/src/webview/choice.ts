/** A list of which one entry is chosen by keys; `owner`, which has the focus, says which to those who cannot see it. */

const PAGE = 5
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }

export class Choice {
  private index = 0

  constructor(
    private readonly list: HTMLElement,
    private readonly owner: HTMLElement,
  ) {}

  /** The place of the chosen entry; 0 where there is none. */
  get selected(): number {
    return this.index
  }

  /** Chooses the entry at a place, or the closest there is. `byUser`: lets it be seen. */
  select(place: number, byUser: boolean): void {
    const { list, owner } = this
    const last = list.children.length - 1
    this.index = Math.max(0, Math.min(place, last))
    Array.from(list.children).forEach((element, each) => {
      const chosen = each === this.index
      element.setAttribute('aria-selected', chosen.toString())
      if (!chosen) return
      owner.setAttribute('aria-activedescendant', element.id)
      if (byUser) element.scrollIntoView({ block: 'nearest' })
    })
    if (last < 0) owner.removeAttribute('aria-activedescendant')
  }

  first(): void {
    this.select(0, true)
  }

  last(): void {
    this.select(this.list.children.length, true)
  }

  /** Whether a key goes through the list; then it has. */
  moves(key: string): boolean {
    const step = STEPS[key]
    if (step === undefined) return false
    this.select(this.index + step, true)
    return true
  }
}
