import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { unlinked } from '../src/shared/unlinked'

/** What VS Code takes for a link in a message (`parseLinkedText` in `base/common/linkedText.ts`). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/iu

describe('a message', () => {
  for (const text of [
    'click [here](command:workbench.action.terminal.sendSequence?%5B%22x%22%5D)',
    '[a](https://models.example) [b](file:///etc/passwd)',
    '[x](COMMAND:y)',
    '[[x](command:y)](command:z)',
  ]) {
    it(`has no link: ${text}`, () => {
      assert.match(text, LINK)
      assert.doesNotMatch(unlinked(text), LINK)
    })
  }

  it('stays as it is where nothing is a link', () => {
    assert.equal(unlinked('⊢ l[0] + (f x) = [1, 2]'), '⊢ l[0] + (f x) = [1, 2]')
  })
})
