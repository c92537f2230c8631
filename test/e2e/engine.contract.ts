/** The engine's contract against a real Docker; MUSLIN_TEST_DOCKER names another client, MUSLIN_TEST_BUILDER_IMAGE another image. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createDockerEngine } from '../../src/engine/docker.ts'
import { engineContract, type Check } from '../contracts/engine.ts'
import { dockerChecks } from '../engine/docker.checks.ts'

export default async function scenario(check: Check): Promise<void> {
  const command = process.env['MUSLIN_TEST_DOCKER'] ?? 'docker'
  const image = process.env['MUSLIN_TEST_BUILDER_IMAGE'] ?? 'muslin-standin-builder:latest'
  const log = pino({ level: 'silent' })
  const instance = `contract-${randomBytes(6).toString('hex')}`
  await engineContract({ engine: () => createDockerEngine({ command, instance, log }), image, check, local: true })
  await dockerChecks({ command, instance, image, check, log })
}

if (import.meta.main) {
  let passed = 0
  let failed = 0
  await scenario(async (name, run) => {
    const began = performance.now()
    try {
      await run()
      passed++
      console.log(`  ok   ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    } catch (error) {
      failed++
      console.log(`  FAIL ${name}\n`, error)
    }
  })
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}
