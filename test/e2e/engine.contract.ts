/** The engine's contract against a real Docker, by the client that `command` names; MUSLIN_TEST_BUILDER_IMAGE names another image. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createDockerEngine } from '../../src/engine/docker.ts'
import { engineContract, type Check } from '../contracts/engine.ts'
import { dockerChecks } from '../engine/docker.checks.ts'

export default async function engineContractOf(check: Check, command: string): Promise<void> {
  const image = process.env['MUSLIN_TEST_BUILDER_IMAGE'] ?? 'muslin-standin-builder:latest'
  const log = pino({ level: 'silent' })
  const instance = `contract-${randomBytes(6).toString('hex')}`
  await engineContract({ engine: () => createDockerEngine({ command, instance, log }), image, check, local: true })
  await dockerChecks({ command, instance, image, check, log })
}
