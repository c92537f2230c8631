import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findHome, ownGroups } from '../../../src/engine/embedded/cgroup-home.ts'
import { cgroupsHold, findGroups, groupsIn, isGroupOf } from '../../../src/engine/embedded/cgroup.ts'

const mount = (root: string, point: string, type: string, options: string) => `31 24 0:27 ${root} ${point} rw,nosuid shared:9 - ${type} cgroup rw,${options}\n`

let top: string
beforeEach(async () => { top = await mkdtemp(join(tmpdir(), 'muslin-cgroup-')) })
afterEach(async () => rm(top, { recursive: true }))

/** A group as the kernel shows it; entering its files is what it would do. */
async function group(path: string, files: Record<string, string> = {}): Promise<string> {
  const folder = join(top, path)
  await mkdir(folder, { recursive: true })
  const all = { 'cgroup.controllers': 'cpu memory pids', 'cgroup.subtree_control': '', 'cgroup.procs': '', ...files }
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text)
  return folder
}

function homeOf(own: string, family = [10, 11]) {
  return findHome({ mountinfo: mount('/', top, 'cgroup2', 'nsdelegate'), own: `0::${own}\n`, family })
}

it('finds the own groups, of either version, as far as they are mounted', () => {
  const old = mount('/', '/sys/fs/cgroup/cpu', 'cgroup', 'cpu') + mount('/', '/sys/fs/cgroup/memory', 'cgroup', 'memory') + mount('/', '/sys/fs/cgroup/pids', 'cgroup', 'pids')
  expect(ownGroups(old, '4:memory:/a/b\n3:pids:/\n1:cpu:/c\n')).toEqual({ memory: '/sys/fs/cgroup/memory/a/b', pids: '/sys/fs/cgroup/pids' })
  expect(ownGroups(mount('/', '/sys/fs/cgroup', 'cgroup2', ''), '0::/system.slice/m.service\n')).toEqual({ unified: '/sys/fs/cgroup/system.slice/m.service', top: '/sys/fs/cgroup' })
  // In a container the mount begins at its own group, and what lies outside of it is not there.
  expect(ownGroups(mount('/docker/1', '/g', 'cgroup', 'memory'), '4:memory:/docker/1/x\n')).toEqual({ memory: '/g/x' })
  expect(ownGroups(mount('/docker/1', '/g', 'cgroup', 'memory'), '4:memory:/docker/2\n')).toEqual({})
  expect(ownGroups(mount('/', '/g', 'cgroup2', ''), '0::/../outside\n')).toEqual({})
  expect(ownGroups('', '')).toEqual({})
})

it('makes groups in the own one where that hands on its counting', async () => {
  const folder = await group('own', { 'cgroup.subtree_control': 'memory pids' })
  expect(homeOf('/own')).toEqual({ version: 2, folder })
})

it('makes room in the own one where nobody else is in it', async () => {
  const folder = await group('own', { 'cgroup.procs': '10\n11\n' })
  await group('own/muslin-server')
  await rm(join(folder, 'muslin-server'), { recursive: true })
  // No kernel makes the files of the new group here: processes cannot be seen to move, but who asks can.
  expect(homeOf('/own')).toEqual({ version: 2, folder })
  expect(await readFile(join(folder, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +pids')
  expect(await readdir(join(folder, 'muslin-server'))).toEqual(['cgroup.procs'])
})

it('goes beside the own one where others are in it, and nowhere where that cannot be', async () => {
  await group('slice/own', { 'cgroup.procs': '10\n99\n' })
  const slice = await group('slice', { 'cgroup.subtree_control': 'cpu memory pids' })
  expect(homeOf('/slice/own')).toEqual({ version: 2, folder: slice })
  await writeFile(join(slice, 'cgroup.subtree_control'), 'cpu')
  expect(homeOf('/slice/own')).toBeUndefined()
  await group('.', { 'cgroup.procs': '99\n' })
  expect(homeOf('/')).toBeUndefined()
})

it.skipIf(process.getuid?.() === 0)('makes nothing where it may not write', async () => {
  const folder = await group('own', { 'cgroup.subtree_control': 'memory pids' })
  await chmod(folder, 0o500)
  expect(homeOf('/own')).toBeUndefined()
  await chmod(folder, 0o700)
})

it('writes the limits of version 2, and reads its figures', async () => {
  const made = groupsIn({ version: 2, folder: top }).make('run-a', { memoryBytes: 1e6 + 0.5, processes: 10 })
  const folder = join(top, 'muslin-run-a')
  expect(await readFile(join(folder, 'memory.max'), 'utf8')).toBe('1000000')
  expect(await readFile(join(folder, 'pids.max'), 'utf8')).toBe('26')
  await writeFile(join(folder, 'memory.peak'), '900000\n')
  await writeFile(join(folder, 'memory.current'), '500000\n')
  await writeFile(join(folder, 'memory.events'), 'low 0\noom 4\noom_kill 3\noom_group_kill 1\n')
  expect(made.figures()).toEqual({ bytes: 500_000, peakBytes: 900_000, oomKills: 3 })
})

it('takes no other folder for a run\'s', async () => {
  const own = await group('muslin-run-a')
  expect([isGroupOf('run-a', own), isGroupOf('run-b', own), isGroupOf('run-a', dirname(own)), isGroupOf('run-a', 7), isGroupOf('run-a', `${own}/../muslin-run-a/`)])
    .toEqual([true, false, false, false, true])
  await rm(join(own, 'cgroup.procs'))
  expect(isGroupOf('run-a', own)).toBe(false)
})

it.skipIf(!(await cgroupsHold()))('holds what enters it, ends it, and is gone (on a machine where groups can be made)', async () => {
  const groups = await findGroups()
  const made = groups?.make(`test-${process.pid}`, { memoryBytes: 64 << 20, processes: 10 })
  const [file, ...args] = made?.entering ?? ['absent']
  const child = execa(file, [...args, 'sh', '-c', 'sleep 60 & echo up; wait'], { reject: false, buffer: false })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  expect(made?.figures().bytes).toBeGreaterThan(0)
  await made?.remove()
  expect((await child).signal).toBe('SIGKILL')
  await Promise.all((groups?.folders(`test-${process.pid}`) ?? []).map((folder) => expect(readdir(folder)).rejects.toThrow('ENOENT')))
})
