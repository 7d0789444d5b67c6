// Runs in a page of VS Code and notes when a typed character is painted, and when ghost text is after the last key.
// VS Code draws in an animation frame: a message that its change of the page sends arrives when that frame is drawn.
(() => {
  if (window.painted !== undefined) return
  const GHOST = '.monaco-editor .ghost-text-decoration, .monaco-editor .ghost-text'
  const LINE = '.editor-instance .view-line'
  const CURSOR = '.editor-instance .cursors-layer .cursor'
  /** keys: milliseconds from each keydown to its character. last: the last keydown, and milliseconds to ghost text. */
  const painted = (window.painted = { keys: [], last: undefined })
  let waiting = []
  /** How long the line with the cursor will be when all keys so far are painted; undefined when they are. */
  let length

  /** How long that line is on screen, without ghost text. */
  const typed = () => {
    const top = document.querySelector(CURSOR)?.style.top
    const line = [...document.querySelectorAll(LINE)].find((each) => each.style.top === top)
    if (line === undefined) return 0
    const ghosts = [...line.querySelectorAll('[class*="ghost-text"]')]
    return ghosts.reduce((rest, each) => rest - each.textContent.length, line.textContent.length)
  }
  const ghostIsThere = () => [...document.querySelectorAll(GHOST)].some((each) => each.textContent.trim() !== '')

  addEventListener(
    'keydown',
    ({ key, ctrlKey, timeStamp }) => {
      if (ctrlKey || (key.length > 1 && key !== 'Enter')) return
      painted.last = { at: timeStamp, ghost: null, before: ghostIsThere() }
      if (key === 'Enter') waiting = []
      length = key === 'Enter' ? 0 : (length ?? typed()) + 1
      if (length > 0) waiting.push({ at: timeStamp, length })
    },
    true,
  )

  const { port1, port2 } = new MessageChannel()
  port1.onmessage = ({ data: { keys, last } }) => {
    const now = performance.now()
    for (const at of keys) painted.keys.push(now - at)
    if (last !== undefined && painted.last?.at === last) painted.last.ghost ??= now - last
  }
  new MutationObserver(() => {
    const keys = []
    if (waiting.length > 0) {
      const shown = typed()
      keys.push(...waiting.filter((each) => each.length <= shown).map(({ at }) => at))
      waiting = waiting.filter((each) => each.length > shown)
      if (waiting.length === 0) length = undefined
    }
    const { last } = painted
    const shown = waiting.length === 0 && last !== undefined && last.ghost === null && ghostIsThere()
    if (keys.length > 0 || shown) port2.postMessage({ keys, last: shown ? last.at : undefined })
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })

  window.painted.forget = () => {
    waiting = []
    length = undefined
    painted.keys = []
    painted.last = undefined
  }
})()
