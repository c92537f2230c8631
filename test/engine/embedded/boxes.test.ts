import { describe, expect, it } from 'vitest'
import { bubblewrapBox } from '../../../src/engine/embedded/box-bubblewrap.ts'
import { noBox, translator } from '../../../src/engine/embedded/box-none.ts'
import { unshareBox } from '../../../src/engine/embedded/box-unshare.ts'
import { began, type Inside } from '../../../src/engine/embedded/box.ts'

const run: Inside = {
  id: 'run-a-1',
  mounts: [{ kind: 'read', from: '/usr', to: '/usr' }, { kind: 'write', from: '/runs/a/0', to: '/tmp' }],
  network: 'none', stage: '/runs/a/stage', user: 2_015_000_000, env: { PATH: '/usr/bin', TMPDIR: '/tmp' }, cwd: '/tmp', command: ['make', '-C', '/tmp/x y'],
  limits: { diskBytes: 1000.5, processes: 100, files: 64, cores: [1] },
}
const launcher = '/opt/python/bin/python3'
const plain: Inside = { ...run, user: undefined }

describe.each([
  ['bubblewrap as root', bubblewrapBox({ root: true, nested: true, launcher }).enclose(run)],
  ['bubblewrap as a plain user', bubblewrapBox({ root: false, nested: true, launcher }).enclose(plain)],
  ['unshare as root', unshareBox({ root: true, nested: true, launcher }).enclose(run)],
  ['unshare as a plain user', unshareBox({ root: false, nested: true, launcher }).enclose(plain)],
])('%s', (_, args) => {
  it('takes the network, the other processes and their memory away', () => {
    for (const namespace of ['net', 'pid', 'ipc', 'uts']) expect(args.some((arg) => arg === `--${namespace}` || arg === `--unshare-${namespace}`)).toBe(true)
  })
  it('ends with the server', () => {
    expect(args.includes('--die-with-parent') || args.includes('--kill-child=KILL')).toBe(true)
    expect(args[5]).toBe(String(process.pid))
  })
  it('is started by the launcher, before any other program', () => {
    expect(args.slice(0, 4)).toEqual([launcher, '-I', '-S', '-E'])
    expect(args[4]).toMatch(/launch\.py$/)
  })
  it('closes user namespaces, in one that holds the command alone', () => {
    const close = args.findIndex((arg) => arg.includes('max_user_namespaces'))
    expect(close).toBeGreaterThan(args.indexOf('--map-user=1000'))
    expect(args.slice(close)).toEqual(expect.arrayContaining(['--no-new-privs', '--bounding-set=-all', 'make']))
  })
  it('limits processes, files and dumps', () => {
    for (const limit of ['--nproc=104', '--nofile=64', '--core=0', `--fsize=${1000 + (1 << 20)}`]) expect(args).toContain(limit)
    expect(args.slice(args.indexOf('taskset'), args.indexOf('taskset') + 3)).toEqual(['taskset', '-c', '1'])
  })
  it('has the command last, with its environment alone', () => {
    expect(args.slice(-4)).toEqual(['/tmp', 'make', '-C', '/tmp/x y'])
    const env = args.lastIndexOf('env')
    expect(args.slice(env, env + 5)).toEqual(['env', '-i', 'PATH=/usr/bin', 'TMPDIR=/tmp', 'sh'])
  })
})

it('becomes the run\'s own user, after the mounts are made and before it can do anything else', () => {
  for (const args of [bubblewrapBox({ root: true, nested: true, launcher }).enclose(run), unshareBox({ root: true, nested: true, launcher }).enclose(run)]) {
    const becomes = args.indexOf('--reuid=2015000000')
    expect(becomes).toBeGreaterThan(args.indexOf('/runs/a/0'))
    expect(args.slice(becomes)).toEqual(expect.arrayContaining(['--clear-groups', '--no-new-privs', '--bounding-set=-all', '--map-user=1000']))
  }
})

it('shows the real user where no namespace can show another', () => {
  const box = bubblewrapBox({ root: true, nested: false, launcher })
  expect(box.enclose(run)).not.toContain('--map-user=1000')
  expect(box.shownUser(2_015_000_000)).toBe(2_015_000_000)
  expect(bubblewrapBox({ root: true, nested: true, launcher }).shownUser(2_015_000_000)).toBe(1000)
})

it('keeps the network of a fetch run, and sets no limit on processes that would count the server\'s own', () => {
  const fetching = { ...plain, network: 'fetch' as const, limits: { ...plain.limits, processes: undefined, cores: undefined } }
  for (const box of [bubblewrapBox({ root: false, nested: true, launcher }), unshareBox({ root: false, nested: true, launcher })]) {
    const args = box.enclose(fetching)
    for (const absent of ['--unshare-net', '--net', 'taskset']) expect(args).not.toContain(absent)
    expect(args.join(' ')).not.toContain('--nproc')
  }
})

it('puts the paths of a run in place of a box\'s where there is no box', () => {
  const { word, inScript } = translator([
    { kind: 'write', from: '/runs/a/0', to: '/tmp' }, { kind: 'write', from: '/runs/a/1', to: '/tmp/inner' },
    { kind: 'read', from: '/data/zig', to: '/opt/zig' }, { kind: 'read', from: '/usr', to: '/usr' }, { kind: 'read', from: '/runs/a/etc', to: '/etc' },
  ])
  expect(word('/tmp')).toBe('/runs/a/0')
  expect(word('-I/tmp/x')).toBe('-I/runs/a/0/x')
  expect(word('--prefix=/tmp/inner/a')).toBe('--prefix=/runs/a/1/a')
  expect(inScript('cd "/tmp"; ls /tmp/inner/a')).toBe('cd "/runs/a/0"; ls /runs/a/1/a')
  for (const same of ['/tmpfile', '/var/tmp', '--tmp', '/etc/passwd', '/opt/zig.txt']) for (const one of [word, inScript]) expect(one(same)).toBe(same)
  for (const same of ['it lies in /tmp', 'http://upstream.example//tmp', '{"path": "/tmp"}']) expect(word(same)).toBe(same)
})

it('translates what is started without a box: its folder, its environment, and its arguments where they are paths', () => {
  const args = noBox().enclose({ ...run, env: { PATH: '/tmp/bin:/usr/bin', CFLAGS: '-O2 -I/tmp/include' }, command: ['sh', '-c', 'exec /tmp/a "$@"', 'sh', '/tmp/b', 'say /tmp'] })
  expect(args).toEqual(expect.arrayContaining(['PATH=/runs/a/0/bin:/usr/bin', 'CFLAGS=-O2 -I/runs/a/0/include']))
  expect(args.slice(-7)).toEqual(['/runs/a/0', 'sh', '-c', 'exec /runs/a/0/a "$@"', 'sh', '/runs/a/0/b', 'say /tmp'])
})

it('marks what it starts without a box, which no namespace holds', () => {
  expect(noBox().enclose(run)).toContain('BUILD_RUN=run-a-1')
})

it('knows whether a box stood, by what the shell in it says first', () => {
  expect(began('muslin-began\nmuslin-exit 0\n')).toBe(true)
  for (const text of ['', 'bwrap: Can\'t find source path\n', 'bwrap: no\nmuslin-began\n']) expect(began(text)).toBe(false)
})
