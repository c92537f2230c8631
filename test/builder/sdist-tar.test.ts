/** Every way in which a tar archive can be more than its files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArchive } from '../../src/builder/sdist-read.ts'
import { END, long, pax, raw } from '../fixtures/make-tar.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-tar-')) })
afterAll(() => rm(folder, { recursive: true }))

const BOUNDS = { entries: 100, bytes: 1 << 20 }

async function read(blocks: Buffer[], bounds = BOUNDS) {
  const path = join(folder, `${crypto.randomUUID()}.tar`)
  await writeFile(path, Buffer.concat(blocks))
  return readArchive(path, bounds)
}

const failure = (...blocks: Buffer[]) => read(blocks).then((contents) => `read: ${[...contents.texts.keys()].join()}`, (error: { failure?: object }) => error.failure ?? error)
const setup = raw({ name: 'demo-1.0/setup.py' }, 'setup()')
/** Members to whoever takes what holds them for a folder. */
const HIDDEN = Buffer.concat([raw({ name: 'demo-1.0/pyproject.toml' }, '[build-system]'), raw({ name: '../outside' })])
const binary = (bytes: number[]) => Buffer.from([...bytes, ...Array<number>(12 - bytes.length).fill(0)])

describe('refused', () => {
  test.each<[string, Buffer[], RegExp]>([
    ['a path that climbs', [setup, raw({ name: 'demo-1.0/../../etc/passwd' }), END], /"demo-1.0\/..\/..\/etc\/passwd" leads outside/],
    ['an absolute path', [setup, raw({ name: '/etc/passwd' }), END], /is absolute/],
    ['an absolute path that begins the archive', [raw({ name: '//demo-1.0/x' }), END], /is absolute/],
    ['a drive', [raw({ name: 'C:/demo-1.0/x' }), END], /begins with a drive/],
    ['backslashes', [setup, raw({ name: 'demo-1.0\\..\\x' }), END], /holds a backslash/],
    ['a control character', [setup, raw({ name: 'demo-1.0/a\nb' }), END], /"demo-1.0\/a\\nb" holds a control character/],
    ['an escape sequence', [setup, raw({ name: 'demo-1.0/\x1b[2J' }), END], /control character/],
    ['a name that is not UTF-8', [setup, raw({ name: Buffer.from('demo-1.0/caf\xe9', 'latin1') }), END], /is not UTF-8/],
    ['a name that pax calls binary', [setup, pax({ hdrcharset: 'BINARY', path: 'demo-1.0/y' }), raw({}), END], /not UTF-8/],
    ['a NUL in a name that pax gives', [setup, pax({ path: 'demo-1.0/a\0b' }), raw({}), END], /control character/],
    ['a long name', [setup, pax({ path: `demo-1.0/${'a'.repeat(256)}` }), raw({}), END], /is too long/],
    ['a long path', [setup, pax({ path: `demo-1.0${'/abcdefghi'.repeat(200)}` }), raw({}), END], /is too long/],
    ['a deep path', [setup, pax({ path: `demo-1.0${'/a'.repeat(150)}` }), raw({}), END], /is too long/],

    ['a path that pax makes climb', [setup, pax({ path: '../../etc/passwd' }), raw({ name: 'demo-1.0/fine' }), END], /leads outside/],
    ['a path that GNU makes absolute', [setup, long('L', '/etc/passwd'), raw({ name: 'demo-1.0/fine' }), END], /is absolute/],
    ['a prefix that climbs', [setup, raw({ name: 'x', prefix: '..' }), END], /leads outside/],
    ['a path for all members', [pax({ path: 'demo-1.0/setup.py' }, 'g'), raw({}), END], /sets the path of all members/],
    ['a size for all members', [pax({ size: '0' }, 'g'), setup, END], /sets the size of all members/],
    ['two names for one member', [setup, pax({ path: 'demo-1.0/a' }), long('L', 'demo-1.0/b'), raw({}), END], /two extended headers/],
    ['two names by GNU', [setup, long('L', 'demo-1.0/a'), long('L', 'demo-1.0/b'), raw({}), END], /two extended headers/],
    ['two headers by pax', [setup, pax({ path: 'demo-1.0/a' }), pax({ size: '0' }), raw({}), END], /two extended headers/],
    ['a record of another length', [setup, raw({ type: 'x' }, '99 path=demo-1.0/a\n'), raw({}), END], /cannot be read/],
    ['a record without its end', [setup, raw({ type: 'x' }, '19 path=demo-1.0/ab'), raw({}), END], /cannot be read/],
    ['a record twice', [setup, raw({ type: 'x' }, '10 path=a\n10 path=b\n'), raw({}), END], /sets the path twice/],
    ['a size that is no number', [setup, pax({ size: '-1' }), raw({}), END], /a size that is no number/],
    ['a header of a gigabyte', [setup, raw({ type: 'x', size: 1 << 30 }), END], /an extended header has 1073741824 bytes/],
    ['a header for nothing', [setup, pax({ path: 'demo-1.0/a' }), END], /a header for a member that does not come/],

    ['a negative size', [setup, raw({ size: Buffer.alloc(12, 0xff) }), END], /is no number of bytes/],
    ['a size in letters', [setup, raw({ size: Buffer.from('0000000009z\0') }), END], /is no number of bytes/],
    ['a size beyond all bounds', [setup, raw({ size: binary([0x80, 0xff, 0xff, 0xff, 0xff]) }), END], /unpacks to more than 1048576 bytes/],
    ['a size that pax raises', [setup, pax({ size: '999999999999' }), raw({}), END], /unpacks to more than/],
    ['a sparse file', [setup, raw({ type: 'S', magic: 'ustar  \0' }), END], /"demo-1.0\/x" is a sparse file/],
    ['10 GB of nothing', [setup, pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'demo-1.0/x', 'GNU.sparse.realsize': '10737418240' }), raw({}), END], /a sparse file/],

    ['a character device', [setup, raw({ type: '3' }), END], /neither a file/],
    ['a block device', [setup, raw({ type: '4' }), END], /neither a file/],
    ['a fifo', [setup, raw({ type: '6' }), END], /neither a file/],
    ['a kind that nobody knows', [setup, raw({ type: 'Z' }), END], /neither a file/],
    ['part of a larger archive', [setup, raw({ type: 'M' }), END], /neither a file/],

    ['a symbolic link out', [setup, raw({ name: 'demo-1.0/l', type: '2', linkname: '../../etc' }), END], /link "demo-1.0\/l" points outside/],
    ['a symbolic link to a folder beside', [setup, raw({ name: 'demo-1.0/l', type: '2', linkname: '../other/x' }), END], /points outside/],
    ['an absolute link', [setup, raw({ name: 'demo-1.0/l', type: '2', linkname: '/etc/passwd' }), END], /points outside/],
    ['a link to a long name', [setup, long('K', `/${'etc/'.repeat(40)}`), raw({ name: 'demo-1.0/l', type: '2' }), END], /points outside/],
    ['a link to nowhere', [setup, raw({ name: 'demo-1.0/l', type: '2' }), END], /points outside/],
    ['links that lead outside together', [setup, raw({ name: 'demo-1.0/a/b/top', type: '2', linkname: '../..' }), raw({ name: 'demo-1.0/l', type: '2', linkname: 'a/b/top/../../x' }), END], /link "demo-1.0\/l" points outside/],
    ['a link in a circle', [setup, raw({ name: 'demo-1.0/a', type: '2', linkname: 'b' }), raw({ name: 'demo-1.0/b', type: '2', linkname: 'a' }), END], /leads in a circle/],
    ['a file through a link', [setup, raw({ name: 'demo-1.0/l', type: '2', linkname: 'sub' }), raw({ name: 'demo-1.0/l/x' }), END], /"demo-1.0\/l\/x" leads through the link "demo-1.0\/l"/],
    ['a link where a folder is', [setup, raw({ name: 'demo-1.0/l/x' }), raw({ name: 'demo-1.0/l', type: '2', linkname: '.' }), END], /is a link and a folder/],
    ['a top-level folder that is a link', [raw({ name: 'demo-1.0', type: '2', linkname: '/etc' }), END], /lies outside its top-level folder/],
    ['a hard link out', [setup, raw({ name: 'demo-1.0/l', type: '1', linkname: '../etc/passwd' }), END], /points outside/],
    ['an absolute hard link', [setup, raw({ name: 'demo-1.0/l', type: '1', linkname: '/demo-1.0/setup.py' }), END], /points outside/],
    ['a hard link to what is not there', [setup, raw({ name: 'demo-1.0/l', type: '1', linkname: 'demo-1.0/y' }), END], /leads to no file before it/],
    ['a hard link to a link', [setup, raw({ name: 'demo-1.0/s', type: '2', linkname: 'setup.py' }), raw({ name: 'demo-1.0/l', type: '1', linkname: 'demo-1.0/s' }), END], /leads to no file before it/],
    ['a link that has bytes', [setup, raw({ name: 'demo-1.0/l', type: '2', linkname: 'setup.py' }, 'x'), END], /has a size/],

    ['a file twice', [setup, raw({ name: 'demo-1.0/setup.py' }, 'evil()'), END], /holds "demo-1.0\/setup.py" twice/],
    ['a file twice under two spellings', [setup, raw({ name: './demo-1.0//setup.py' }, 'evil()'), END], /twice/],
    ['a file, then a folder', [setup, raw({ name: 'demo-1.0/a' }), raw({ name: 'demo-1.0/a/', type: '5' }), END], /"demo-1.0\/a" is a file and a folder/],
    ['a file, then a file in it', [setup, raw({ name: 'demo-1.0/a' }), raw({ name: 'demo-1.0/a/b' }), END], /"demo-1.0\/a" is a file and a folder/],
    ['a folder, then a file', [setup, raw({ name: 'demo-1.0/a/b' }), raw({ name: 'demo-1.0/a' }), END], /"demo-1.0\/a" is a file and a folder/],
    ['a file with a folder\'s name', [setup, raw({ name: 'demo-1.0/a/' }), END], /a file by its kind and a folder by its name/],

    ['an old folder that pax calls a file', [setup, pax({ path: 'demo-1.0/readme' }), raw({ name: 'x/', type: '\0' }, HIDDEN), END], /"demo-1.0\/readme" is a folder by its header and a file by its name/],
    ['an old folder that GNU calls a file', [setup, long('L', 'demo-1.0/readme'), raw({ name: 'x/', type: '\0' }, HIDDEN), END], /a folder by its header/],
    ['an old file that pax calls a folder', [setup, pax({ path: 'demo-1.0/dir/' }), raw({ name: 'x', type: '\0' }, HIDDEN), END], /a file by its kind and a folder by its name/],
    ['an old file that GNU calls a folder', [setup, long('L', 'demo-1.0/dir/'), raw({ name: 'x', type: '\0' }, HIDDEN), END], /a file by its kind/],
    ['an old file that its prefix calls a folder', [setup, raw({ name: '', prefix: 'demo-1.0/dir', type: '\0' }, HIDDEN), END], /a file by its kind/],
    ['a folder of a hundred bytes that pax calls a file', [setup, pax({ path: 'demo-1.0/readme' }), raw({ name: `${'x'.repeat(99)}/`, type: '\0' }, HIDDEN), END], /a folder by its header/],

    ['a damaged header', [setup, raw({ checksum: 1 }), END], /damaged/],
    ['text instead', [Buffer.alloc(2000, 'no tar archive. ')], /damaged, or no tar archive/],
    ['a file that is cut', [raw({ name: 'demo-1.0/setup.py' }, 'x'.repeat(2000)).subarray(0, 1000)], /cut short/],
    ['a header that is cut', [setup, raw({}).subarray(0, 100)], /cut short/],
    ['bytes behind its end', [setup, END, Buffer.from('more')], /bytes follow behind its end/],
    ['members behind its end', [setup, END, raw({ name: 'demo-1.0/pyproject.toml' }), END], /bytes follow behind its end/],
    ['nothing', [], /empty/],
    ['nothing but its end', [END], /empty/],
    ['no top-level folder', [raw({ name: 'setup.py' }), END], /lies outside its top-level folder/],
    ['two of them', [setup, raw({ name: 'other/x' }), END], /more than one top-level folder: "demo-1.0" and "other"/],
  ])('%s', async (_, blocks, key) => {
    expect(await failure(...blocks)).toEqual({ class: 'bad-sdist', key: expect.stringMatching(key) })
  })

  test('101 entries of extended headers alone', async () => {
    expect(await failure(setup, ...Array.from({ length: 101 }, () => pax({ comment: 'x' }, 'g')), END)).toMatchObject({ key: 'it holds more than 100 entries' })
  })

  test('101 folders that nobody lists', async () => {
    const deep = Array.from({ length: 3 }, (_, index) => raw({ name: `demo-1.0/${index}${'/a'.repeat(40)}` }))
    expect(await failure(setup, ...deep, END)).toMatchObject({ key: 'it holds more than 100 entries' })
  })
})

