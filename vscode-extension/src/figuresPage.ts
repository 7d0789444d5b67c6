/** The command Show My Figures: draws what was counted on this machine. */

import * as vscode from 'vscode'

import type { Figures } from './figures'
import { escaped, showStatic } from './page'
import { chart, total, WAYS } from './shared/figures'

const SHOWN_DAYS = 30

export function showFigures(extension: vscode.Uri, figures: Figures): void {
  const panel = vscode.window.createWebviewPanel('tacit.figures', 'Tacit: My Figures', vscode.ViewColumn.Active)
  showStatic(panel.webview, extension, 'My figures', html(figures))
}

function html({ days, areNewer }: Figures): string {
  if (areNewer) {
    return `<div class="wide"><h1>What you took from Tacit</h1>
<p>A newer version of this extension keeps these figures. They are left as they are, and this one counts nothing.</p></div>`
  }
  const rows = WAYS.map(([way, title]) => {
    const { offered, accepted } = total(days, way)
    const share = offered > 0 ? `${Math.round((100 * accepted) / offered).toString()} %` : ''
    const cells = [offered > 0 ? offered.toString() : '', accepted.toString(), share]
    return `<tr><th scope="row">${escaped(title)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  })
  const header = ['', 'Offered', 'Taken', 'Share'].map((cell) => `<th scope="col">${cell}</th>`).join('')
  return `<div class="wide">
<h1>What you took from Tacit</h1>
<p>The last ${SHOWN_DAYS.toString()} days: taken, in front of what was offered.</p>
${chart(days, new Date(), SHOWN_DAYS)}
<p>Since Tacit began to count on this machine:</p>
<table><thead><tr>${header}</tr></thead><tbody>${rows.join('')}</tbody></table>
<p class="how">These figures are in the editor’s own storage on this machine, and are sent nowhere.
<i>Tacit: Forget My Figures</i> removes them.</p>
</div>`
}
