/** The engine port's contract against Podman. */
import engineContract from '../engine.contract.ts'
import { BUILDER, type Check, type Lab } from '../lab.ts'
import { ownPodman } from '../own-podman.ts'

export default async function podman(check: Check, lab: Lab): Promise<void> {
  const env = await ownPodman(lab, [BUILDER])
  Object.assign(process.env, env)
  try {
    await engineContract(check, { kind: 'podman' })
  } finally {
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
  }
}
