import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { DIALECTS } from '../../src/engine/dialect.ts'
import { isElsewhere } from '../../src/engine/place.ts'

const { docker, podman } = DIALECTS

it('reads what stands behind a client', () => {
  expect(docker.server({ Client: {}, Server: { Version: '28.1', Os: 'linux', Arch: 'arm64' } })).toEqual({ version: '28.1', os: 'linux', cpu: 'aarch64', unlimited: [] })
  expect(docker.server({ Client: { Version: '4.3' } })).toBeUndefined()
  const host = { os: 'linux', arch: 'amd64', cgroupControllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'] }
  expect(podman.server({ host, version: { Version: '4.3.1' } })).toEqual({ version: '4.3.1', os: 'linux', cpu: 'x86_64', unlimited: [] })
  // A plain user on control groups of version 1 has none.
  expect(podman.server({ host: { ...host, cgroupControllers: [] }, version: { Version: '4.3.1' } })?.unlimited).toEqual(['cpu', 'memory', 'pids'])
  expect(podman.server({ Client: {} })).toBeUndefined()
})

it('knows an engine that is in a network of its own', () => {
  expect(docker.facts({ NCPU: 4, OperatingSystem: 'Debian' })).toEqual({ cores: 4, apart: false })
  expect(docker.facts({ NCPU: 4, OperatingSystem: 'Docker Desktop' })).toEqual({ cores: 4, apart: true })
  expect(docker.facts({ NCPU: 0, ServerErrors: ['x'] })).toBeUndefined()
  expect(podman.facts({ host: { cpus: 2, serviceIsRemote: false, security: { rootless: false } } })).toEqual({ cores: 2, apart: false })
  expect(podman.facts({ host: { cpus: 2, security: { rootless: true } } })).toEqual({ cores: 2, apart: true })
})

it('reads networks', () => {
  expect(docker.seen({ Internal: true, IPAM: { Config: [{ Gateway: '172.30.0.1' }] } })).toEqual({ closed: true, gateways: ['172.30.0.1'] })
  expect(podman.seen({ internal: false, subnets: [{ gateway: '10.88.0.1' }, {}] })).toEqual({ closed: false, gateways: ['10.88.0.1'] })
  for (const dialect of [docker, podman]) expect(dialect.seen({})).toEqual({ closed: false, gateways: [] })
})

it.each([
  ['unix:///var/run/docker.sock', false],
  ['npipe:////./pipe/docker_engine', false],
  ['', false],
  ['tcp://127.0.0.1:2375', false],
  ['tcp://[::1]:2375', false],
  ['tcp://localhost:2375', false],
  [`tcp://${hostname()}:2376`, false],
  ['tcp://192.0.2.200:2375', true],
  ['tcp://docker:2375', true],
  ['ssh://user@arm.example', true],
  ['ssh://user@arm.example:22/run/podman.sock', true],
  ['tcp://[2001:db8::1]:2375', true],
])('knows whether an engine is on another machine: %s', (address, elsewhere) => {
  expect(isElsewhere(address)).toBe(elsewhere)
})
