import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrate } from '../../../src/storage/sqlite/migrate.ts'
import initial from '../../../src/storage/sqlite/migrations/0001-initial.ts'
import { openSqlite } from '../../../src/storage/sqlite/open.ts'
import { wishFor } from '../../contracts/store/bench.ts'
import { temporaryFolder } from '../folder.ts'

let file: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder()
  file = join(made.folder, 'muslin.db')
  remove = made.remove
})
afterEach(() => remove())

test('migrations run once each, in order; one that fails leaves nothing of itself', () => {
  const db = new Database(':memory:')
  const good = ['CREATE TABLE a (x)', 'CREATE TABLE b (x)']
  migrate(db, good)
  migrate(db, good)
  expect(db.pragma('user_version', { simple: true })).toBe(2)
  expect(() => migrate(db, [...good, 'CREATE TABLE c (x); CREATE TABLE a (x)'])).toThrow('already exists')
  expect(db.pragma('user_version', { simple: true })).toBe(2)
  expect(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()).toEqual(['a', 'b'])
  migrate(db, [...good, 'CREATE TABLE c (x)'])
  expect(db.pragma('user_version', { simple: true })).toBe(3)
  db.close()
})

test('one that breaks a reference is refused; references are watched again afterwards', () => {
  const db = new Database(':memory:')
  const good = ['CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE children (parent REFERENCES parents (id)); INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1)']
  migrate(db, good)
  expect(() => migrate(db, [...good, 'DELETE FROM parents'])).toThrow('migration 2 broke a reference of children to parents')
  expect(db.prepare('SELECT count(*) FROM parents').pluck().get()).toBe(1)
  expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
  expect(() => db.exec('DELETE FROM parents')).toThrow('FOREIGN KEY')
  db.close()
})

