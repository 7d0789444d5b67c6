// Drives one page of a headless Chromium for browser.py: one JSON request a line on stdin, one JSON answer a line on
// stdout. Knows browsers and nothing of VS Code. Ends when stdin does, and takes the browser along.
//   node driver.mjs <path of playwright-core> <path of chromium>
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [, , playwrightPath, executablePath] = process.argv
const { chromium } = createRequire(import.meta.url)(playwrightPath)

const browser = await chromium.launch({
  executablePath,
  headless: true,
  chromiumSandbox: false, // Chromium's own sandbox refuses to run as root; it shows nothing but our own server
  args: [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
const page = await browser.newPage({ viewport: { width: 1100, height: 650 } })

/** The frame whose document has a title, however deep; without a title the page itself. Waits until it is there. */
const frameOf = async (title, timeout) => {
  if (title === undefined) return page
  const end = Date.now() + timeout
  for (;;) {
    for (const frame of page.frames()) {
      if ((await frame.title().catch(() => '')) === title) return frame
    }
    if (Date.now() > end) throw new Error(`no frame “${title}” in ${timeout} ms`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The visible elements that match a selector, and contain a text where one is given. */
const find = async ({ selector, text, frame, timeout }) =>
  (await frameOf(frame, timeout))
    .locator(text === undefined ? selector : `${selector}:has-text(${JSON.stringify(text)})`)
    .locator('visible=true')

const actions = {
  goto: ({ url, timeout }) => page.goto(url, { timeout }).then(() => null),
  press: ({ key }) => page.keyboard.press(key),
  type: ({ text, delay }) => page.keyboard.type(text, { delay }),
  hover: async ({ timeout, ...what }) => (await find({ timeout, ...what })).first().hover({ timeout }),
  click: async ({ timeout, ...what }) => (await find({ timeout, ...what })).first().click({ timeout }),
  wait: async ({ timeout, ...what }) => (await find({ timeout, ...what })).first().waitFor({ timeout }),
  gone: async ({ timeout, ...what }) => (await find({ timeout, ...what })).first().waitFor({ state: 'hidden', timeout }),
  texts: async (what) =>
    (await (await find(what)).allInnerTexts()).map((text) => text.replaceAll('\u00a0', ' ').trim()),
  evaluate: async ({ frame, script, timeout }) => (await frameOf(frame, timeout)).evaluate(script),
  settle: () => new Promise((resolve) => setTimeout(resolve, 400, null)),
  screenshot: ({ path, height }) => {
    const { width, height: all } = page.viewportSize()
    return page.screenshot({ path, clip: { x: 0, y: 0, width, height: height ?? all } }).then(() => null)
  },
}

const answer = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
answer({ value: browser.version() })
for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...parameters } = JSON.parse(line)
  try {
    answer({ value: (await actions[action](parameters)) ?? null })
  } catch (error) {
    answer({ error: error.message })
  }
}
await browser.close()
