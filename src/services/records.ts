/** What is known of how a wheel was made, for whoever has its address. */
import { createHash } from 'node:crypto'
import { provenanceOf } from '../domain/provenance.ts'
import { MuslinError } from '../errors.ts'
import type { BuildLogs, Store } from './ports.ts'

export interface Records {
  /** The build's record and an in-toto statement made of it, as plain JSON. Throws `no-such-file` for all but wheels that were built here. */
  of(sha256: string, filename: string): Promise<{ record: Record<string, unknown>; provenance: Record<string, unknown> }>
}

/** `instance`: this server's id. */
export function createRecords({ store, logs, instance }: { store: Pick<Store, 'wheels' | 'jobs'>; logs: Pick<BuildLogs, 'read'>; instance: string }): Records {
  return {
    async of(sha256, filename) {
      const wheel = await store.wheels.wheel(sha256, filename)
      const build = wheel && await store.jobs.build(wheel.build)
      if (!wheel || !build?.record) throw new MuslinError('no-such-file', `${filename} was not built here under this digest, so there is no record of it`)
      const { id, startedAt, finishedAt, record } = build
      return { record, provenance: provenanceOf({ instance, wheel, build: { id, startedAt, finishedAt, record }, log: await digestOf(id) }) }
    },
  }

  async function digestOf(build: number): Promise<string | undefined> {
    const log = await logs.read(build)
    if (!log) return undefined
    const hash = createHash('sha256')
    for await (const chunk of log.body) hash.update(chunk as Buffer)
    return hash.digest('hex')
  }
}
