import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../../src/services/ports.ts'
import { openSqlite } from '../../../src/storage/sqlite/open.ts'
import { wishFor } from '../../contracts/store/bench.ts'
import { storeContract } from '../../contracts/store.ts'
import { temporaryFolder } from '../folder.ts'

storeContract('SQLite', async () => {
  const { folder, remove } = await temporaryFolder()
  const opened: Store[] = []
  const open = async (): Promise<Store> => {
    const store = openSqlite({ file: join(folder, 'muslin.db') })
    opened.push(store)
    return store
  }
  return { store: await open(), another: open, cleanup: async () => { for (const store of opened) store.close(); await remove() } }
})

let folder: string
let file: string
let remove: () => Promise<void>
beforeEach(async () => {
  ({ folder, remove } = await temporaryFolder())
  file = join(folder, 'data', 'muslin.db')
})
afterEach(() => remove())

test('the folder and every file of the database are its owner\'s alone', async () => {
  const store = openSqlite({ file })
  await store.secrets.secret('key', () => 'x')
  const names = await readdir(join(folder, 'data'))
  expect(names.length).toBeGreaterThan(1)
  for (const name of names) expect((await stat(join(folder, 'data', name))).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700)
  store.close()
})

test('an existing file that others could read is closed to them', async () => {
  openSqlite({ file }).close()
  await chmod(file, 0o644)
  openSqlite({ file }).close()
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a database of a newer program is refused with what to do', async () => {
  openSqlite({ file }).close()
  const db = new Database(file)
  db.pragma('user_version = 999')
  db.close()
  expect(() => openSqlite({ file })).toThrow(expect.objectContaining({ code: 'data-folder', detail: expect.stringContaining('newer Muslin (schema 999') }))
})

test('a file that is no database is refused with what to do', async () => {
  await mkdir(join(folder, 'data'))
  await writeFile(file, 'not a database, but long enough to be taken for one'.repeat(50))
  expect(() => openSqlite({ file })).toThrow(expect.objectContaining({ code: 'data-folder', detail: expect.stringContaining('damaged') }))
})

test('processes that open a new database at once, and wish for the same, make one job', async () => {
  const script = fileURLToPath(new URL('../fixtures/open-and-wish.ts', import.meta.url))
  const runs = Array.from({ length: 4 }, async () => {
    const child = spawn(process.execPath, [script, file, JSON.stringify(wishFor())], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [[code], out, error] = await Promise.all([once(child, 'exit'), buffer(child.stdout), buffer(child.stderr)])
    expect({ code, error: String(error) }).toEqual({ code: 0, error: '' })
    return String(out)
  })
  const answers = (await Promise.all(runs)).map((out) => JSON.parse(out) as { id: number; created: boolean })
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
  expect(answers.filter(({ created }) => created)).toHaveLength(1)
})

test('a process killed in the middle of its run loses nothing that it was told is stored', async () => {
  const script = fileURLToPath(new URL('../fixtures/claim-and-wait.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file, JSON.stringify(wishFor())], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const store = openSqlite({ file })
  expect(await store.jobs.find(wishFor())).toMatchObject({ state: 'running', worker: 'killed', step: 'build' })
  expect(await store.jobs.claim('next', { kinds: ['build'], targets: { [wishFor().target]: wishFor().image } }, 99, 200)).toBeUndefined()
  expect(await store.jobs.claim('next', { kinds: ['build'], targets: { [wishFor().target]: wishFor().image } }, 100, 200)).toMatchObject({ attempts: 2 })
  store.close()
})
