/** What only container engines do: images built from a folder, sweeps beside a living process, networks, the client's own settings. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { thisMachine } from '../../src/config/machine.ts'
import { createDockerEngine, imageDigest, probeEngine, type DockerOptions } from '../../src/engine/docker.ts'
import type { RunSpec } from '../../src/services/ports.ts'
import type { Check } from '../contracts/engine.ts'

/** Leaves no image, network or container of the options' instance behind. */
export async function dockerChecks({ options, image, check }: { options: DockerOptions; image: string; check: Check }) {
  const { kind = 'docker', command = kind, instance, address } = options
  const docker = async (...args: string[]) => (await execa(command, args, { env: address === undefined ? {} : { DOCKER_HOST: address } })).stdout
  const spec = (ref: string): RunSpec => ({
    image: ref, label: 'docker', user: '1000:1000', network: 'none', writable: ['/tmp'],
    limits: { cpu: 64, memoryBytes: 64 << 20, diskBytes: 16 << 20, processes: 16 },
  })
  const folder = await mkdtemp(join(tmpdir(), 'muslin-image-'))

  await check('the probe finds the engine', async () => {
    const probe = await probeEngine({ kind, command, ...address === undefined ? {} : { address } })
    assert.ok(probe.ok, probe.ok ? '' : probe.why)
    assert.match(probe.version, /^\d+\./)
    assert.match(probe.label, new RegExp(`^${kind} `))
    assert.equal(probe.cpu, thisMachine().cpu)
  })

  await check('a reference that is an option to the client, or that is not here, is no image', async () => {
    const engine = createDockerEngine(options)
    assert.equal(await engine.digest({ kind: 'ready', ref: 'localhost/muslin-absent:none' }), undefined)
    await assert.rejects(engine.image({ kind: 'ready', ref: '--all' }), { code: 'image-unavailable' })
  })

  await check('an image is built from its folder once, and named by its content', async () => {
    const engine = createDockerEngine(options)
    const source = { kind: 'build' as const, name: 'muslin-builder-contract', folder, args: { BASE: image } }
    await writeFile(join(folder, 'Dockerfile'), 'ARG BASE\nFROM ${BASE}\nCOPY --chown=0:0 hello /hello\n')
    await writeFile(join(folder, 'hello'), '#!/bin/sh\necho built\n', { mode: 0o755 })
    const [made, again] = await Promise.all([engine.image(source), engine.image(source)])
    try {
      assert.deepEqual(again, made)
      assert.equal(made.digest, await imageDigest(folder, source.args))
      assert.equal(made.ref, `muslin-builder-contract:${made.digest.slice(0, 12)}`)
      const id = await docker('image', 'inspect', '--format', '{{.Id}}', made.ref)
      assert.deepEqual(await createDockerEngine(options).image(source), made)
      assert.equal(await docker('image', 'inspect', '--format', '{{.Id}}', made.ref), id)
      const run = await engine.create(spec(made.ref))
      let text = ''
      assert.equal((await run.exec(['/hello'], { env: {}, output: (chunk) => { text += Buffer.from(chunk).toString() } })).exitCode, 0)
      assert.equal(text, 'built\n')
      await run.remove()
    } finally {
      await docker('image', 'rm', made.ref)
    }
  })

  await check('a folder that does not build gives its last lines', async () => {
    await writeFile(join(folder, 'Dockerfile'), 'ARG BASE\nFROM ${BASE}\nLABEL muslin.contract=yes\nUSER 0\nRUN echo the-reason-why && exit 3\n')
    const engine = createDockerEngine(options)
    await assert.rejects(engine.image({ kind: 'build', name: 'muslin-builder-contract', folder, args: { BASE: image } }), { code: 'image-unavailable', message: /the-reason-why.*3/s })
    await docker('image', 'prune', '--force', '--filter', 'label=muslin.contract=yes')
  })

  await check('an image with volumes is refused: they would be writable without limit', async () => {
    await writeFile(join(folder, 'Dockerfile'), 'ARG BASE\nFROM ${BASE}\nVOLUME /data\n')
    const engine = createDockerEngine(options)
    const source = { kind: 'build' as const, name: 'muslin-builder-contract', folder, args: { BASE: image } }
    await assert.rejects(engine.image(source), { code: 'image-unavailable', message: /VOLUME/ })
    await docker('image', 'rm', `muslin-builder-contract:${(await imageDigest(folder, source.args)).slice(0, 12)}`)
  })

  await check('a sweep leaves the runs of a process that is said to be alive', async () => {
    const first = createDockerEngine({ ...options, process: 'first', live: async () => ['first', 'second'] })
    const second = createDockerEngine({ ...options, process: 'second', live: async () => ['second'] })
    const run = await second.create(spec(image))
    const { name } = await second.network()
    try {
      assert.equal(await first.sweep(), 0)
      assert.equal(await second.sweep(), 0)
      assert.equal(await createDockerEngine({ ...options, instance: `${instance}-other` }).sweep(), 0)
      assert.equal((await run.exec(['true'], { env: {}, output: () => {} })).exitCode, 0)
      // Podman's are made with the runs.
      if (kind === 'docker') assert.equal(await docker('network', 'inspect', '--format', '{{.Name}}', name), name)
    } finally {
      await run.remove()
    }
  })

  await check('a derived image has its base\'s settings, and nothing of the run that made it', async () => {
    const engine = createDockerEngine(options)
    const settings = async (ref: string) => JSON.parse(await docker('image', 'inspect', '--format', '{{json .Config}}', ref)) as Record<string, unknown>
    for (const lines of ['', 'ENTRYPOINT ["sleep", "a \\"b\\" $c"]\nCMD ["1"]\nENV A="x y"\nUSER 7:8\n', 'CMD ["echo", "$A"]\n', 'ENTRYPOINT ["true"]\n']) {
      await writeFile(join(folder, 'Dockerfile'), `ARG BASE\nFROM \${BASE}\n${lines}`)
      const base = await engine.image({ kind: 'build', name: 'muslin-builder-contract', folder, args: { BASE: image } })
      const derived = await engine.derive?.(base.ref, 'settings', async () => {})
      try {
        const [was, is] = [await settings(base.ref), await settings(derived?.ref ?? '')]
        for (const name of ['Entrypoint', 'Cmd', 'WorkingDir']) assert.deepEqual(is[name] ?? [], was[name] ?? [], `${name} of ${lines}`)
        assert.equal(is['User'] || '0', was['User'] || '0')
        // A name without a value stands for a variable that is taken away; the others are what podman tells each container.
        const told = /^(?!(?:TERM|HOSTNAME|container)=).*=/
        assert.deepEqual((is['Env'] as string[]).filter((one) => told.test(one)).sort(), (was['Env'] as string[]).toSorted())
        assert.equal((is['Labels'] as Record<string, string>)['muslin.key'], 'settings')
      } finally {
        await docker('image', 'rm', derived?.ref ?? '', base.ref)
      }
    }
  })

  await check('a sweep leaves the derived images that were used last, and removes those without a name', async () => {
    const engine = createDockerEngine({ ...options, keepDerived: 2 })
    const names = async () => (await docker('image', 'ls', '--filter', `label=muslin.instance=${instance}`, '--format', '{{.Tag}}')).split('\n').filter(Boolean).sort()
    const derive = async (key: string) => (await engine.derive?.(image, key, async () => {}))?.ref.split(':')[1] ?? ''
    const [a, b, c] = [await derive('a'), await derive('b'), await derive('c')]
    await derive('a')
    await createDockerEngine({ ...options, process: 'making' }).derive?.(image, 'd', async (run) => { await docker('commit', run.id) })
    await engine.sweep()
    assert.deepEqual(await names(), [a, c].sort())
    assert.ok(b !== '')
    await assert.rejects(engine.derive?.(image, 'fails', async () => { throw new Error('no') }) ?? assert.fail(), /no/)
    assert.deepEqual(await names(), [a, c].sort())
    await createDockerEngine({ ...options, keepDerived: 0 }).sweep()
    assert.deepEqual(await names(), [])
  })

  const ours = () => docker('network', 'ls', '--quiet', '--filter', `label=muslin.instance=${instance}`)

  if (kind === 'podman') await check('a network goes with its run, and with a sweep where the run\'s process died', async () => {
    const engine = createDockerEngine(options)
    const run = await engine.create({ ...spec(image), network: 'fetch' })
    await engine.sweep()
    assert.notEqual(await ours(), '')
    await run.remove()
    assert.equal(await ours(), '')
    await engine.create({ ...spec(image), network: 'fetch' })
    await createDockerEngine(options).sweep()
    assert.equal(await ours(), '')
  })

  if (kind === 'docker' && options.fetchNetwork === undefined) await check('a network that somebody pruned is made again; unused ones go with a sweep', async () => {
    const engine = createDockerEngine(options)
    await docker('network', 'rm', (await engine.network()).name)
    const run = await engine.create({ ...spec(image), network: 'fetch' })
    await run.remove()
    await engine.sweep()
    assert.notEqual(await ours(), '')
    await createDockerEngine(options).sweep()
    assert.equal(await ours(), '')
  })

  await check('a ready-made network is taken as it is, and one that is absent is named', async () => {
    const name = { docker: 'bridge', podman: 'podman' }[kind]
    const bridge = await createDockerEngine({ ...options, fetchNetwork: name, fetchHost: 'muslin' }).network()
    assert.deepEqual(bridge, { name, host: 'muslin', closed: false })
    await assert.rejects(createDockerEngine({ ...options, fetchNetwork: 'muslin-absent' }).network(), { code: 'engine-unavailable', message: /muslin-absent/ })
  })

  await check('proxies in the client\'s own settings do not reach a run', async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ proxies: { default: { httpProxy: 'http://user:secret@proxy.example', noProxy: 'x' } } }))
    const before = process.env['DOCKER_CONFIG']
    process.env['DOCKER_CONFIG'] = folder
    const engine = createDockerEngine(options)
    if (before === undefined) delete process.env['DOCKER_CONFIG']
    else process.env['DOCKER_CONFIG'] = before
    const run = await engine.create(spec(image))
    let text = ''
    await run.exec(['env'], { env: {}, output: (chunk) => { text += Buffer.from(chunk).toString() } })
    await run.remove()
    assert.doesNotMatch(text, /proxy/i)
  })

  await rm(folder, { recursive: true })
}