describe('read', () => {
  test('names that pax, GNU and the old prefix make long', async () => {
    const deep = 'a/'.repeat(60)
    const { texts } = await read([
      setup, pax({ path: `demo-1.0/${deep}meson.build`, mtime: '1.5' }), raw({}, 'pax'), long('L', `demo-1.0/gnu/${deep}Cargo.toml`), raw({}, 'gnu'),
      raw({ name: 'CMakeLists.txt', prefix: 'demo-1.0/old' }, 'ustar'), END,
    ], { ...BOUNDS, entries: 1000 })
    expect(Object.fromEntries(texts)).toEqual({ 'setup.py': 'setup()', [`${deep}meson.build`]: 'pax', [`gnu/${deep}Cargo.toml`]: 'gnu', 'old/CMakeLists.txt': 'ustar' })
  })

  test('folders of archives older than POSIX, under long names too', async () => {
    const old = { type: '\0', magic: '' }
    const { texts } = await read([
      raw({ name: 'demo-1.0/', ...old }), raw({ name: 'demo-1.0/setup.py', ...old }, 'setup()'), pax({ path: 'demo-1.0/a/' }), raw({ name: 'x/', ...old }),
      long('L', 'demo-1.0/a/Cargo.toml'), raw({ name: `${'caf\u00e9'.repeat(19)}demo\u00e9`, ...old }, 'cut'), END,
    ])
    expect(Object.fromEntries(texts)).toEqual({ 'setup.py': 'setup()', 'a/Cargo.toml': 'cut' })
  })

  test('a long name beside a long target', async () => {
    const target = `${'./'.repeat(60)}setup.py`
    expect(await read([setup, long('K', target), long('L', 'demo-1.0/build.py'), raw({ type: '2' }), END])).toMatchObject({ texts: new Map([['setup.py', 'setup()'], ['build.py', 'setup()']]) })
  })

  test('links within, to nothing too, and texts that are links', async () => {
    const links = [['demo-1.0/src/top', '..'], ['demo-1.0/gone', 'src/none'], ['demo-1.0/back', '../demo-1.0/src'], ['demo-1.0/Cargo.toml', 'src/top/rust/Cargo.toml']]
    const { texts } = await read([setup, raw({ name: 'demo-1.0/rust/Cargo.toml' }, '[package]'), ...links.map(([name, linkname]) => raw({ name: name!, type: '2', linkname: linkname! })),
      raw({ name: 'demo-1.0/build.py', type: '1', linkname: 'demo-1.0/setup.py' }), END])
    expect(Object.fromEntries(texts)).toEqual({ 'setup.py': 'setup()', 'build.py': 'setup()', 'rust/Cargo.toml': '[package]', 'Cargo.toml': '[package]' })
  })

  test('names that differ in their case alone: the systems that build tell them apart', async () => {
    expect(await read([setup, raw({ name: 'demo-1.0/Setup.py' }, 'other()'), END])).toMatchObject({ texts: new Map([['setup.py', 'setup()'], ['Setup.py', 'other()']]) })
  })

  test('folders twice, a folder as the oldest archives write it, an archive without its end, and one filled up with zeros', async () => {
    const old = raw({ name: 'demo-1.0/sub/', type: '\0', magic: '' })
    const sub = raw({ name: 'demo-1.0/sub', type: '5' })
    expect(await read([old, sub, sub, setup])).toMatchObject({ folder: 'demo-1.0', entries: 4 })
    expect(await read([setup, END, Buffer.alloc(9000)])).toMatchObject({ folder: 'demo-1.0' })
  })

  test('what macOS writes beside the top-level folder', async () => {
    expect(await read([raw({ name: './._demo-1.0' }, 'x'), setup, raw({ name: 'demo-1.0/._setup.py' }, 'x'), END])).toMatchObject({ folder: 'demo-1.0', entries: 3 })
  })

  test('PKG-INFO at the top, and setuptools\' copy of it elsewhere, but none of another project', async () => {
    const info = (name: string) => raw({ name: `demo-1.0/${name}` }, name)
    expect(await read([setup, info('src/demo.egg-info/PKG-INFO'), info('vendor/other-2.0/PKG-INFO'), info('PKG-INFO/PKG-INFO'), END])).toMatchObject({
      texts: new Map([['setup.py', 'setup()'], ['src/demo.egg-info/PKG-INFO', 'src/demo.egg-info/PKG-INFO']]),
    })
  })

  test('setup.py in another encoding, with a mark at its beginning, and longer than anybody reads', async () => {
    const setups = [Buffer.from('# caf\xe9\nsetup(ext_modules=[x])', 'latin1'), Buffer.from('\uFEFFsetup(ext_modules=[x])'), Buffer.concat([Buffer.from('setup(ext_modules=[x])'), Buffer.alloc(2 << 20, '#')])]
    for (const body of setups) {
      const path = join(folder, `${crypto.randomUUID()}.tar`)
      await writeFile(path, Buffer.concat([raw({ name: 'demo-1.0/setup.py' }, body), END]))
      const text = (await readArchive(path, { entries: 9, bytes: 1 << 23 })).texts.get('setup.py')
      expect(text).toMatch(/^(?:# caf.\n)?setup\(ext_modules=\[x\]\)/)
      expect(text!.length).toBeLessThanOrEqual(1 << 20)
    }
  })
})
