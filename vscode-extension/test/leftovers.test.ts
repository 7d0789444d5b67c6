import assert from 'node:assert/strict'
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'

import { removeEnvironment, storages } from '../src/leftovers'

const ID = 'lean-tacit.tacit'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tacit-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function isThere(...parts: readonly string[]): Promise<boolean> {
  return access(join(folder, ...parts)).then(
    () => true,
    () => false,
  )
}

describe('what the extension leaves behind', () => {
  it('lies in the editor that it was installed in', () => {
    const where = (path: string, platform = 'linux', environment = {}): readonly string[] =>
      storages(`${path}/extensions/${ID}-0.1.0`, '/home/u', platform, environment)
    const own = (path: string): string => join(path, 'User', 'globalStorage', ID)
    assert.deepEqual(where('/home/u/.vscode').slice(-1), [own('/home/u/.config/Code')])
    assert.deepEqual(where('/home/u/.vscode', 'linux', { XDG_CONFIG_HOME: '/c' }).slice(-1), [own('/c/Code')])
    assert.deepEqual(where('/home/u/.vscode-oss', 'darwin').slice(-1), [own('/home/u/Library/Application Support/VSCodium')])
    assert.deepEqual(where('/home/u/.vscode', 'win32', { APPDATA: '/a' }).slice(-1), [own('/a/Code')])
    assert.deepEqual(where('/home/u/.vscode-server'), [own('/home/u/.vscode-server/data'), own('/home/u/.vscode-server')])
    assert.ok(where('/home/u/.local/share/code-server').includes(own('/home/u/.local/share/code-server')))
  })

  it('is nobody’s but the extension’s', () => {
    assert.deepEqual(storages('/home/u/src/tacit/vscode-extension', '/home/u', 'linux', {}), [])
    assert.deepEqual(storages('/home/u/.vscode/extensions/other.thing-1', '/home/u', 'linux', {}), [])
  })

  it('goes, and with it the folder', async () => {
    await mkdir(join(folder, ID, 'sidecar', 'bin'), { recursive: true })
    await writeFile(join(folder, ID, 'sidecar', 'bin', 'tacit'), '')
    await writeFile(join(folder, ID, 'sidecar.ready'), '1')
    await removeEnvironment(join(folder, ID))
    assert.equal(await isThere(ID), false)
    await removeEnvironment(join(folder, ID))
  })

  it('stays where it is not ours', async () => {
    await mkdir(join(folder, ID, 'sidecar'), { recursive: true })
    await writeFile(join(folder, ID, 'notes'), '')
    await removeEnvironment(join(folder, ID))
    assert.deepEqual([await isThere(ID, 'sidecar'), await isThere(ID, 'notes')], [false, true])
  })

  it('is removed without following links', async () => {
    await mkdir(join(folder, 'elsewhere', 'sidecar'), { recursive: true })
    await writeFile(join(folder, 'elsewhere', 'sidecar', 'file'), '')
    await symlink(join(folder, 'elsewhere'), join(folder, 'link'))
    await removeEnvironment(join(folder, 'link'))
    await mkdir(join(folder, ID))
    await symlink(join(folder, 'elsewhere', 'sidecar'), join(folder, ID, 'sidecar'))
    await removeEnvironment(join(folder, ID))
    assert.equal(await isThere('elsewhere', 'sidecar', 'file'), true)
    assert.equal(await isThere(ID), false)
  })
})
