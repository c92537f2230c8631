import { utimes } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeUpkeepBench, type UpkeepBench } from './upkeep-bench.ts'

let bench: UpkeepBench
beforeAll(async () => { bench = await makeUpkeepBench() })
afterAll(() => bench.close())

const HOUR = 60 * 60 * 1000
const isHere = async (digest: string) => await bench.blobs.stat(digest) !== undefined
/** Whether there is a log of this build; what was opened to see it is closed. */
async function hasLog(build: number): Promise<boolean> {
  const log = await bench.logs.read(build)
  log?.body.destroy()
  return log !== undefined
}

test('what nothing refers to goes once it is old, and nothing else', async () => {
  const { loose, job: _, build: __, ...held } = bench.things
  const none = { dryRun: false, unused: { files: 0, bytes: 0 }, cache: { files: 0, bytes: 0 }, drafts: 0, logs: 0 }
  expect(await bench.upkeep.gc({ dryRun: false }), 'a publication stores blobs before its transaction').toEqual(none)
  const log = await bench.logs.open(999)
  await log.close()
  const later = bench.upkeepAt({ now: Date.now() + HOUR + 1000 })
  const freed = { ...none, unused: { files: 1, bytes: 'of no use any more'.length }, logs: 1 }
  expect(await later.gc({ dryRun: true })).toEqual({ ...freed, dryRun: true })
  expect([await isHere(loose), await hasLog(999)], 'it only says so').toEqual([true, true])
  expect(await later.gc({ dryRun: false })).toEqual(freed)
  expect([await isHere(loose), await hasLog(999), await hasLog(bench.things.build)]).toEqual([false, false, true])
  for (const [name, digest] of Object.entries(held)) expect(await isHere(digest), name).toBe(true)
  expect(await later.gc({ dryRun: false })).toEqual(none)
  expect((await bench.upkeep.fsck({ repair: false, damage: () => undefined })).found).toBe(0)
})

test('cacheSize is kept, but for what builds need', async () => {
  const { file, sdist, wheel } = bench.things
  for (const digest of [file, sdist]) await utimes(bench.pathOf(digest), 0, 0)
  expect(await bench.upkeepAt({ cacheSize: 1 }).gc({ dryRun: true })).toMatchObject({ cache: { files: 1, bytes: 15 } })
  expect(await isHere(file)).toBe(true)
  expect(await bench.upkeepAt({ cacheSize: 1 }).gc({ dryRun: false })).toMatchObject({ cache: { files: 1, bytes: 15 } })
  expect([await isHere(file), await isHere(sdist), await isHere(wheel)]).toEqual([false, true, true])
})
