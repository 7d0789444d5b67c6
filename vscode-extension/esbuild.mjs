// Bundles src/extension.ts and what it imports into out/extension.js, and the licences of what it imports into
// out/THIRD_PARTY_NOTICES.txt. `--production` minifies, `--watch` stays.
import { build, context } from 'esbuild'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const production = process.argv.includes('--production')

/** @type {import('esbuild').BuildOptions} */
const options = {
  entryPoints: ['src/extension.ts'],
  outfile: 'out/extension.js',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  minify: production,
  sourcemap: !production,
  metafile: true,
  logLevel: 'warning',
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
  await (await context(options)).watch()
} else {
  await rm('out', { recursive: true, force: true })
  const { metafile } = await build(options)
  await writeFile('out/THIRD_PARTY_NOTICES.txt', await notices(metafile))
}
