import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDiskBlobs } from '../../src/storage/disk-blobs.ts'
import { openDraft } from '../../src/storage/draft.ts'
import { blobContract, digest } from '../contracts/blobs.ts'
import { openIn } from '../open-files.ts'
import { temporaryFolder } from './folder.ts'

blobContract('a disk', async () => {
  const { folder, remove } = await temporaryFolder()
  return { store: createDiskBlobs({ folder }), cleanup: remove }
})

let folder: string
let remove: () => Promise<void>
beforeEach(async () => { ({ folder, remove } = await temporaryFolder()) })
afterEach(() => remove())

test('a blob lies under its digest, for its owner alone, and no draft is left', async () => {
  const store = createDiskBlobs({ folder })
  const draft = await store.draft()
  await draft.write(Buffer.from('bytes'))
  await draft.keep()
  await (await store.draft()).discard()
  const sha256 = digest('bytes')
  const file = await stat(join(folder, 'sha256', sha256.slice(0, 2), sha256.slice(2, 4), sha256))
  expect(file.mode & 0o777).toBe(0o600)
  expect(await drafts(folder)).toEqual([])
})

test('what a process killed half-way wrote is never visible, and the next one sweeps it', async () => {
  const child = await leaveDraft(folder)
  const store = createDiskBlobs({ folder })
  expect(await store.sweep()).toBe(0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await drafts(folder)).toHaveLength(1)
  expect(await store.stat(digest('half'))).toBeUndefined()
  const own = await store.draft()
  await own.write(Buffer.from('own'))
  expect(await store.sweep()).toBe(1)
  expect(await store.sweep()).toBe(0)
  await own.keep()
  expect(await readdir(join(folder, 'drafts'))).toHaveLength(2)
  expect(await store.stat(digest('half'))).toBeUndefined()
})

test('descriptors are closed once nobody writes or follows', async () => {
  const store = createDiskBlobs({ folder })
  await (await store.draft()).discard()
  const before = await openIn(folder)
  for (let i = 0; i < 5; i += 1) {
    const draft = await store.draft()
    await draft.write(Buffer.from(`${i}`))
    const followers = [draft.follow(), draft.follow()]
    await draft.keep()
    for (const follower of followers) await buffer(follower)
    const dropped = await store.draft()
    const left = dropped.follow().on('error', () => {})
    await dropped.discard()
    if (!left.closed) await once(left, 'close')
  }
  expect(await openIn(folder)).toEqual(before)
})

test.skipIf(process.platform !== 'linux')('a full disk ends the draft and its followers with what to do', async () => {
  const path = join(folder, 'full')
  await symlink('/dev/full', path)
  const draft = await openDraft({ path, publish: async () => path })
  const follower = buffer(draft.follow()).catch((error: unknown) => error)
  const full = { code: 'disk-full', status: 507, detail: expect.stringContaining('make room') }
  await expect(draft.write(Buffer.from('x'))).rejects.toMatchObject(full)
  expect(await follower).toMatchObject(full)
  await expect(draft.keep()).rejects.toMatchObject(full)
  expect(await readdir(folder)).toEqual([])
})

async function leaveDraft(into: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./fixtures/leave-draft.ts', import.meta.url))
  const child = spawn(process.execPath, [script, into], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout ?? child, 'data')
  return child
}

async function drafts(of: string): Promise<string[]> {
  const entries = await readdir(join(of, 'drafts'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.lock')).map((entry) => entry.name)
}
