import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { replaceFile } from '../../src/cli/replace-file.ts'
import { temporaryFolder } from '../storage/folder.ts'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => { ({ folder, remove } = await temporaryFolder()) })
afterEach(() => remove())

const at = (...names: string[]) => join(folder, ...names)
const mode = async (path: string) => (await stat(path)).mode & 0o7777

describe('modes', () => {
  /** Bytes that are asked for while the draft lies there: its mode is noted then. */
  function noting(modes: number[]): Uint8Array {
    async function* bytes() {
      for (const name of await readdir(folder)) if (name.endsWith('.tmp')) modes.push(await mode(at(name)))
      yield Buffer.from('new')
    }
    return bytes() as unknown as Uint8Array
  }

  test.each([0o600, 0o640, 0o755])('what has %o keeps it, and is open to nobody else meanwhile', async (kept) => {
    await writeFile(at('lock'), 'old')
    await chmod(at('lock'), kept)
    const modes: number[] = []
    await replaceFile(at('lock'), noting(modes))
    expect(modes).toEqual([0o600])
    expect([await mode(at('lock')), await readFile(at('lock'), 'utf8'), await readdir(folder)]).toEqual([kept, 'new', ['lock']])
  })

  test('a new file has that of any new file', async () => {
    await writeFile(at('any'), '')
    await replaceFile(at('lock'), Buffer.from('new'))
    expect(await mode(at('lock'))).toBe(await mode(at('any')))
  })
})

describe('links', () => {
  test('that lead to nothing yet are followed, from link to link', async () => {
    await mkdir(at('there'))
    await symlink('there/second', at('first'))
    await symlink('lock', at('there', 'second'))
    await replaceFile(at('first'), Buffer.from('new'))
    expect((await lstat(at('first'))).isSymbolicLink() && (await lstat(at('there', 'second'))).isSymbolicLink()).toBe(true)
    expect([await readFile(at('there', 'lock'), 'utf8'), await readdir(at('there'))]).toEqual(['new', ['lock', 'second']])
  })

  test.each([['there/lock', 'ENOENT'], ['link', 'ELOOP']])('that lead to %s are refused, and stay', async (to, code) => {
    await symlink(to, at('link'))
    await expect(replaceFile(at('link'), Buffer.from('new'))).rejects.toMatchObject({ code: 'bad-lock', detail: expect.stringContaining(`cannot be written (${code})`) })
    expect([(await lstat(at('link'))).isSymbolicLink(), await readdir(folder)]).toEqual([true, ['link']])
  })
})
