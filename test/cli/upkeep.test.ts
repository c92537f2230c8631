import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createUpkeep } from '../../src/compose/upkeep.ts'
import type { Context } from '../../src/cli/context.ts'
import { run } from '../../src/main.ts'
import { claimProcessFolder } from '../../src/storage/process-folder.ts'
import { makeUpkeepBench, type UpkeepBench } from '../services/upkeep-bench.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { testContext } from './context.ts'

let bench: UpkeepBench
let folder: string
let remove: () => Promise<void>
beforeAll(async () => {
  bench = await makeUpkeepBench();
  ({ folder, remove } = await temporaryFolder())
})
afterAll(async () => {
  await bench.close()
  await remove()
})

async function muslin(words: string[], parts: Partial<Context> = {}) {
  const drawn: string[] = []
  const context = testContext({ cwd: folder, upkeep: async (...given) => createUpkeep(...given), draw: (text) => drawn.push(text), ...parts })
  const exit = await run(words, context)
  return { exit, out: context.printed.join('\n'), err: context.warned.join('\n'), drawn }
}

test('a backup is written, shown on a terminal, and restored', async () => {
  const terminal = { output: true, error: true, columns: () => 80 }
  const { exit, out, err, drawn } = await muslin(['backup', 'all.tar.zst', '--data', bench.folder], { terminal })
  expect([exit, out, err]).toEqual([0, expect.stringMatching(/^all\.tar\.zst holds the database, 9 blobs \(.*B\) and 1 file of logs$/), ''])
  expect(drawn.join('')).toMatch(/\[#+\] .*B of /)
  expect((await stat(join(folder, 'all.tar.zst'))).mode & 0o777).toBe(0o600)
  expect(await muslin(['restore', 'all.tar.zst', '--data', 'there'])).toMatchObject({ exit: 0, out: expect.stringMatching(/^restored as of \S+: 9 blobs /), err: '' })
  expect(await muslin(['restore', 'all.tar.zst', '--data', 'there'])).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('there is not empty; restore into another folder by --data, or give --force') })
  const forced = await muslin(['restore', 'all.tar.zst', '--data', 'there', '--force', '--json'])
  expect(JSON.parse(forced.out)).toMatchObject({ blobs: 9, moved: join(folder, 'there.replaced-1') })
  expect(await muslin(['fsck', '--data', 'there'])).toMatchObject({ exit: 0, out: expect.stringMatching(/^9 blobs \(.*\) looked at: all is right$/) })
})

test('a backup goes through a pipe', async () => {
  const pipe = new PassThrough()
  const whole = buffer(pipe)
  const { exit, out, err } = await muslin(['backup', '-', '--data', bench.folder, '--no-cache'], { bytes: { output: () => pipe, input: () => Readable.from([]) } })
  expect([exit, out, err]).toEqual([0, '', expect.stringMatching(/^the backup holds the database, 7 blobs/)])
  const bytes = await whole
  expect(await muslin(['restore', '-', '--data', 'piped'], { bytes: { output: () => pipe, input: () => Readable.from([bytes]) } })).toMatchObject({ exit: 0, out: expect.stringContaining('fetched again') })
})

test('words that cannot be are refused, and nothing is left of what failed', async () => {
  expect(await muslin(['backup', 'all.zip', '--data', bench.folder])).toMatchObject({ exit: 3, err: expect.stringContaining('.tar.zst, .tar, or -') })
  expect(await muslin(['backup', '-', '--json', '--data', bench.folder])).toMatchObject({ exit: 3 })
  expect(await muslin(['backup', 'none.tar', '--data', 'nowhere'])).toMatchObject({ exit: 3, err: expect.stringContaining('--data') })
  for (const name of ['none.tar', 'none.tar.partial']) await expect(stat(join(folder, name))).rejects.toThrow('ENOENT')
  await writeFile(join(folder, 'odd.tar'), 'no archive')
  expect(await muslin(['restore', 'odd.tar', '--data', 'odd'])).toMatchObject({ exit: 3, err: expect.stringContaining('The backup cannot be used') })
  for (const command of ['fsck', 'gc']) expect(await muslin([command, '--data', 'nowhere'])).toMatchObject({ exit: 3, err: expect.stringContaining('has no database') })
})

test('gc works on the folder itself where no server does, and asks the server else', async () => {
  expect(await muslin(['gc', '--data', bench.folder, '--dry-run'])).toMatchObject({ exit: 0, out: expect.stringMatching(/^0 B would be freed\n0 blobs that nothing refers to would go/) })
  expect(JSON.parse((await muslin(['gc', '--data', bench.folder, '--json'])).out)).toMatchObject({ dryRun: false, unused: { files: 0 } })
  await mkdir(join(bench.folder, 'scratch'), { recursive: true })
  const { lock } = claimProcessFolder(join(bench.folder, 'scratch'))
  expect(await muslin(['gc', '--data', bench.folder, '--server', 'http://127.0.0.1:1'])).toMatchObject({ exit: 1, err: expect.stringContaining('nothing listens there') })
  expect(await muslin(['gc', '--data', bench.folder])).toMatchObject({ exit: 3, err: expect.stringContaining('no server has run') })
  lock.close()
})

test('fsck ends with 2 where damage is left, and names each with what was done', async () => {
  await writeFile(bench.pathOf(bench.things.wheel), 'other bytes')
  const looked = await muslin(['fsck', '--data', bench.folder])
  expect(looked).toMatchObject({ exit: 2, out: expect.stringMatching(/^damage {2}damaged-wheel {2}demo-1\.0-1-\S+: a wheel that was built here has other bytes than its digest says\n.*1 left; muslin fsck --repair mends what can be$/) })
  const repaired = await muslin(['fsck', '--repair', '--json', '--data', bench.folder])
  expect([repaired.exit, JSON.parse(repaired.out)]).toMatchObject([0, { found: 1, left: 0, damages: [{ kind: 'damaged-wheel', repaired: true, detail: 'its job is queued' }] }])
  expect(String(await readFile(join(bench.folder, 'blobs/set-aside', bench.things.wheel)))).toBe('other bytes')
  expect(await muslin(['fsck', '--data', bench.folder])).toMatchObject({ exit: 0 })
})
