import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { adminToken, openDataFolder, readServerFile, writeServerFile } from '../../src/config/data-folder.ts'
import { temporaryFolder } from '../storage/folder.ts'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => { ({ folder, remove } = await temporaryFolder()) })
afterEach(() => remove())

/** As the database keeps them: the first value counts. */
function secrets() {
  const kept = new Map<string, string>()
  return { kept, secret: async (name: string, make: () => string) => { kept.set(name, kept.get(name) ?? make()); return kept.get(name)! }, replace: async (name: string, value: string) => { kept.set(name, value) } }
}

const sha256 = (value: string) => createHash('sha256').update(value).digest('hex')
const modeOf = async (path: string) => (await stat(path)).mode & 0o777

test('the folder is made, its owner\'s alone, with the folders in it; what is there stays', async () => {
  const data = join(folder, 'deep', 'data')
  const inner = [join(data, 'blobs'), join(data, 'logs')]
  await openDataFolder(data, inner)
  expect(await modeOf(data)).toBe(0o700)
  await writeFile(join(data, 'blobs', 'kept'), 'x')
  await openDataFolder(data, inner)
  expect((await readdir(data)).toSorted()).toEqual(['blobs', 'logs'])
  expect(await readdir(join(data, 'blobs'))).toEqual(['kept'])
})

test.each([
  ['is a file', 'file'],
  ['lies below a file', 'file/data'],
])('a folder that %s cannot be used, and the error says what helps', async (_how, path) => {
  await writeFile(join(folder, 'file'), '')
  const opened = openDataFolder(join(folder, path), [])
  await expect(opened).rejects.toEqual(expect.objectContaining({ code: 'data-folder' }))
  await expect(opened).rejects.toThrow(/E(EXIST|NOTDIR).*--data/)
})

test('the token is made once, told once, and kept for its owner alone', async () => {
  const store = secrets()
  const first = await adminToken(folder, store)
  expect(first.made).toMatch(/^muslin-[\w-]{32}$/)
  expect(first.sha256).toBe(sha256(first.made!))
  expect(await readFile(join(folder, 'admin-token'), 'utf8')).toBe(`${first.made}\n`)
  expect(await modeOf(join(folder, 'admin-token'))).toBe(0o600)
  expect([...store.kept.values()]).toEqual([first.sha256])

  expect(await adminToken(folder, store)).toEqual({ sha256: first.sha256, made: undefined, taken: false })
  expect(await readFile(join(folder, 'admin-token'), 'utf8')).toBe(`${first.made}\n`)
  expect(await readdir(folder)).toEqual(['admin-token'])
})

test('another token in the file is the token from the next start on', async () => {
  const store = secrets()
  await adminToken(folder, store)
  const other = 'x'.repeat(24)
  await writeFile(join(folder, 'admin-token'), `${other}\n`)
  expect(await adminToken(folder, store)).toEqual({ sha256: sha256(other), made: undefined, taken: true })
  expect(await adminToken(folder, store)).toEqual({ sha256: sha256(other), made: undefined, taken: false })
  expect([...store.kept.values()]).toEqual([sha256(other)])
  await rm(join(folder, 'admin-token'))
  expect(await adminToken(folder, store)).toMatchObject({ sha256: sha256(other), made: undefined })
})

test('a token that lies there before the first start is that, and a short one is refused', async () => {
  await writeFile(join(folder, 'admin-token'), 'short\n')
  await expect(adminToken(folder, secrets())).rejects.toThrow(/fewer than 24 characters; write a longer one/)
  await writeFile(join(folder, 'admin-token'), 'y'.repeat(30))
  expect(await adminToken(folder, secrets())).toEqual({ sha256: sha256('y'.repeat(30)), made: undefined, taken: false })
})

test('of several first starts at once one makes the token, and its file is the one that stays', async () => {
  const store = secrets()
  const all = await Promise.all(Array.from({ length: 5 }, () => adminToken(folder, store)))
  const [made, ...others] = all.flatMap((one) => one.made ?? [])
  expect(others).toEqual([])
  expect(new Set(all.map((one) => one.sha256))).toEqual(new Set([sha256(made!)]))
  expect(await readFile(join(folder, 'admin-token'), 'utf8')).toBe(`${made}\n`)
  expect(await readdir(folder)).toEqual(['admin-token'])
})

test('what a server tells of itself is read by others; the newest counts', async () => {
  const server = { url: 'http://localhost:8080', scheme: 'http', port: 8080, pid: 7, instance: 'one' } as const
  await writeServerFile(folder, { ...server, port: 1 })
  await writeServerFile(folder, server)
  expect(await readServerFile(folder)).toEqual(server)
  expect(await readdir(folder)).toEqual(['server.json'])
})

test('a folder on which no server ran, or whose file is damaged, says so', async () => {
  await expect(readServerFile(join(folder, 'none'))).rejects.toThrow('no server has run on')
  await mkdir(join(folder, 'bad'))
  await writeFile(join(folder, 'bad', 'server.json'), '{"url":')
  await expect(readServerFile(join(folder, 'bad'))).rejects.toEqual(expect.objectContaining({ code: 'data-folder' }))
})
