/** Locks that are older than our wheels, or than the newest of them: poetry, pdm, pipenv, uv and pip install by them what they hold. */
import type { Check, Lab } from '../lab.ts'
import { addHashes } from '../old-locks/added.ts'
import { lockBefore } from '../old-locks/equal.ts'
import { setScene } from '../old-locks/scene.ts'
import { superseded } from '../old-locks/superseded.ts'

export default async function oldLocks(check: Check, lab: Lab): Promise<void> {
  const scene = await setScene(lab)
  const compare = await lockBefore(check, scene)
  await addHashes(check, scene)
  await superseded(check, scene)
  await compare()
}
