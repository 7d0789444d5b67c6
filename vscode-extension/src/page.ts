/** The frame of Tacit's pages: HTML with a content security policy that lets in nothing but Tacit's own files. */

import { randomBytes } from 'node:crypto'

import * as vscode from 'vscode'

/** Where the files of pages lie. */
function pageFolder(extension: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extension, 'out')
}

/** Lets a page run one script of Tacit's, and shows it. */
export function showPage(webview: vscode.Webview, extension: vscode.Uri, script: string, title: string): void {
  const folder = pageFolder(extension)
  webview.options = { enableScripts: true, enableForms: false, localResourceRoots: [folder] }
  const nonce = randomBytes(18).toString('base64')
  const source = webview.asWebviewUri(vscode.Uri.joinPath(folder, script)).toString()
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`
  const body = `<div id="page"></div>\n<script nonce="${nonce}" src="${escaped(source)}"></script>`
  webview.html = frame(webview, folder, policy, title, body)
}

/** Shows what a page says by itself: it runs nothing. `body` is HTML in which every text was escaped. */
export function showStatic(webview: vscode.Webview, extension: vscode.Uri, title: string, body: string): void {
  const folder = pageFolder(extension)
  webview.options = { enableScripts: false, enableForms: false, localResourceRoots: [folder] }
  webview.html = frame(webview, folder, `default-src 'none'; style-src ${webview.cspSource}`, title, body)
}

export function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/gu, (character) => names[character] ?? '')
}

function frame(webview: vscode.Webview, folder: vscode.Uri, policy: string, title: string, body: string): string {
  const style = webview.asWebviewUri(vscode.Uri.joinPath(folder, 'page.css')).toString()
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escaped(style)}">
<title>${escaped(title)}</title>
</head>
<body>
${body}
</body>
</html>`
}
