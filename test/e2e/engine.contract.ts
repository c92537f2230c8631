/** The engine's contract against a real Docker or Podman; MUSLIN_TEST_BUILDER_IMAGE names another image. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createDockerEngine, type DockerOptions } from '../../src/engine/docker.ts'
import { engineContract, type Check, type Traits } from '../contracts/engine.ts'
import { dockerChecks } from '../engine/docker.checks.ts'
import { BUILDER } from './lab.ts'

export default async function engineContractOf(check: Check, where: Pick<DockerOptions, 'kind' | 'command' | 'address' | 'fetchHost' | 'fetchNetwork'>): Promise<void> {
  const instance = `contract-${randomBytes(6).toString('hex')}`
  const options = { ...where, instance, log: pino({ level: 'silent' }) }
  const traits: Traits = {
    image: { kind: 'ready', ref: BUILDER },
    absent: { source: { kind: 'ready', ref: 'localhost:1/muslin-absent:none' }, named: /muslin-absent/ },
    full: /no space left/i, processes: 'counted', apart: false, places: 'memory', seccomp: true, derives: true, overshoot: 1,
    network: where.fetchNetwork === undefined ? 'closed' : 'ready',
  }
  try {
    await engineContract({ engine: () => createDockerEngine(options), traits, check })
    await dockerChecks({ options, image: BUILDER, check })
  } finally {
    // The newest stay for the next process of the instance, which has none.
    await createDockerEngine({ ...options, keepDerived: 0 }).sweep()
  }
}
