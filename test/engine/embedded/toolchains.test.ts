import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { execa } from 'execa'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EMBEDDED, type Interpreter } from '../../../src/engine/embedded/interpreters.ts'
import type { Pinned } from '../../../src/engine/embedded/pins.ts'
import { publishFolder, sweepUnpublished } from '../../../src/engine/embedded/publish.ts'
import { createToolchains } from '../../../src/engine/embedded/toolchains.ts'
import { runTrusted } from '../../../src/engine/embedded/trusted.ts'
import { unpackPinned } from '../../../src/engine/embedded/unpack.ts'
import { wheelContents, zip } from '../../fixtures/make-wheel.ts'

let folder: string
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-toolchains-')) })
afterEach(() => rm(folder, { recursive: true }))

const log = pino({ level: 'silent' })

describe('a toolchain', () => {
  const interpreter = (executable: string, more: Partial<Interpreter> = {}): Interpreter => ({
    executable, version: '3.13.0', minor: '3.13', prefix: '/opt/python', prefixes: ['/opt/python'], libc: 'glibc', include: [], headers: true, complete: true, ...more,
  })
  const compiles = { target: 'x86_64-linux-musl', languages: 'c' } as const
  const image = (python: string, languages?: 'c' | 'c++') => ({ kind: 'interpreter' as const, python, ...(languages ? { compiles: { ...compiles, languages } } : {}) })
  const chains = (interpreters: Interpreter[], wheel = async () => Readable.from([Buffer.from('no wheel')])) =>
    createToolchains({ folder: join(folder, 'toolchain'), interpreters, cpu: 'x86_64', wheel, log })

  test('has the same digest wherever the interpreter lies, whatever it compiles, and another for another Python or none to compile', async () => {
    const paths = ['a', 'b', 'c', 'd'].map((name) => join(folder, name)) as [string, string, string, string]
    for (const path of paths) await writeFile(path, '')
    const [a, b, c, d] = paths
    const roots = chains([interpreter(a), interpreter(b, { prefix: '/other' }), interpreter(c, { version: '3.13.1' }), interpreter(d, { libc: 'musl' })])
    const one = await roots.digest(image(a, 'c'))
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(await roots.digest(image(b, 'c++'))).toBe(one)
    expect(await chains([interpreter(a)]).digest(image(a, 'c'))).toBe(one)
    const others = await Promise.all([image(c, 'c'), image(d, 'c'), image(a)].map((source) => roots.digest(source)))
    expect(new Set([one, ...others]).size).toBe(4)
  })

  test('has none where its interpreter is gone, or was never found', async () => {
    const roots = chains([interpreter(join(folder, 'gone'))])
    expect(await roots.digest(image(join(folder, 'gone'), 'c'))).toBeUndefined()
    expect(await roots.digest(image('/bin/sh'))).toBeUndefined()
    await expect(roots.image(image('/bin/sh'))).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringContaining('/bin/sh') })
    await expect(roots.image({ kind: 'ready', ref: 'x' })).rejects.toMatchObject({ code: 'image-unavailable' })
    expect(() => roots.root('x')).toThrow(/not made ready/)
  })

  test('takes no bytes but those that are pinned, and leaves nothing of others', async () => {
    const python = join(folder, 'python3')
    await writeFile(python, '')
    await expect(chains([interpreter(python)]).image(image(python, 'c'))).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringMatching(/not those that are pinned.*the project/) })
    expect(await readdir(join(folder, 'toolchain'))).toEqual([])
  })
})

describe('a wheel', () => {
  const pinned = (bytes: Uint8Array): Pinned => ({
    project: 'demo', version: '1.0', filename: 'demo-1.0-py3-none-any.whl', sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length,
  })

  test('is unpacked with its modes, without what is unwanted', async () => {
    const bytes = await zip(wheelContents({ 'demo/run': '#!/bin/sh\n', 'demo/lib/a.h': 'a', 'demo/lib/foreign/b.h': 'b' }), ['demo/run'])
    const to = join(folder, 'to')
    await mkdir(to)
    await unpackPinned(pinned(bytes), { python: 'python3', folder: to, wheel: async () => Readable.from([bytes]), unwanted: 'demo/lib/(?!a)' })
    expect((await readdir(join(to, 'demo'), { recursive: true })).sort()).toEqual(['lib', 'lib/a.h', 'run'])
    expect((await stat(join(to, 'demo/run'))).mode & 0o777).toBe(0o755)
    expect((await stat(join(to, 'demo/lib/a.h'))).mode & 0o111).toBe(0)
    expect(await readdir(folder)).toEqual(['to'])
  })

  test('that is longer than it should be is not read to its end', async () => {
    const pin = pinned(Buffer.from('a'))
    const endless = Readable.from((function* () { for (;;) yield Buffer.alloc(1000) })())
    await expect(unpackPinned(pin, { python: 'python3', folder: join(folder, 'to'), wheel: async () => endless })).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringContaining('larger') })
  })
})

