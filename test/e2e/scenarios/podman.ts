/** The engine port's contract against Podman. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import engineContract from '../engine.contract.ts'
import { BUILDER, CLEAN, type Check, type Lab } from '../lab.ts'
import { ownPodman } from '../own-podman.ts'
import { buildWhole } from '../whole-build.ts'

export default async function podman(check: Check, lab: Lab): Promise<void> {
  const env = await ownPodman(lab, [BUILDER, CLEAN])
  Object.assign(process.env, env)
  try {
    await engineContract(check, { kind: 'podman' })
    await check('a server builds a wheel on it', () => buildWhole(lab, { args: ['--builder', 'podman'], env }, /builder +podman \d/))
    // Where the kernel ended something, podman's conmon leaves a file.
    await check('leaves no file where it was run', async () => assert.equal(existsSync('oom'), false))
  } finally {
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
  }
}
