/** What the container tests are made of, as far as it can be told without an engine. */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertAdded, NO_COMPILER } from './e2e/added-lines.ts'
import { digestOf } from './e2e/digest.ts'
import { greatestOverlap } from './e2e/overlap.ts'
import { listens, portIs } from './e2e/ports.ts'

describe('the digest of sources', () => {
  let root: string
  const digest = () => digestOf(root, ['src', 'cells.toml'])
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'muslin-digest-'))
    await mkdir(join(root, 'src/deep'), { recursive: true })
    await writeFile(join(root, 'src/deep/a.ts'), 'one')
    await writeFile(join(root, 'cells.toml'), 'cells')
  })
  afterEach(() => rm(root, { recursive: true }))

  test('stays while nothing of them is changed, whatever lies beside them', async () => {
    const before = await digest()
    await writeFile(join(root, 'other.toml'), 'x')
    await mkdir(join(root, 'src/__pycache__'))
    await writeFile(join(root, 'src/__pycache__/a.pyc'), 'x')
    expect(await digest()).toBe(before)
  })

  test.each([
    ['src/deep/a.ts', 'two'], ['src/deep/b.ts', 'new'], ['cells.toml', 'other'],
  ])('is another one once %s is %s', async (path, text) => {
    const before = await digest()
    await writeFile(join(root, path), text)
    expect(await digest()).not.toBe(before)
  })

  test('does not take a file that is not there for none', async () => {
    await expect(digestOf(root, ['absent'])).rejects.toThrow(/absent/)
  })
})

describe('the greatest overlap', () => {
  const runs = (...spans: [number, number | null][]) => spans.map(([started_at, finished_at]) => ({ started_at, finished_at }))

  test.each([
    ['none', runs(), 0],
    ['one', runs([0, 9]), 1],
    ['one after the other', runs([0, 10], [10, 20], [20, 30]), 1],
    ['two rounds of two', runs([0, 10], [1, 11], [11, 20], [10, 21]), 2],
    ['a long one beside short ones, in any order', runs([5, 6], [0, 100], [6, 7], [50, 60]), 2],
    ['three, though each pair meets elsewhere too', runs([0, 10], [3, 20], [9, 12], [15, 30]), 3],
    ['the same span', runs([3, 4], [3, 4], [3, 4]), 3],
  ])('of %s', (_, spans, most) => expect(greatestOverlap(spans)).toBe(most))

  test('of what still runs is unknown', () => expect(() => greatestOverlap(runs([0, null]))).toThrow(/not ended/))
})

test('a port is waited for until it is open, or closed', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const before = Date.now()
  expect(await portIs(port, 'open')).toBeGreaterThanOrEqual(before)
  await expect(portIs(port, 'closed', 0)).rejects.toThrow(`port ${port} is still not closed`)
  server.close()
  await portIs(port, 'closed')
  expect(await listens(port)).toBeUndefined()
  await expect(portIs(port, 'open', 0)).rejects.toThrow('is still not open')
})

describe('what lock-hashes adds', () => {
  const ROOT = 'http://muslin.example:8080'
  const [ours, theirs] = ['a'.repeat(64), 'b'.repeat(64)]
  const wheel = { filename: 'lz4-4.4.5-1-cp313-cp313-musllinux_1_2_x86_64.whl', sha256: ours }
  const url = `${ROOT}/files/${ours}/${wheel.filename}`
  const LOCKS = {
    'compiled.txt': ['lz4==4.4.5 \\', `    --hash=sha256:${ours} \\`, `    --hash=sha256:${theirs}`],
    'uv.lock': ['name = "lz4"', 'wheels = [', `    { url = "${url}", hash = "sha256:${ours}", size = 7 },`, ']'],
    'pylock.toml': ['name = "lz4"', '', '[[packages.wheels]]', `name = "${wheel.filename}"`, `url = "${url}"`, 'size = 7', '', '[packages.wheels.hashes]', `sha256 = "${ours}"`],
  }
  const text = (lines: string[]) => `${lines.join('\n')}\n`
  const before = (file: keyof typeof LOCKS) => (file === 'compiled.txt' ? text([LOCKS[file][0]!, LOCKS[file][2]!]) : text(LOCKS[file].slice(0, 1)))
  const added = (file: keyof typeof LOCKS, change = (after: string) => after) => assertAdded(`/locks/${file}`, before(file), change(text(LOCKS[file])), [wheel], ROOT)

  test.each([['compiled.txt', 1], ['uv.lock', 3], ['pylock.toml', 8]] as const)('to %s: %i lines', (file, count) => expect(added(file)).toHaveLength(count))

  test.each<[string, keyof typeof LOCKS, (after: string) => string, RegExp]>([
    ['a line that is gone', 'compiled.txt', (after) => after.replace(`    --hash=sha256:${theirs}\n`, ''), /deep/],
    ['another hash', 'compiled.txt', (after) => after.replace(ours, 'c'.repeat(64)), /cccc/],
    ['the hash twice', 'compiled.txt', (after) => after.replace(/^ +--hash.*\n/m, '$&$&'), /aaaa/],
    ['no hash', 'uv.lock', (after) => after.replace(`"sha256:${ours}"`, '""'), /url/],
    ['a URL that leads elsewhere', 'uv.lock', (after) => after.replace(ROOT, 'http://other.example'), /other\.example/],
    ['a URL of another file', 'pylock.toml', (after) => after.replace(`/${wheel.filename}"`, '/other.whl"'), /other\.whl/],
    ['another name', 'pylock.toml', (after) => after.replace(`name = "${wheel.filename}"`, 'name = "other.whl"'), /other\.whl/],
    ['a line that belongs to no entry', 'pylock.toml', (after) => `${after}[tool.other]\n`, /tool\.other/],
    ['an entry\'s line in a lock of another kind', 'compiled.txt', (after) => `${after}size = 7\n`, /size = 7/],
  ])('%s is not what it may be', (_, file, change, why) => expect(() => added(file, change)).toThrow(why))
})

test.each([
  ["error: command 'gcc' failed: No such file or directory", true],
  ["error: [Errno 2] No such file or directory: 'cc'", true],
  ["error: command '/usr/bin/x86_64-linux-musl-g++' failed: No such file or directory", true],
  ["error: [Errno 2] No such file or directory: 'README.rst'", false],
  ["error: command 'gcc' failed with exit code 1", false],
])('%s: that no compiler is there is %s', (said, isSo) => expect(NO_COMPILER.test(said)).toBe(isSo))
