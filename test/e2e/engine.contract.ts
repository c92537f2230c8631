/** The engine's contract against a real Docker, by the client that `command` names; MUSLIN_TEST_BUILDER_IMAGE names another image. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createDockerEngine } from '../../src/engine/docker.ts'
import { engineContract, type Check, type Traits } from '../contracts/engine.ts'
import { dockerChecks } from '../engine/docker.checks.ts'

export default async function engineContractOf(check: Check, command: string): Promise<void> {
  const image = process.env['MUSLIN_TEST_BUILDER_IMAGE'] ?? 'muslin-standin-builder:latest'
  const log = pino({ level: 'silent' })
  const instance = `contract-${randomBytes(6).toString('hex')}`
  const traits: Traits = {
    image: { kind: 'ready', ref: image },
    absent: { source: { kind: 'ready', ref: 'localhost:1/muslin-absent:none' }, named: /muslin-absent/ },
    full: /no space left/i, processes: 'refused', apart: false, places: 'memory', seccomp: true, derives: true, overshoot: 1, network: { kind: 'closed', local: true },
  }
  try {
    await engineContract({ engine: () => createDockerEngine({ command, instance, log }), traits, check })
    await dockerChecks({ command, instance, image, check, log })
  } finally {
    // The newest stay for the next process of the instance, which has none.
    await createDockerEngine({ command, instance, keepDerived: 0, log }).sweep()
  }
}
