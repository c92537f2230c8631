/** The server's image and the compose file: a web process without the engine, a worker with it, and a wheel through both. */
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { bridgeAddress, BUILDER, CLEAN, cleanEnv, docker, freePort, HOST, ROOT, TARGET, until, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const IMAGE = 'muslin-test-server:latest'
const BASE = process.env['MUSLIN_TEST_BASE_IMAGE'] ?? 'muslin-standin-base:latest'
const PROJECT = 'muslin-e2e'

export default async function compose(check: Check, lab: Lab): Promise<void> {
  await check('the image is made, without a compiler, for a plain user', async () => {
    await execa('bash', [join(ROOT, 'test/standin/compose-base.sh')], { env: cleanEnv(), extendEnv: false })
    const made = await execa('npm', ['run', '--silent', 'image', '--', '-t', IMAGE, '--build-arg', `BASE=${BASE}`, '--build-arg', 'UPSTREAM=http://upstream.example/simple/'], { cwd: ROOT, env: cleanEnv({ DOCKER_BUILDKIT: '0' }), extendEnv: false, all: true, reject: false })
    assert.equal(made.exitCode, 0, made.all)
    const look = await lab.run(IMAGE, ['-c', 'id -u; for c in gcc cc g++ clang tcc npm; do command -v $c && exit 1; done; muslin --version'], { args: ['--entrypoint', 'sh'] })
    assert.equal(look.code, 0, look.output)
    assert.match(look.output, /^[1-9]\d+\n\d+\.\d+\.\d+/)
  })

  const relay = await startRelay({ host: await bridgeAddress() })
  lab.onClose(() => relay.close())
  relay.add(await makeSdist({ project: 'composed', staticMetadata: false }))
  const port = await freePort()
  const gid = String((await stat('/var/run/docker.sock')).gid)
  const env = cleanEnv({ MUSLIN_IMAGE: IMAGE, MUSLIN_BIND: String(port), DOCKER_GID: gid, MUSLIN_UPSTREAM: relay.url, MUSLIN_TARGETS: TARGET, MUSLIN_BUILDERIMAGES: `${TARGET}=${BUILDER}`, MUSLIN_CLEANIMAGES: `${TARGET}=${CLEAN}` })
  const up = (...words: string[]) => execa('docker-compose', ['-f', join(ROOT, 'docker/compose.yaml'), '-p', PROJECT, ...words], { env, extendEnv: false, all: true, reject: false })
  lab.onClose(async () => {
    await up('down', '-v', '-t', '20')
    await docker(['rmi', '-f', IMAGE])
  })

  await check('docker-compose starts both services', async () => {
    const started = await up('up', '-d')
    assert.equal(started.exitCode, 0, started.all)
    await until('the web process knows the worker\'s target', async () => ((await text(`http://127.0.0.1:${port}/readyz`)).includes(TARGET) ? true : undefined), 60)
  })

  await check('pip in a clean container gets a built wheel through them', async () => {
    const run = await lab.run(CLEAN, ['sh', '-c', 'pip install -q --no-deps composed && python -c "import _composed"'], { env: { PIP_INDEX_URL: `http://${HOST}:${port}/simple/`, PIP_TRUSTED_HOST: HOST, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' } })
    assert.equal(run.code, 0, `${run.output}\n${(await up('logs', '--tail', '60')).all}`)
    const logs = await Promise.all([1, 2].map((build) => text(`http://127.0.0.1:${port}/b/${build}`)))
    assert.match(logs.join(''), /publishing composed-1\.0-1-/)
  })

  await check('the pages come from the image, with what they load', async () => {
    const page = await text(`http://127.0.0.1:${port}/ui/`)
    const assets = [...page.matchAll(/(?:href|src)="([^"]*ui\/assets\/[^"]+|assets\/[^"]+)"/g)].map(([, path = '']) => new URL(path, `http://127.0.0.1:${port}/ui/`))
    assert.ok(assets.length >= 2, page)
    for (const asset of assets) assert.equal((await fetch(asset)).status, 200, asset.href)
  })

  await check('web has no socket, worker is not exposed, neither is root, web is healthy', async () => {
    const [web, worker] = await Promise.all(['web', 'worker'].map(async (service) => {
      const id = (await up('ps', '-q', service)).stdout.trim()
      return (JSON.parse(await docker(['inspect', id])) as { Mounts: { Destination: string }[]; HostConfig: { PortBindings: object | null }; Config: { User: string }; State: { Health?: { Status: string } } }[])[0]
    }))
    assert.ok(web && worker)
    assert.deepEqual(web.Mounts.map((mount) => mount.Destination), ['/data'])
    assert.ok(worker.Mounts.some((mount) => mount.Destination === '/var/run/docker.sock'))
    assert.deepEqual(Object.keys(worker.HostConfig.PortBindings ?? {}), [])
    for (const container of [web, worker]) assert.match(container.Config.User, /^[1-9]\d*/)
    await until('web is healthy', async () => {
      const id = (await up('ps', '-q', 'web')).stdout.trim()
      return (await docker(['inspect', '-f', '{{.State.Health.Status}}', id])) === 'healthy' ? true : undefined
    }, 60)
  })

  await check('both end in order on SIGTERM', async () => {
    const ids = (await up('ps', '-q')).stdout.trim().split('\n')
    const stopped = await up('stop', '-t', '20')
    assert.equal(stopped.exitCode, 0, stopped.all)
    for (const id of ids) assert.equal(await docker(['inspect', '-f', '{{.State.ExitCode}}', id]), '0')
  })
}

async function text(url: string): Promise<string> {
  return await fetch(url).then((response) => response.text(), () => '')
}
