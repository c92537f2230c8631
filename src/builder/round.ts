/** One round of a build, up to where the backend can be asked anything; its hook for more requirements is code of the sdist. */
import type { Carried } from './carry.ts'
import { prepare, unpack, type Prepared } from './compile.ts'
import type { Begin, Begun, Conditions, Source } from './conditions.ts'
import { fetchCrates, needCargo, placeCrates } from './crates.ts'
import { fetchWheels, requirementLines } from './fetch.ts'
import type { Box, Session } from './session.ts'

/** What a job fetches; what an earlier round asked for in the same way is at hand. */
export interface Fetched {
  wheels(conditions: Conditions, requirements: string[]): Promise<Carried[]>
  /** The crates of the plan. */
  crates(): Promise<Carried[]>
}

export function createFetched(session: Session, { source, ready, indexUrl }: Begin): Fetched {
  const place = { image: ready.builder.ref, indexUrl }
  const fetched = new Map<string, Promise<Carried[]>>()
  const once = (key: string, fetch: () => Promise<Carried[]>) => {
    const wheels = fetched.get(key) ?? fetch()
    fetched.set(key, wheels)
    return wheels
  }
  return {
    wheels: ({ constraints, until }, requirements) => once(JSON.stringify([requirements, constraints, until]), () =>
      fetchWheels(session, { ...place, name: `fetched-${fetched.size}`, requirements, constraints, until })),
    crates: () => once('crates', () => fetchCrates(session, place, source.plan.cargoLock ?? [])),
  }
}

/** `wantsMetadata`: the backend is asked for it before anything is compiled. */
export interface Given { source: Source; conditions: Conditions; fetched: Fetched; wantsMetadata: boolean }

export async function inEnvironment<T>(
  session: Session, { source, conditions, fetched, wantsMetadata }: Given, use: (box: Box, begun: Begun, prepared: Prepared) => Promise<T>,
): Promise<T> {
  // What is no plain requirement is refused before anything runs.
  requirementLines([...conditions.requires, ...conditions.constraints])
  const { cargoLock } = source.plan
  const fetch = (requirements: string[]) => fetched.wheels(conditions, requirements)
  const begun = { ...source, conditions }
  const network = session.work.recipe.network ? 'open' : 'none'
  return session.within({ image: conditions.image.ref, network }, async (box) => {
    const [wheels] = await Promise.all([fetch(conditions.requires), unpack(session, box, begun, wantsMetadata)])
    if (cargoLock) {
      await needCargo(box)
      await placeCrates(box, cargoLock, await fetched.crates())
    }
    await session.step('metadata')
    const prepared = await prepare(session, box, begun, { wheels, wantsMetadata, fetch })
    session.record['requirements'] = prepared.used.map(({ filename, sha256 }) => ({ filename, sha256 }))
    return use(box, begun, prepared)
  })
}
