import { expect, test } from 'vitest'
import { rootOf } from '../../../src/engine/embedded/root.ts'

const FOLDERS = { python: '/data/python', compiler: '/data/zig', cache: '/data/cache' }
const places = (root: ReturnType<typeof rootOf>) => root.binds.map(({ from, to }) => from === to ? to : `${from} at ${to}`)

test('an interpreter of its own prefix is shown there, read-only, with the compilers beside it', () => {
  const root = rootOf({ prefixes: ['/home/me/.pyenv/versions/3.13.0'], include: ['/home/me/.pyenv/versions/3.13.0/include/python3.13'] }, FOLDERS)
  expect(places(root)).toEqual([
    '/home/me/.pyenv/versions/3.13.0', '/data/python at /opt/muslin/python', '/data/zig at /opt/muslin/compiler', '/data/cache at /opt/muslin/cache',
  ])
  expect(root.env['PATH']).toMatch(/^\/opt\/muslin\/compiler\/bin:\/opt\/muslin\/python\/bin:/)
  expect(root.env['_PYTHON_SYSCONFIGDATA_NAME']).toBe('_sysconfigdata_muslin')
})

test('of one in /usr only the headers are shown, which no box has', () => {
  const include = ['/usr/include/python3.11', '/usr/include/x86_64-linux-gnu/python3.11']
  expect(places(rootOf({ prefixes: ['/usr'], include }, FOLDERS)).slice(0, 2)).toEqual(include)
})

test('below /usr all is shown anyway, but not what is below /usr/local/include', () => {
  expect(places(rootOf({ prefixes: ['/usr/local/python'], include: ['/usr/local/python/include/python3.13'] }, FOLDERS))[0]).toBe('/data/python at /opt/muslin/python')
  expect(places(rootOf({ prefixes: ['/usr/local'], include: ['/usr/local/include/python3.13'] }, FOLDERS))[0]).toBe('/usr/local/include/python3.13')
})

test('a clean image has no compilers, and the interpreter speaks for itself', () => {
  const { python } = FOLDERS
  expect(rootOf({ prefixes: ['/opt/musl'], include: [] }, { python })).toEqual({
    binds: [{ from: '/opt/musl', to: '/opt/musl' }, { from: python, to: '/opt/muslin/python' }],
    env: { PATH: '/opt/muslin/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  })
})
