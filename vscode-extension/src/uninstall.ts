/** What VS Code runs once the extension is uninstalled: removes the environment that it had made for itself. */

import { homedir } from 'node:os'
import { resolve } from 'node:path'

import { removeEnvironment, storages } from './leftovers'

async function main(): Promise<void> {
  for (const storage of storages(resolve(__dirname, '..'), homedir(), process.platform, process.env)) {
    await removeEnvironment(storage)
  }
}

void main()
