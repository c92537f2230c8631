/** The engine port's contract against a Docker daemon on another machine, as far as one machine can have that. */
import assert from 'node:assert/strict'
import { pino } from 'pino'
import { createDockerEngine } from '../../../src/engine/docker.ts'
import engineContract from '../engine.contract.ts'
import { BUILDER, CLEAN, freePort, type Check, type Lab } from '../lab.ts'
import { ownDockerd } from '../own-dockerd.ts'
import { buildWhole } from '../whole-build.ts'

export default async function remote(check: Check, lab: Lab): Promise<void> {
  const { address, host, network } = await ownDockerd(lab, [BUILDER, CLEAN])
  const options = { address, instance: 'remote', log: pino({ level: 'silent' }) }

  await check('where Muslin is reached from there must be said, and nothing is made there for fetching', async () => {
    await assert.rejects(createDockerEngine(options).network(), { code: 'engine-unavailable', message: /another machine: say in fetchUrl/ })
    await assert.rejects(createDockerEngine({ ...options, fetchNetwork: network }).network(), { code: 'engine-unavailable', message: /fetchUrl/ })
    assert.deepEqual(await createDockerEngine({ ...options, fetchHost: host }).network(), { name: 'bridge', host, closed: false })
  })

  await check('a server builds a wheel there', async () => {
    const port = await freePort()
    const args = ['--builder', 'docker', '--fetch-url', `http://${host}:${port}`, '--fetch-network', network]
    await buildWhole(lab, { port, args, env: { DOCKER_HOST: address } }, /builder +docker \d/)
  })

  await engineContract(check, { address, fetchHost: host, fetchNetwork: network })
}
