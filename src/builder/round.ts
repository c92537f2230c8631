/** One round of a build, up to where the backend can be asked anything; its hook for more requirements is code of the sdist. */
import type { Carried } from './carry.ts'
import { prepare, unpack, type Begun, type Source } from './compile.ts'
import { fetchWheels, requirementLines } from './fetch.ts'
import type { Conditions } from './rounds.ts'
import type { Box, Session } from './session.ts'

/** Fetches wheels for a round: what an earlier one asked for under the same conditions is at hand. */
export type Fetch = (conditions: Conditions, requirements: string[]) => Promise<Carried[]>

/** `indexUrl`: at which the fetch container reaches Muslin. */
export function createFetch(session: Session, image: string, indexUrl: string): Fetch {
  const fetched = new Map<string, Promise<Carried[]>>()
  return ({ constraints, until }, requirements) => {
    const key = JSON.stringify([requirements, constraints, until])
    const known = fetched.get(key)
    if (known) return known
    const wheels = fetchWheels(session, { image, indexUrl, name: `fetched-${fetched.size}`, requirements, constraints, until })
    fetched.set(key, wheels)
    return wheels
  }
}

/** `used` are the wheels that the environment was made from. */
export async function inEnvironment<T>(
  session: Session, given: { source: Source; conditions: Conditions; fetch: Fetch }, use: (box: Box, begun: Begun, used: Carried[]) => Promise<T>,
): Promise<T> {
  const { source, conditions } = given
  // What is no plain requirement is refused before anything runs.
  requirementLines([...conditions.requires, ...conditions.constraints])
  const fetch = (requirements: string[]) => given.fetch(conditions, requirements)
  const begun = { ...source, conditions }
  return session.within({ image: conditions.image.ref, network: 'none' }, async (box) => {
    const [wheels] = await Promise.all([fetch(conditions.requires), unpack(session, box, source)])
    await session.step('metadata')
    const used = await prepare(session, box, begun, wheels, fetch)
    session.record['requirements'] = used.map(({ filename, sha256 }) => ({ filename, sha256 }))
    return use(box, begun, used)
  })
}
