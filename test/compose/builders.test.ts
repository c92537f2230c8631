import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { chooseBuilder } from '../../src/compose/builders.ts'
import { checkTargetCpus, describeEngines } from '../../src/compose/engines.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Probe, probeEngine } from '../../src/engine/docker.ts'

const X86 = 'cp313-musllinux_1_2_x86_64'
const ARM = 'cp313-musllinux_1_2_aarch64'
const machine = { cores: 2, memory: 2 ** 33, cpu: 'x86_64', pythons: ['3.13'] }
const settings = (flags: Record<string, unknown>) => loadSettings({ flags: { data: tmpdir(), ...flags }, env: {}, cwd: '/', machine })
const absent = (kind: string): Probe => ({ ok: false, client: false, why: `${kind} is not on the PATH: install it` })
const found = (kind: string, cpu = 'x86_64'): Probe => ({ ok: true, version: '9.1', label: `${kind} 9.1`, cpu })

/** What each kind of engine, or each address, answers here. */
function machineWith(answers: Record<string, Probe>): typeof probeEngine {
  return async ({ kind, address }) => answers[address ?? kind] ?? absent(kind)
}

describe('the builder', () => {
  it('is docker where both answer, and podman where docker does not, and says why', async () => {
    const both = machineWith({ docker: found('docker'), podman: found('podman') })
    expect(await chooseBuilder(settings({}), {}, both)).toEqual({ kind: 'docker', cpu: 'x86_64', why: 'docker 9.1, found by itself' })
    expect(await chooseBuilder(settings({ builder: 'podman' }), {}, both)).toEqual({ kind: 'podman', cpu: 'x86_64', why: 'podman 9.1' })
    const one = machineWith({ podman: found('podman') })
    expect(await chooseBuilder(settings({}), {}, one)).toEqual({ kind: 'podman', cpu: 'x86_64', why: 'podman 9.1, found by itself: docker is not on the PATH' })
    await expect(chooseBuilder(settings({ builder: 'docker' }), {}, one)).rejects.toMatchObject({ code: 'engine-unavailable', detail: 'docker is not on the PATH: install it' })
  })

  it('is none where nothing can work, and tells of what somebody expects to work', async () => {
    const env = { PATH: '/nonexistent', HOME: '/nonexistent' }
    const dead = machineWith({ podman: { ok: false, client: true, why: 'podman is broken: mend it' } })
    const chosen = await chooseBuilder(settings({}), env, dead)
    expect(chosen).toMatchObject({ kind: 'none', why: expect.stringMatching(/^none: podman is broken: mend it; and without it: .*CPython/) })
    await expect(chooseBuilder(settings({ role: 'worker' }), env, dead)).rejects.toMatchObject({ code: 'engine-unavailable' })
  })

  it('of another CPU than its targets is refused at the start, by what the engine says of itself', async () => {
    const arm = machineWith({ docker: found('docker', 'aarch64') })
    await expect(chooseBuilder(settings({ targets: X86 }), {}, arm)).rejects.toMatchObject({
      code: 'bad-settings', detail: `${X86} cannot be built on aarch64: name an engine of that CPU by --engine x86_64=tcp://…`,
    })
    expect(await chooseBuilder(settings({ targets: ARM }), {}, arm)).toMatchObject({ kind: 'docker', cpu: 'aarch64' })
    expect(await chooseBuilder(settings({ targets: X86, builder: 'none' }), {}, arm)).toMatchObject({ kind: 'none' })
  })

  it('has others beside it, which are told', async () => {
    const engines = { targets: `${X86},${ARM}`, engines: 'aarch64=tcp://arm.example:2375' }
    const two = machineWith({ 'docker': found('docker'), 'tcp://arm.example:2375': found('docker', 'aarch64') })
    expect(await chooseBuilder(settings(engines), {}, two)).toMatchObject({ kind: 'docker', why: 'docker 9.1, found by itself; aarch64: docker 9.1' })
    const asleep = machineWith({ 'docker': found('docker'), 'tcp://arm.example:2375': { ok: false, client: true, why: 'no daemon answers' } })
    expect(await chooseBuilder(settings(engines), {}, asleep)).toMatchObject({ kind: 'docker', why: expect.stringMatching(/aarch64: no daemon answers; its targets wait/) })
  })
})

describe('engines of other CPUs', () => {
  it('allow targets of theirs, and of no third', () => {
    expect(() => checkTargetCpus({ targets: [X86], engines: {} }, 'x86_64')).not.toThrow()
    expect(() => checkTargetCpus({ targets: [X86, ARM], engines: { aarch64: 'tcp://a:1' } }, 'x86_64')).not.toThrow()
    expect(() => checkTargetCpus({ targets: [X86, ARM], engines: {} }, 'x86_64')).toThrow(`${ARM} cannot be built on x86_64: name an engine of that CPU by --engine aarch64=tcp://…`)
    expect(() => checkTargetCpus({ targets: [X86], engines: { x86_64: 'tcp://a:1' } }, 'x86_64')).toThrow('leave it out')
  })

  it('are what they are named for', async () => {
    await expect(describeEngines({ engines: { aarch64: 'tcp://a:1' } }, async () => found('docker', 'ppc64le'))).rejects.toMatchObject({ code: 'bad-settings', detail: expect.stringContaining('that engine is ppc64le') })
  })

  it.each(['aarch64=arm.example:2375', 'aarch64=http://arm.example', '=tcp://a:1', 'ARM=tcp://a:1'])('have addresses as DOCKER_HOST has them: not %s', (engines) => {
    expect(() => settings({ engines })).toThrow(/engines .*accepted/s)
  })
})
