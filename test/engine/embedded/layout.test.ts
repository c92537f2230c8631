import { expect, it } from 'vitest'
import { layout, lookAround, type Machine, type Mount } from '../../../src/engine/embedded/layout.ts'

const machine: Machine = {
  tops: [{ path: '/usr', link: undefined }, { path: '/bin', link: 'usr/bin' }],
  hidden: ['/usr/include', '/usr/lib/pkgconfig'],
  etc: ['/etc/alternatives'],
  certificates: ['/etc/ssl'],
}
const given = { machine, root: { binds: [], env: {} }, etc: '/runs/a/etc', places: [{ from: '/runs/a/places/0', to: '/tmp' }], network: 'none' as const }

function at(mounts: Mount[], to: string): string[] {
  return mounts.filter((mount) => mount.to === to).map(({ kind }) => kind)
}

it('shows programs and libraries, and nothing of what a build could find headers by', () => {
  const mounts = layout(given)
  expect(mounts).toContainEqual({ kind: 'read', from: '/usr', to: '/usr' })
  expect(mounts).toContainEqual({ kind: 'link', from: 'usr/bin', to: '/bin' })
  for (const path of machine.hidden) expect(at(mounts, path)).toEqual(['empty'])
  for (const path of ['/root', '/home', '/run', '/sys', '/var', '/etc/ssl']) expect(at(mounts, path)).toEqual([])
  expect(mounts.filter(({ kind }) => kind === 'write')).toEqual([{ kind: 'write', from: '/runs/a/places/0', to: '/tmp' }])
})

it('shows certificates where the run reaches the network', () => {
  expect(at(layout({ ...given, network: 'fetch' }), '/etc/ssl')).toEqual(['read'])
})

it('leaves a hidden folder open until what an image shows in it is there', () => {
  const binds = [{ from: '/opt/python/include', to: '/usr/include/python3.13' }, { from: '/root/.pyenv/versions/3.13', to: '/root/.pyenv/versions/3.13' }]
  const mounts = layout({ ...given, root: { binds, env: {} } })
  expect(at(mounts, '/usr/include')).toEqual(['open', 'folder', 'seal'])
  const order = mounts.map(({ kind, to }) => `${kind} ${to}`)
  expect(order.indexOf('read /usr/include/python3.13')).toBeGreaterThan(order.indexOf('open /usr/include'))
  expect(order.indexOf('seal /usr/include')).toBeGreaterThan(order.indexOf('read /usr/include/python3.13'))
  // Else whoever makes the folders above it would close them to the run's user, as they are closed on the machine.
  for (const folder of ['/root', '/root/.pyenv', '/root/.pyenv/versions']) expect(order).toContain(`folder ${folder}`)
})

it('mounts nothing in a place where a build could have put a link', () => {
  const root = (to: string) => ({ binds: [{ from: '/opt/a', to }], env: {} })
  for (const to of ['/tmp', '/tmp/muslin/python']) expect(() => layout({ ...given, root: root(to) })).toThrow(/lies in \/tmp/)
  for (const to of ['relative', '/']) expect(() => layout({ ...given, places: [{ from: '/a', to }] })).toThrow(/no absolute path/)
  expect(() => layout({ ...given, places: [{ from: '/a', to: '/usr' }] })).toThrow(/where a run writes/)
  expect(() => layout({ ...given, root: root('/tmpfiles') })).not.toThrow()
})

it('finds this machine\'s own folders', () => {
  const found = lookAround()
  expect(found.tops.map(({ path }) => path)).toEqual(expect.arrayContaining(['/usr', '/bin']))
  for (const { path } of found.tops) expect(path).toMatch(/^\/(usr|s?bin|lib\w*)$/)
})
