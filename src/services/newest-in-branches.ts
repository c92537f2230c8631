import { newestApks } from '../domain/apk-index.ts'
import { MuslinError } from '../errors.ts'
import { iso } from './job-views.ts'
import type { ApkBranches, ApkIndexFile, Clock } from './ports.ts'
import type { Outdated } from './rebuild-views.ts'

export interface NewestInBranches {
  /** Name → newest version among what is known of these repositories for a CPU. */
  of(repositories: string[], arch: string): Promise<Map<string, string>>
  /** Those asked about so far of which nothing is known, or nothing new. */
  unreachable(): Outdated['unreachable']
}

/** A mirror that is down for a moment hides nothing that matters; one that is down for longer hides security updates. */
const OLD_MS = 60 * 60_000

/** What Alpine's branches have, asked once for one look at many wheels. */
export function createNewestInBranches({ branches, clock }: { branches: Pick<ApkBranches, 'indexes'>; clock: Clock }): NewestInBranches {
  const newest = new Map<string, Promise<Map<string, string>>>()
  const asked = new Map<string, Promise<ApkIndexFile['entries']>>()
  const unreachable: Outdated['unreachable'] = []

  return {
    of(repositories, arch) {
      const key = JSON.stringify([repositories, arch])
      const known = newest.get(key) ?? Promise.all(repositories.map((path) => once(path, arch))).then((entries) => newestApks(entries.flat()))
      newest.set(key, known)
      return known
    },
    unreachable: () => unreachable,
  }

  function once(path: string, arch: string): Promise<ApkIndexFile['entries']> {
    const key = `${path}/${arch}`
    const entries = asked.get(key) ?? ask(path, arch)
    asked.set(key, entries)
    return entries
  }

  async function ask(path: string, arch: string): Promise<ApkIndexFile['entries']> {
    try {
      const [index] = await branches.indexes([path], arch)
      if (!index) unreachable.push({ repository: path, arch, why: 'it has no index for this CPU; check the setting apkMirror', since: null })
      else if (index.older && clock.now() - index.older.fetchedAt >= OLD_MS) unreachable.push({ repository: path, arch, why: index.older.why, since: iso(index.older.fetchedAt) })
      return index?.entries ?? []
    } catch (error) {
      if (!(error instanceof MuslinError)) throw error
      unreachable.push({ repository: path, arch, why: error.detail, since: null })
      return []
    }
  }
}