describe('a folder', () => {
  test('can be read by every user, whatever the umask', async () => {
    // Builds are other users, whatever this one's umask says.
    const before = process.umask(0o077)
    await publishFolder(join(folder, 'private'), async (at) => writeFile(join(at, 'file'), '')).finally(() => process.umask(before))
    expect([(await stat(join(folder, 'private'))).mode & 0o777, (await stat(join(folder, 'private/file'))).mode & 0o777]).toEqual([0o755, 0o644])
  })

  test('is made once, whole or not at all', async () => {
    const path = join(folder, 'made')
    await expect(publishFolder(path, async (at) => { await writeFile(join(at, 'half'), ''); throw new Error('enough') })).rejects.toThrow('enough')
    expect(await readdir(folder)).toEqual([])
    const make = (text: string) => publishFolder(path, async (at) => writeFile(join(at, 'whole'), text))
    await Promise.all([make('a'), make('b')])
    await make('c')
    expect(await readFile(join(path, 'whole'), 'utf8')).toMatch(/^[ab]$/)
    expect(await readdir(folder)).toEqual(['made'])
  })

  test('that a killed process left half made is swept, and not one that is being made', async () => {
    await mkdir(join(folder, '.new-1'))
    await mkdir(join(folder, 'made'))
    await sweepUnpublished(folder, Date.now() + 60_000)
    expect((await readdir(folder)).sort()).toEqual(['.new-1', 'made'])
    await sweepUnpublished(folder, Date.now() + 24 * 60 * 60_000)
    expect(await readdir(folder)).toEqual(['made'])
  })
})

test('a tool that fails says so in one line', async () => {
  await expect(runTrusted('sh', ['-c', 'echo first >&2; echo the reason >&2; exit 3'])).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringMatching(/^[^\n]*\(the reason\)$/) })
})

test('one that is absent says that', async () => {
  await expect(runTrusted('/nowhere/cc', ['-O2'])).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringMatching(/^[^\n]*\/nowhere\/cc: No such file[^\n]*\)$/) })
})

describe('our compilers', () => {
  /** They run beside a zig that writes down what it was called with, one line a call. */
  async function call(name: string, ...args: string[]): Promise<string[]> {
    await mkdir(join(folder, 'zig/lib'), { recursive: true })
    await writeFile(join(folder, 'zig/zig'), `#!/bin/sh\n[ -d "$ZIG_LIB_DIR" ] || exit 1\necho "$@" >> ${folder}/calls\nprev=; for a; do [ "$prev" = -o ] && : > "$a"; prev=$a; done; true\n`, { mode: 0o755 })
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'bin', name), await readFile(`${EMBEDDED}bin/compile`), { mode: 0o755 })
    await mkdir(join(folder, 'tmp'))
    await mkdir(join(folder, 'warm/o/1'), { recursive: true })
    for (const part of ['b', 'h']) await mkdir(join(folder, 'warm', part))
    await execa(join(folder, 'bin', name), args, { cwd: folder, env: { TMPDIR: join(folder, 'tmp'), MUSLIN_CACHE: join(folder, 'warm'), MUSLIN_HEADERS: '/headers' } })
    const text = await readFile(join(folder, 'calls'), 'utf8').catch(() => '')
    return text.split('\n').filter((line) => line !== '').map((line) => line.replace(/\/\S*\/tmp\.\w+\//g, 'TMP/').replace(/^(\S+) -target \w+-linux-musl/, '$1'))
  }

  test('compile with the flags of the command', async () => {
    expect(await call('gcc', '-O3', '-march=x86-64-v3', '-Iinc', '-c', 'a.c', '-o', 'a.o')).toEqual([
      'cc -fno-sanitize=undefined -Qunused-arguments -O3 -march=x86-64-v3 -Iinc -c a.c -o a.o -idirafter /headers',
    ])
  })

  test('link each time with the same flags, so that one library serves all', async () => {
    expect(await call('c++', '-shared', '-g', '-O3', '-march=x86-64-v3', '-flto', 'a.o', '-L/lib', '-lm', '-Wl,-O1', '-Wl,--exclude-libs,ALL', '-o', 'a.so')).toEqual([
      'c++ -O2 -s -fno-sanitize=undefined -Qunused-arguments -shared a.o -L/lib -lm -Wl,-O1 -o a.so',
    ])
  })

  test('compile first where a command does both', async () => {
    expect(await call('cc', '-mavx2', '-D', 'A=1', 'a.c', '-MF', 'a.d', 'b.o', '-lm', '-o', 'a')).toEqual([
      'cc -c -fno-sanitize=undefined -Qunused-arguments -mavx2 -D A=1 -MF a.d -idirafter /headers a.c -o TMP/1.o',
      'cc -O2 -s -fno-sanitize=undefined -Qunused-arguments TMP/1.o b.o -lm -o a',
    ])
    expect(await readdir(join(folder, 'tmp'))).toEqual(['muslin-zig'])
  })

  test('know no folders of one kind of machine', async () => {
    expect(await call('cc', '-print-multiarch')).toEqual([])
  })

  test('write into a copy of what was compiled before', async () => {
    await call('cc', '--version')
    const cache = join(folder, 'tmp/muslin-zig')
    await access(join(cache, 'o/1'))
    await writeFile(join(cache, 'h/mine'), '')
    await mkdir(join(cache, 'o/mine'))
    expect([await readdir(join(folder, 'warm/h')), await readdir(join(folder, 'warm/o'))]).toEqual([[], ['1']])
  })
})
