/** The engine port's contract against Podman. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import engineContract from '../engine.contract.ts'
import { BUILDER, type Check, type Lab } from '../lab.ts'
import { ownPodman } from '../own-podman.ts'

export default async function podman(check: Check, lab: Lab): Promise<void> {
  const env = await ownPodman(lab, [BUILDER])
  Object.assign(process.env, env)
  try {
    await engineContract(check, { kind: 'podman' })
    // Where the kernel ended something, podman's conmon leaves a file.
    await check('leaves no file where it was run', async () => assert.equal(existsSync('oom'), false))
  } finally {
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
  }
}