describe('a database of the first release', () => {
  /** Columns that came since. */
  const LATER = ['waited', 'passed_at']
  const jobs = 'SELECT * FROM jobs ORDER BY id'
  const builds = 'SELECT id, job, worker, started_at, finished_at, failure, record FROM builds ORDER BY id'
  const wheels = 'SELECT sha256, filename, size, project, version, target, sdist, number, metadata, requires_python, published_at, build FROM wheels'
  /** Of the tables that refer to each other: by what they are found. */
  const schema = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' ORDER BY name"
  const references = (db: Database.Database) => ['jobs', 'builds', 'wheels'].map((table) => db.pragma(`foreign_key_list(${table})`))
  const columns = (db: Database.Database) => (db.pragma('table_info(jobs)') as { name: string }[]).filter(({ name }) => !LATER.includes(name))

  function fill(): Record<string, unknown> {
    const db = new Database(file)
    migrate(db, [initial])
    const job = db.prepare(`
      INSERT INTO jobs VALUES (@id, @kind, 'cffi', '1.17', @sdist, 'cffi-1.17.tar.gz', 't', @recipe, 'i', '10.0.0.1', 30, @state, 2, 'w1', @lease, @step,
        NULL, @failure, @remembered, @retry, @changed, 1, 2, 3)`)
    const row = { kind: 'build', sdist: 'a'.repeat(64), state: 'queued', lease: null, step: null, failure: null, remembered: 0, retry: null, changed: 0 }
    job.run({ ...row, id: 3, recipe: '3', state: 'built', changed: 1 })
    job.run({ ...row, id: 7, recipe: '7', state: 'failed', failure: '{"class":"missing-header","key":"ffi.h"}', remembered: 1, retry: 99 })
    job.run({ ...row, id: 8, recipe: '8', kind: 'metadata', state: 'running', lease: 50, step: 'fetch' })
    job.run({ ...row, id: 20, recipe: '20' })
    db.exec(`
      INSERT INTO builds VALUES (5, 3, 'w1', 10, 20, NULL, '{"seconds":1}'), (6, 7, 'w1', 10, 20, '{}', NULL), (9, 8, 'w2', 10, NULL, NULL, NULL), (12, 7, 'w3', 1, 2, NULL, NULL);
      UPDATE jobs SET build = 5 WHERE id = 3; UPDATE jobs SET build = 12 WHERE id = 7; UPDATE jobs SET build = 9 WHERE id = 8;
      INSERT INTO wheels VALUES ('e', 'cffi.whl', 1, 'cffi', '1.17', 't', 'a', 1, 'd', NULL, 5, 5);
      DELETE FROM jobs WHERE id = 20`)
    const before = { ...read(db), references: references(db) }
    db.close()
    return before
  }

  function read(db: Database.Database): Record<string, unknown> {
    return { jobs: db.prepare<[], Record<string, unknown>>(jobs).all().map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !LATER.includes(name)))), builds: db.prepare(builds).all(), wheels: db.prepare(wheels).all(), columns: columns(db) }
  }

  test('keeps its jobs, builds and wheels, and all that holds them together', async () => {
    const before = fill()
    const store = openSqlite({ file })
    const db = new Database(file)
    expect({ ...read(db), references: references(db) }).toEqual(before)
    expect(db.pragma('foreign_key_check')).toEqual([])
    const old = new Database(':memory:')
    old.exec(initial)
    expect(db.prepare(schema).all()).toEqual(expect.arrayContaining(old.prepare(schema).all()))
    expect(() => db.exec("INSERT INTO builds (job, worker, started_at) VALUES (20, 'w', 1)")).toThrow('FOREIGN KEY')
    expect(() => db.exec('DELETE FROM jobs WHERE id = 3')).toThrow('FOREIGN KEY')
    expect(() => db.exec("UPDATE jobs SET kind = 'other'")).toThrow('CHECK')
    expect(() => db.exec("UPDATE jobs SET recipe = '3' WHERE id = 7")).toThrow('UNIQUE')
    old.close()
    db.close()
    store.close()
  })

  test('gives no number twice, takes trials, and knows no steps of earlier runs', async () => {
    fill()
    const store = openSqlite({ file })
    expect((await store.jobs.wish(wishFor({ kind: 'trial' }), 5)).job.id, 'job 20 was given and removed').toBe(21)
    expect(await store.jobs.get(7)).toMatchObject({ state: 'failed', failure: { class: 'missing-header' }, remembered: true, build: 12 })
    expect(await store.jobs.retryAt(7)).toBe(99)
    expect(await store.jobs.build(5)).toMatchObject({ job: 3, record: { seconds: 1 }, steps: [] })
    expect(await store.downloads.built()).toBe(1)
    expect(await store.jobs.heartbeat(9, 100), 'a run goes on').toBe(true)
    await store.jobs.step(9, 'metadata', 60)
    expect((await store.jobs.build(9))?.steps).toEqual([{ step: 'metadata', startedAt: 60 }])
    store.close()
  })

  test('has known its files for as long as their pages', async () => {
    const db = new Database(file)
    migrate(db, [initial])
    db.exec("INSERT INTO pages VALUES ('cffi', NULL, 'https://upstream.example/simple/cffi/', NULL, 77)")
    const insert = db.prepare('INSERT INTO files VALUES (?, ?, ?, ?, NULL)')
    for (const project of ['cffi', 'lost']) insert.run('a'.repeat(64), `${project}-1.0.tar.gz`, project, 'https://upstream.example/f')
    db.close()
    const began = Math.floor(Date.now() / 1000) * 1000
    const store = openSqlite({ file })
    expect(await store.pages.file('a'.repeat(64), 'cffi-1.0.tar.gz')).toMatchObject({ uploadedAt: undefined, seenAt: 77 })
    expect((await store.pages.file('a'.repeat(64), 'lost-1.0.tar.gz'))?.seenAt).toBeGreaterThanOrEqual(began)
    store.close()
  })

  test('without a single job is one too', async () => {
    const db = new Database(file)
    migrate(db, [initial])
    db.close()
    const store = openSqlite({ file })
    expect((await store.jobs.wish(wishFor(), 5)).job.id).toBe(1)
    store.close()
  })
})
