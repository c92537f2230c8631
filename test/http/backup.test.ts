/** A backup of a server's data folder while it is asked for pages and files, and publishes. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createUpkeep } from '../../src/compose/upkeep.ts'
import { createFiles } from '../../src/services/files.ts'
import type { Upstream } from '../../src/services/ports.ts'
import { createDiskBlobs } from '../../src/storage/disk-blobs.ts'
import { openSqlite } from '../../src/storage/sqlite/open.ts'
import { buffer } from 'node:stream/consumers'
import { systemClock } from '../../src/clock.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { makeRig, type Rig, TARGET } from './rig.ts'

let rig: Rig
beforeEach(async () => { rig = await makeRig() })
afterEach(() => rig.close())

const log = pino({ level: 'silent' })
const bytesOf = (name: string) => Buffer.alloc(200_000, name)
const wheel = (name: string) => `${name}-1-py3-none-any.whl`
const path = (name: string) => `/files/${sha256(bytesOf(name))}/${wheel(name)}`

async function see(name: string): Promise<void> {
  rig.upstream.project(name, [{ filename: wheel(name), bytes: bytesOf(name) }, { filename: `${name}-1.tar.gz`, bytes: Buffer.from(`${name} sdist`) }])
  expect((await rig.get(`/simple/${name}/`)).status).toBe(200)
  expect((await rig.get(path(name))).status).toBe(200)
}

async function publish(name: string): Promise<{ sha256: string; filename: string }> {
  await rig.store.jobs.wish({ kind: 'build', project: name, version: '1', sdist: { sha256: sha256(`${name} sdist`), filename: `${name}-1.tar.gz` }, target: TARGET, recipe: '', image: 'image-1', priority: 40, askedBy: 'x' }, rig.clock.now())
  const bytes = Buffer.from(`${name}, built`)
  await rig.publish(await rig.claim(), bytes, `Metadata-Version: 2.1\nName: ${name}\nVersion: 1\n`)
  const [built] = await rig.store.wheels.wheels(name)
  return { sha256: sha256(bytes), filename: built!.filename }
}

test('under load holds all that was there when it began, and another server serves it', async () => {
  await rig.ready()
  const before = ['a', 'b', 'c']
  for (const name of before) await see(name)
  const built = await publish('a')
  let running = true
  let seen = 0
  const load = (async () => {
    for (; running; seen += 1) {
      await see(`n${seen}`)
      if (seen % 3 === 0) await publish(`n${seen}`)
    }
  })()
  const { folder, remove } = await temporaryFolder()
  const upkeepOf = (data: string) => createUpkeep({ data, cacheSize: undefined }, { log, clock: systemClock, cwd: '/' })
  while (seen < 2) await new Promise((resolve) => setImmediate(resolve))
  const atStart = seen
  const { gone } = await upkeepOf(rig.folder).backup({ out: createWriteStream(join(folder, 'all.tar.zst')), compress: true, cache: true })
  running = false
  await load
  expect(gone).toEqual([])

  const data = join(folder, 'data')
  await upkeepOf(data).restore({ source: join(folder, 'all.tar.zst'), force: false })
  expect(await upkeepOf(data).fsck({ repair: false, damage: ({ kind, name }) => { throw new Error(`${kind} ${name}`) } })).toMatchObject({ left: 0 })
  const store = openSqlite({ file: join(data, 'muslin.db') })
  const blobs = createDiskBlobs({ folder: join(data, 'blobs') })
  const away = { file: async () => { throw new Error('the upstream is away') } } as unknown as Upstream
  const files = createFiles({ store, blobs, upstream: away, clock: rig.clock, log })
  for (const name of [...before, ...Array.from({ length: atStart }, (_, i) => `n${i}`)]) {
    expect((await store.pages.get(name))?.json?.includes(sha256(bytesOf(name))), name).toBe(true)
    expect(sha256(await buffer(await files.blob(sha256(bytesOf(name)), wheel(name))))).toBe(sha256(bytesOf(name)))
  }
  expect(sha256(await buffer(await files.blob(built.sha256, built.filename)))).toBe(built.sha256)
  expect(await store.secrets.secret('instance', () => 'none')).toBe(await rig.store.secrets.secret('instance', () => 'none'))
  blobs.close()
  store.close()
  await remove()
})
