// Bundles src/extension.ts and what it imports into out/extension.js, the pages of src/webview into out/, and the
// licences of what is imported into out/THIRD_PARTY_NOTICES.txt. `--production` minifies, `--watch` stays, `--test`
// bundles the unit tests into out/test instead.
import { build, context } from 'esbuild'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const production = process.argv.includes('--production')

/** @type {import('esbuild').BuildOptions} */
const common = { bundle: true, minify: production, sourcemap: !production, metafile: true, logLevel: 'warning' }
const node = { ...common, platform: 'node', format: 'cjs', target: 'node20', external: ['vscode'] }

/** @type {import('esbuild').BuildOptions} */
const options = { ...node, entryPoints: ['src/extension.ts'], outfile: 'out/extension.js' }

/** @type {import('esbuild').BuildOptions} What VS Code runs without an editor once the extension is gone. */
const uninstall = { ...node, entryPoints: ['src/uninstall.ts'], outfile: 'out/uninstall.js', sourcemap: false }

/** @type {import('esbuild').BuildOptions} */
const pages = {
  ...common,
  entryPoints: ['src/webview/search.ts', 'src/webview/suggestions.ts', 'src/webview/page.css'],
  outdir: 'out',
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
  sourcemap: false,
}

/** The packages that the bundle took files from, as folders under node_modules. */
function bundledPackages(metafile) {
  const folders = Object.keys(metafile.inputs).map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
  return [...new Set(folders)].filter((folder) => folder !== undefined).sort()
}

async function notices(metafile) {
  const parts = []
  for (const folder of bundledPackages(metafile)) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} ${version} has no licence file`)
    parts.push(`${name} ${version} (${license})\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`)
  }
  return `Tacit's extension contains code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

if (process.argv.includes('--watch')) {
  await Promise.all([options, uninstall, pages].map(async (each) => (await context(each)).watch()))
} else if (process.argv.includes('--test')) {
  await rm('out/test', { recursive: true, force: true })
  await build({ ...node, entryPoints: ['test/*.test.ts'], outdir: 'out/test', sourcemap: 'inline' })
} else {
  await rm('out', { recursive: true, force: true })
  const [{ metafile }] = await Promise.all([build(options), build(uninstall), build(pages)])
  await writeFile('out/THIRD_PARTY_NOTICES.txt', await notices(metafile))
}
