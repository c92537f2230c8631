import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createUnchanged, type Unchanged } from '../../../src/storage/sqlite/unchanged.ts'
import { temporaryFolder } from '../folder.ts'

let db: Database.Database
let other: Database.Database
let unchanged: Unchanged
let remove: () => Promise<void>
const read = vi.fn(() => db.prepare<[], number>('SELECT count(*) FROM things').pluck().get())
const count = () => unchanged.said('things', read)

beforeEach(async () => {
  const made = await temporaryFolder()
  remove = made.remove
  const file = `${made.folder}/a.db`
  db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.exec('CREATE TABLE things (a)')
  other = new Database(file)
  unchanged = createUnchanged(db)
  read.mockClear()
})

afterEach(async () => {
  other.close()
  db.close()
  await remove()
})

test('asks once while nobody writes, however many turns pass', async () => {
  for (let turn = 0; turn < 5; turn++) {
    expect([count(), count()]).toEqual([0, 0])
    await nextTurn()
  }
  expect(read).toHaveBeenCalledTimes(1)
})

test('asks again in the next turn when another connection wrote, or this one', async () => {
  expect(count()).toBe(0)
  for (const [n, writer] of [other, db, other, db].entries()) {
    writer.exec('INSERT INTO things VALUES (1)')
    await nextTurn()
    expect(count()).toBe(n + 1)
  }
})

test('asks again at once when it is told to', () => {
  expect(count()).toBe(0)
  db.exec('INSERT INTO things VALUES (1)')
  unchanged.forget()
  expect(count()).toBe(1)
})

test('remembers so many questions', () => {
  expect(count()).toBe(0)
  for (let n = 0; n < 20_000; n++) unchanged.said(`other ${n}`, () => n)
  expect(count()).toBe(0)
  expect(read).toHaveBeenCalledTimes(2)
})
