import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { importOf } from '../src/shared/header'

function added(text: string, module = 'M.N'): string | undefined {
  const insertion = importOf(text, module)
  return insertion && text.slice(0, insertion.offset) + insertion.text + text.slice(insertion.offset)
}

describe('importOf', () => {
  it('goes behind the last import', () => {
    assert.equal(added('import A\nimport B -- why\n\ntheorem t : p := q\n'), 'import A\nimport B -- why\nimport M.N\n\ntheorem t : p := q\n')
    assert.equal(added('import A'), 'import A\nimport M.N')
    assert.equal(added('import A\r\ndef x := 1\r\n'), 'import A\nimport M.N\r\ndef x := 1\r\n')
  })

  it('stands above everything in a file without imports', () => {
    assert.equal(added('theorem t : p := q\n'), 'import M.N\n\ntheorem t : p := q\n')
    assert.equal(added(''), 'import M.N\n')
  })

  it('stands between the copyright and what the module says of itself', () => {
    assert.equal(
      added('/-\nCopyright\n-/\n\n/-! # About -/\n'),
      '/-\nCopyright\n-/\nimport M.N\n\n/-! # About -/\n',
    )
    assert.equal(added('/-! # About -/\n'), 'import M.N\n\n/-! # About -/\n')
    assert.equal(added('/- c -/ def x := 1'), '/- c -/\nimport M.N\n\n def x := 1')
  })

  it('leaves a comment on the first command where it is', () => {
    assert.equal(added('-- x\ndef x := 1'), 'import M.N\n\n-- x\ndef x := 1')
  })

  it('knows the headers of modules', () => {
    assert.equal(added('module\n\npublic import A\npublic meta import all B\n\ndef x := 1'), 'module\n\npublic import A\npublic meta import all B\nimport M.N\n\ndef x := 1')
    assert.equal(added('module\n\ndef x := 1'), 'module\n\nimport M.N\n\ndef x := 1')
    assert.equal(added('/- c -/\nprelude\nimport A\n'), '/- c -/\nprelude\nimport A\nimport M.N\n')
  })

  it('is nothing where the file has it', () => {
    assert.equal(added('import A\nimport M.N\n'), undefined)
    assert.equal(added('import M.N\n\n-- import A\n', 'A'), 'import M.N\nimport A\n\n-- import A\n')
    assert.equal(added('def import_M := 1', 'M'), 'import M\n\ndef import_M := 1')
  })
})
