/** How the engine behaves where docker fails: the client is a script that fails in docker's words. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDockerEngine, probeEngine } from '../../src/engine/docker.ts'
import { readUsage } from '../../src/engine/run.ts'

let folder: string
let command: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muslin-docker-'))
  command = join(folder, 'docker')
})
afterEach(() => rm(folder, { recursive: true }))

async function client(script: string) {
  await writeFile(command, `#!/bin/sh\n${script}\n`)
  await chmod(command, 0o755)
}

const engine = (kind: 'docker' | 'podman' = 'docker') => createDockerEngine({ kind, command, instance: 'i', log: pino({ level: 'silent' }) })
const spec = { image: 'sha256:abc', label: 'l', user: '1:1', network: 'none' as const, writable: [], limits: { cpu: 1, memoryBytes: 1e8, diskBytes: 1e6, processes: 9 } }

describe('the probe', () => {
  it('gives version and label', async () => {
    await client('echo \'{"Client":{},"Server":{"Version":"28.1.0","Os":"linux"}}\'')
    expect(await probeEngine({ kind: 'docker', command })).toMatchObject({ ok: true, version: '28.1.0', label: expect.stringContaining('docker 28.1.0') })
  })

  it.each([
    ['echo \'{"Client":{},"Server":{"Version":"28.1.0","Os":"windows"}}\'', /Linux containers/],
    ['echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1', /no daemon answers .*start it/],
    ['echo hello', /not as Docker does/],
  ])('says why not: %s', async (script, why) => {
    await client(script)
    expect(await probeEngine({ kind: 'docker', command })).toEqual({ ok: false, client: true, why: expect.stringMatching(why) })
  })

  it('waits for a daemon that is slow', async () => {
    await client('sleep 2.5; echo \'{"Client":{},"Server":{"Version":"28.1.0","Os":"linux"}}\'')
    expect(await probeEngine({ kind: 'docker', command })).toMatchObject({ ok: true })
  })

  it('gives up a daemon that does not answer at all', async () => {
    await client('exec sleep 20')
    expect(await probeEngine({ kind: 'docker', command, patienceMs: 200 })).toEqual({ ok: false, client: true, why: expect.stringMatching(/no daemon answers .* within 0.2 s: see that it runs/) })
  })

  it('says that there is no client', async () => {
    expect(await probeEngine({ kind: 'docker', command: join(folder, 'none') })).toEqual({ ok: false, client: false, why: expect.stringMatching(/not on the PATH: install/) })
  })
})

describe('an engine whose daemon is gone', () => {
  it.each([
    ['newer client', 'echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1'],
    ['older client', '[ "$1" = info ] && echo \'{"ServerErrors":["Cannot connect to the Docker daemon"]}\' && exit 0; echo "Cannot connect to the Docker daemon" >&2; exit 1'],
  ])('says so from every method: %s', async (_name, script) => {
    await client(script)
    const code = 'engine-unavailable'
    await expect(engine().create(spec)).rejects.toMatchObject({ code })
    await expect(engine().network()).rejects.toMatchObject({ code })
    await expect(engine().sweep()).rejects.toMatchObject({ code })
    await expect(engine().image({ kind: 'ready', ref: 'x' })).rejects.toMatchObject({ code })
    await expect(engine().digest({ kind: 'ready', ref: 'x' })).rejects.toMatchObject({ code })
  })

  it('is asked again when it is back', async () => {
    await client('echo "Cannot connect to the Docker daemon" >&2; exit 1')
    const one = engine()
    await expect(one.network()).rejects.toMatchObject({ code: 'engine-unavailable' })
    await client('case "$1 $2" in "info --format") echo \'{"NCPU":2,"OperatingSystem":"Docker Desktop"}\';; esac')
    // There the gateway of an internal network is not the machine that Muslin listens on.
    expect(await one.network()).toEqual({ name: 'bridge', host: 'host.docker.internal', closed: false })
  })
})

it('removes by its name what a failed start left behind', async () => {
  await client(`echo "$@" >> ${folder}/calls; case "$1" in info) echo '{"NCPU":2}';; start) echo "Error response from daemon: odd" >&2; exit 1;; esac`)
  await expect(engine().create(spec)).rejects.toMatchObject({ code: 'engine-unavailable', detail: expect.stringContaining('odd') })
  const calls = (await readFile(join(folder, 'calls'), 'utf8')).split('\n')
  const name = /--name (\S+)/.exec(calls.find((call) => call.startsWith('create ')) ?? '')?.[1]
  expect(name).toBeDefined()
  expect(calls).toContain(`rm --force --volumes ${name}`)
})

describe('a command\'s end', () => {
  const script = (exec: string, inspect: string) => `case "$1" in info) echo '{"NCPU":2}';; exec) ${exec};; container) ${inspect};; esac`
  async function run(exec: string, inspect: string) {
    await client(script(exec, inspect))
    return (await engine().create(spec)).exec(['x'], { env: {}, output: () => {} })
  }

  it.each([0, 1, 125, 126, 127, 137])('is the program\'s own %i where the shell around it says so', async (code) => {
    expect(await run(`echo "muslin-exit ${code}" >&2; exit ${code}`, 'exit 1')).toEqual({ exitCode: code })
  })

  it.each([126, 137])('is %i where that shell could not start, or was killed, and the container runs', async (code) => {
    expect(await run(`exit ${code}`, 'echo true running false 0')).toEqual({ exitCode: code })
  })

  it('is 137 when the kernel took the container with it', async () => {
    expect(await run('exit 1', 'echo false exited true 137')).toEqual({ exitCode: 137 })
  })

  it('is 137 with podman where nobody noticed that it was the kernel, once it has written down how its container ended', async () => {
    const inspect = 'if [ -e "$0.seen" ]; then echo false exited false 137; else : > "$0.seen"; echo false stopped false 0; fi'
    await client(`case "$1" in info) echo '{"host":{"cpus":2}}';; exec) exit 1;; container) ${inspect};; esac`)
    const stopped = await engine('podman').create(spec)
    expect(await stopped.exec(['x'], { env: {}, output: () => {} })).toEqual({ exitCode: 137 })
    expect(await stopped.usage()).toEqual({ peakBytes: undefined, oomKills: 1 })
  })

  it.each([
    ['the container stopped', 'exit 137', 'echo false exited false 137'],
    ['the container is gone', 'exit 1', 'echo "Error: No such container: x" >&2; exit 1'],
    ['the daemon is gone', 'exit 1', 'echo "Cannot connect to the Docker daemon" >&2; exit 1'],
    ['the client lost its daemon in the middle', 'echo "error during connect: EOF" >&2; exit 126', 'echo true running false 0'],
    ['the client was told to stop, and calls that success', 'exit 0', 'echo true running false 0'],
    ['the client was killed', 'kill -9 $$', 'echo true running false 0'],
    ['the container dies a moment after its command', 'exit 137', 'if [ -e "$0.seen" ]; then echo false exited false 137; else : > "$0.seen"; echo true running false 0; fi'],
  ])('is the engine\'s failure when %s', async (_name, exec, inspect) => {
    await expect(run(exec, inspect)).rejects.toMatchObject({ code: 'engine-unavailable' })
  })

  it('is the abort when that comes while the engine is asked', async () => {
    const controller = new AbortController()
    await client(script('exit 0', 'sleep 0.2; echo true running false 0'))
    const ended = (await engine().create(spec)).exec(['x'], { env: {}, output: () => {}, signal: controller.signal })
    controller.abort(new Error('shutdown'))
    await expect(ended).rejects.toThrow('shutdown')
  })

  it('of a transfer is believed only from inside', async () => {
    await client(script('cat', 'echo true running false 0'))
    const stopped = await engine().create(spec)
    await expect(stopped.put('/x', Readable.from([Buffer.from('x')]))).rejects.toMatchObject({ code: 'engine-unavailable' })
    await expect(buffer(await stopped.get('/x', ['x'], 100))).rejects.toMatchObject({ code: 'engine-unavailable' })
  })
})

describe('figures', () => {
  it('are read from either version of cgroups', () => {
    expect(readUsage('3821568\noom_kill_disable 0\nunder_oom 0\noom_kill 2\n')).toEqual({ peakBytes: 3821568, oomKills: 2 })
    expect(readUsage('4096\nlow 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n')).toEqual({ peakBytes: 4096, oomKills: 1 })
    expect(readUsage('low 0\noom_kill 0\n')).toEqual({ peakBytes: undefined, oomKills: 0 })
    expect(readUsage('max 0\n4096\nlow 0\nmax 3\noom_kill 0\n')).toEqual({ peakBytes: 4096, oomKills: 0 })
    expect(readUsage('max 7\n4096\nlow 0\nmax 0\noom_kill 0\n')).toEqual({ peakBytes: 4096, oomKills: 0, exceeded: 'processes' })
    expect(readUsage('')).toBeUndefined()
  })
})
