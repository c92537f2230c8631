import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBuildLogs } from '../../src/storage/build-logs.ts'
import { logsContract } from '../contracts/logs.ts'
import { logText } from '../log-text.ts'
import { openIn } from '../open-files.ts'
import { temporaryFolder } from './folder.ts'

logsContract('a disk', async (capBytes) => {
  const { folder, remove } = await temporaryFolder()
  return { logs: createBuildLogs({ folder, capBytes }), another: createBuildLogs({ folder, capBytes }), cleanup: remove }
})

let folder: string
let remove: () => Promise<void>
beforeEach(async () => { ({ folder, remove } = await temporaryFolder()) })
afterEach(() => remove())

test('what a killed process had written is readable, head, gap and tail', async () => {
  const script = fileURLToPath(new URL('./fixtures/log-and-wait.ts', import.meta.url))
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const expected = 'aaaaaaabbb\nMuslin: 29 bytes of the log are missing here\nfffggggggg'
  expect(await logText(createBuildLogs({ folder, capBytes: 20 }), 1)).toBe(expected)
})

test('a long log takes one and a half times its cap on disk, and its files are their owner\'s alone', async () => {
  const logs = createBuildLogs({ folder, capBytes: 1000 })
  const sink = await logs.open(3)
  for (let i = 0; i < 1000; i += 1) sink.write('x'.repeat(77))
  await sink.close()
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const stats = await Promise.all(files.map((entry) => stat(join(entry.parentPath, entry.name))))
  expect(stats.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(1500)
  for (const { mode } of stats) expect(mode & 0o777).toBe(0o600)
})

test('without a cap named, 16 MiB are kept', async () => {
  const logs = createBuildLogs({ folder })
  const sink = await logs.open(1)
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  for (let i = 0; i < 40; i += 1) sink.write(chunk)
  await sink.close()
  const text = await logText(logs, 1)
  expect(text).toContain(`${24 * 1024 * 1024} bytes of the log are missing`)
  expect(text.length).toBeLessThan(16 * 1024 * 1024 + 100)
})

test('readers close what they opened, read to the end or not', async () => {
  const logs = createBuildLogs({ folder, capBytes: 20 })
  const sink = await logs.open(1)
  sink.write('x'.repeat(100))
  await sink.close()
  for (let i = 0; i < 5; i += 1) {
    await logText(logs, 1)
    const left = await logs.read(1)
    left?.body.destroy()
  }
  await vi.waitFor(async () => expect(await openIn(folder)).toEqual([]))
})

test.skipIf(process.platform !== 'linux')('a full disk ends the log, not the build', async () => {
  await symlink('/dev/full', join(folder, '1.log'))
  const warn = vi.fn()
  const sink = await createBuildLogs({ folder, log: { warn } }).open(1)
  sink.write('lost')
  sink.write('lost too')
  await sink.close()
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ build: 1, err: expect.objectContaining({ code: 'ENOSPC' }) }), expect.any(String))
})

test('a folder that cannot be made is said at once', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await expect(createBuildLogs({ folder: file }).open(1)).rejects.toMatchObject({ code: 'data-folder' })
})
