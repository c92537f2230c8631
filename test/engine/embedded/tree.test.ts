import { expect, it } from 'vitest'
import { descendants, machineProc, mappedNameless, marked, nameless, pageBytes, proportional, usedBy, type Proc } from '../../../src/engine/embedded/tree.ts'

/** Files by their path below /proc; what is absent throws, as a process that is gone does. */
function fakeProc(files: Record<string, string>, open: Record<string, { target: string; file: string; bytes: number }> = {}): Proc {
  const paths = [...Object.keys(files), ...Object.keys(open)]
  const known = <T>(table: Record<string, T>, path: string): T => {
    const value = table[path]
    if (value === undefined) throw new Error(`ENOENT ${path}`)
    return value
  }
  const list = (path: string) => {
    const prefix = path === '.' ? '' : `${path}/`
    const names = new Set(paths.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length).split('/')[0] ?? ''))
    if (names.size === 0) throw new Error(`ENOENT ${path}`)
    return [...names]
  }
  return {
    list,
    listDear: async (path) => list(path),
    read: (path) => known(files, path),
    readDear: async (path) => known(files, path),
    open: (path) => known(open, path),
  }
}

const stat = (pid: number, name: string, threads: number, pages: number, state = 'S', parent = 0) =>
  `${pid} (${name}) ${state} ${parent} 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 ${threads} 0 100 5000000 ${pages} 18446744073709551615`

it('finds all below a process, by whichever thread started them', () => {
  const proc = fakeProc({
    '10/task/10/children': '11 ', '10/task/12/children': '13 14 ', '11/task/11/children': '', '13/task/13/children': '15', '15/task/15/children': '',
  })
  expect(descendants(proc, 10).toSorted()).toEqual([11, 13, 14, 15])
  expect(descendants(proc, 99)).toEqual([])
})

it('counts threads and resident bytes, whatever a process calls itself, and passes over those that are gone', () => {
  const proc = fakeProc({ '1/stat': stat(1, 'sh', 1, 100), '2/stat': stat(2, ') S 1 (\n)', 7, 50) })
  expect(usedBy(proc, [1, 2, 3], 4096)).toEqual({ threads: 8, bytes: 150 * 4096, apart: [1, 2] })
})

it('counts the memory of a vforked child once, and of one lookalike a parent at most', () => {
  const twins = { '1/stat': stat(1, 'parent', 1, 100, 'D'), '2/stat': stat(2, 'child', 1, 100, 'S', 1), '3/stat': stat(3, 'lookalike', 1, 100, 'S', 1) }
  expect(usedBy(fakeProc(twins), [1, 2, 3], 4096)).toEqual({ threads: 3, bytes: 200 * 4096, apart: [1, 3] })
  expect(usedBy(fakeProc({ ...twins, '1/stat': stat(1, 'parent', 1, 100) }), [1, 2, 3], 4096).bytes).toBe(300 * 4096)
  expect(usedBy(fakeProc({ ...twins, '2/stat': stat(2, 'child', 1, 900, 'S', 1) }), [1, 2], 4096).bytes).toBe(1000 * 4096)
})

it('adds up shares of memory', async () => {
  const proc = fakeProc({ '1/smaps_rollup': 'Rss:  300 kB\nPss:  200 kB\nPss_Dirty:  1 kB\n', '2/smaps_rollup': 'Rss:  300 kB\nPss:  50 kB\n' })
  expect(await proportional(proc, [1, 2, 3])).toBe(250 * 1024)
})

it('finds open files without a name, each once, however many hold it', async () => {
  const disk = { target: '/tmp/a (deleted)', file: '1:1', bytes: 4096 }
  const proc = fakeProc({}, {
    '1/fd/3': disk, '2/fd/5': disk, '2/fd/6': { ...disk, file: '1:2' }, '2/fd/7': { target: '/tmp/b', file: '/tmp/b', bytes: 0 },
    '2/fd/8': { target: '/memfd:x (deleted)', file: '9:9', bytes: 1000 },
  })
  expect(await nameless(proc, [1, 2, 3])).toEqual({ disk: 8192, memory: 1000, closed: false })
})

it('says where a process does not let us look at its files', async () => {
  const listDear = async () => { throw Object.assign(new Error('EACCES'), { code: 'EACCES' }) }
  expect((await nameless({ ...fakeProc({}), listDear }, [1])).closed).toBe(true)
})

it('finds what is mapped of a disk without a name, each file once', async () => {
  const line = (from: number, bytes: number, device: string, inode: number, path: string) => `${from.toString(16)}-${(from + bytes).toString(16)} rw-s 00000000 ${device} ${inode}    ${path}\n`
  const proc = fakeProc({
    '1/maps': line(0x7f0000000000, 8192, 'fe:00', 7, '/tmp/a (deleted)') + line(0x7f0000100000, 4096, 'fe:00', 7, '/tmp/a (deleted)') + line(0x400000, 4096, 'fe:00', 9, '/usr/bin/x'),
    '2/maps': line(0x7f0000000000, 8192, 'fe:00', 7, '/tmp/a (deleted)') + line(0x7f0000000000, 1 << 30, '00:01', 8, '/dev/zero (deleted)'),
  })
  expect(await mappedNameless(proc, [1, 2, 3])).toBe(12288)
})

it('finds processes by a whole entry of their environment', () => {
  const proc = fakeProc({ '1/environ': 'A=b\0BUILD_RUN=x\0', '2/environ': 'BUILD_RUN=xy\0', '3/environ': 'NOT_BUILD_RUN=x\0', 'self/environ': 'BUILD_RUN=x\0' })
  expect(marked(proc, 'BUILD_RUN=x')).toEqual([1])
})

it('reads this machine', async () => {
  const { threads, bytes } = usedBy(machineProc, [process.pid], pageBytes())
  expect(threads).toBeGreaterThan(1)
  expect(bytes / process.memoryUsage.rss()).toBeCloseTo(1, 0)
  expect(await proportional(machineProc, [process.pid])).toBeGreaterThan(1 << 20)
  expect(descendants(machineProc, process.ppid)).toContain(process.pid)
})

it('takes the page size from the vector that the kernel gives', () => {
  const vector = Buffer.alloc(32)
  vector.writeBigUInt64LE(16n, 0)
  vector.writeBigUInt64LE(6n, 16)
  vector.writeBigUInt64LE(16384n, 24)
  expect(pageBytes(vector)).toBe(16384)
  expect(pageBytes(Buffer.alloc(16))).toBe(4096)
})
