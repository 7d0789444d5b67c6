import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'

import { locateSidecar } from '../src/locate'
import { brief, Managed } from '../src/managed'

const UNSET = { serverPath: '', serverArgs: ['serve'] }

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tacit-'))
  await mkdir(join(folder, 'parts'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

function managed(version = '1'): Managed {
  return new Managed(join(folder, 'storage'), join(folder, 'parts'), version)
}

async function program(path: string, text = '#!/bin/sh\n'): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text, { mode: 0o755 })
  return path
}

const nothing = (): undefined => undefined

describe('the environment of the extension', () => {
  it('is there when it was set up for this version, and outdated for another', async () => {
    assert.equal(await managed().program(), undefined)
    const tacit = await program(join(folder, 'storage', 'sidecar', 'bin', 'tacit'))
    assert.equal(await managed().program(), undefined) // setting up was interrupted
    await writeFile(join(folder, 'storage', 'sidecar.ready'), '1')
    assert.equal(await managed('1').program(), tacit)
    assert.equal(await managed('2').program(), undefined)
    assert.equal(await managed('2').isOutdated(), true)
  })

  it('is possible where the extension came with a wheel', async () => {
    assert.equal(await managed().isPossible(), false)
    await writeFile(join(folder, 'parts', 'lean_tacit-1-py3-none-any.whl'), '')
    assert.equal(await managed().isPossible(), true)
  })

  it('says what is missing', async () => {
    const done = await managed().setUp(join(folder, 'empty'), nothing, new AbortController().signal)
    assert.equal(done.kind, 'Failed')
    assert.match(done.sentence, /needs Python 3\.11 or later.*python3-venv/u)
    assert.deepEqual(await readdir(join(folder, 'storage')), []) // the lock is gone
  })

  it('passes on what a program says that fails', async () => {
    await writeFile(join(folder, 'parts', 'lean_tacit-1-py3-none-any.whl'), '')
    await program(join(folder, 'bin', 'python3'), '#!/bin/sh\ncase "$2" in -m) echo "Error: no room" >&2; exit 1;; esac\n')
    const done = await managed().setUp(join(folder, 'bin'), nothing, new AbortController().signal)
    assert.deepEqual(done, { kind: 'Failed', sentence: 'Tacit could not set up its sidecar: Error: no room' })
  })

  it('lets Python take no module from the current folder, which may be a project', async () => {
    await writeFile(join(folder, 'parts', 'lean_tacit-1-py3-none-any.whl'), '')
    const said = join(folder, 'said')
    const python = `#!/bin/sh\necho "$1 $2 $3" >> ${said}\nmkdir -p ${folder}/storage/sidecar/bin\n[ -e ${folder}/storage/sidecar/bin/python ] || cp "$0" ${folder}/storage/sidecar/bin/python\n`
    await program(join(folder, 'bin', 'python3'), python)
    const done = await managed().setUp(join(folder, 'bin'), nothing, new AbortController().signal)
    assert.equal(done.kind, 'Ready')
    const asked = (await readFile(said, 'utf8')).trim().split('\n')
    assert.ok(asked.length >= 4, asked.join('; '))
    assert.deepEqual(asked.filter((line) => !line.startsWith('-I ')), [])
  })

  it('is made by one window at a time, and a lock whose holder is gone is none', async () => {
    await mkdir(join(folder, 'storage'))
    await writeFile(join(folder, 'storage', 'sidecar.lock'), process.pid.toString())
    const busy = await managed().setUp('', nothing, new AbortController().signal)
    assert.match(busy.kind === 'Failed' ? busy.sentence : '', /^Another window/u)
    await writeFile(join(folder, 'storage', 'sidecar.lock'), '4194999')
    const free = await managed().setUp('', nothing, new AbortController().signal)
    assert.match(free.kind === 'Failed' ? free.sentence : '', /needs Python/u)
  })

  it('builds what runs the local model with the script that it came with, and passes on why that cannot be', async () => {
    const again = 'the command'
    const stop = new AbortController().signal
    assert.equal(await managed().hasModel(), false)
    await program(join(folder, 'parts', 'model', 'install_model.py'))
    assert.equal(await managed().hasModel(), true)
    const nowhere = await managed().setUpModel(again, nothing, stop)
    assert.match(nowhere.kind === 'Failed' ? nowhere.sentence : '', /sidecar of your own, install llama-cpp-python/u)

    const tacit = await program(join(folder, 'storage', 'sidecar', 'bin', 'tacit'))
    await writeFile(join(folder, 'storage', 'sidecar.ready'), '1')
    const python = join(folder, 'storage', 'sidecar', 'bin', 'python')
    await program(python, '#!/bin/sh\necho "Left out: no compiler ($1 $(basename $2) $3). To have it: $TACIT_MODEL_AGAIN."\nexit 1\n')
    const failed = await managed().setUpModel(again, nothing, stop)
    assert.deepEqual(failed, { kind: 'Failed', sentence: 'Left out: no compiler (-I install_model.py --again). To have it: the command.' })
    await program(python)
    assert.deepEqual(await managed().setUpModel(again, nothing, stop), { kind: 'Ready', program: tacit })
    assert.deepEqual((await readdir(join(folder, 'storage'))).sort(), ['sidecar', 'sidecar.ready'])
  })

  it('ends what a build has started too', async () => {
    await program(join(folder, 'parts', 'model', 'install_model.py'))
    await program(join(folder, 'storage', 'sidecar', 'bin', 'tacit'))
    await writeFile(join(folder, 'storage', 'sidecar.ready'), '1')
    const started = join(folder, 'started')
    await program(join(folder, 'storage', 'sidecar', 'bin', 'python'), `#!/bin/sh\nsh -c 'echo $$ > ${started}.new; mv ${started}.new ${started}; exec sleep 60'\n`)
    const stop = new AbortController()
    const done = managed().setUpModel('', nothing, stop.signal)
    let compiler = 0
    while (compiler === 0) {
      compiler = Number(await readFile(started, 'utf8').catch(() => '0'))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    stop.abort()
    assert.deepEqual(await done, { kind: 'Cancelled' })
    const alive = async (): Promise<boolean> => readFile(`/proc/${compiler.toString()}/stat`, 'utf8').then((stat) => !stat.includes(') Z '), () => false)
    while (await alive()) await new Promise((resolve) => setTimeout(resolve, 20))
  })

  it('stops when it is told to', async () => {
    await writeFile(join(folder, 'parts', 'lean_tacit-1-py3-none-any.whl'), '')
    await program(join(folder, 'bin', 'python3'), '#!/bin/sh\ncase "$2" in -m) exec sleep 60;; esac\n')
    const stop = new AbortController()
    const path = [join(folder, 'bin'), '/usr/bin', '/bin'].join(':')
    const done = await managed().setUp(path, (message) => {
      if (message.startsWith('making')) setTimeout(() => { stop.abort() }, 50)
    }, stop.signal)
    assert.deepEqual(done, { kind: 'Cancelled' })
  })
})

describe('finding the sidecar', () => {
  it("takes the user's own before the extension's", async () => {
    const own = await program(join(folder, 'bin', 'tacit'))
    const around = { path: join(folder, 'bin'), home: folder, folder: undefined, managed: '/managed/tacit' }
    assert.deepEqual(await locateSidecar(UNSET, around), { kind: 'Found', command: own, args: ['serve'] })
    const without = await locateSidecar(UNSET, { ...around, path: '' })
    assert.deepEqual(without, { kind: 'Found', command: '/managed/tacit', args: ['serve'] })
  })

  it('names a program that the settings name and that is not there', async () => {
    const found = await locateSidecar({ ...UNSET, serverPath: '~/nowhere/tacit' }, { path: '', home: folder, folder: undefined, managed: '/managed/tacit' })
    assert.equal(found.kind, 'Missing')
    assert.ok(found.chosen && found.sentence.includes('~/nowhere/tacit'))
  })
})

describe('what pip says', () => {
  it('is told in brief', () => {
    assert.equal(brief('Collecting numpy==2.1.0 (from -r runtime.lock (line 7))'), 'fetching numpy')
    assert.equal(brief('Downloading https://files.example/faiss_cpu-1.15.1-cp311-manylinux.whl (20 MB)'), 'fetching faiss_cpu')
    assert.equal(brief("WARNING: Location 'file:///x' is ignored"), undefined)
  })
})
