import { isDeepStrictEqual } from 'node:util'
import { projectNamed } from '../domain/names.ts'
import type { IndexFile } from '../domain/page.ts'
import type { Refreshed } from './refresh-views.ts'
import type { UpstreamPages } from './upstream-pages.ts'

/**
 * Asks the upstream anew for a project, past every cache on the way, and says what changed. Throws `bad-name`, and what the upstream's
 * failure is: the page is then served as it was.
 */
export type Refresh = (name: string) => Promise<Refreshed>

export function createRefresh({ upstreamPages }: { upstreamPages: Pick<UpstreamPages, 'read' | 'reload'> }): Refresh {
  return async (name) => {
    const project = projectNamed(name)
    const before = filesOf(await upstreamPages.read(project))
    await upstreamPages.reload(project)
    const now = await upstreamPages.read(project)
    const after = filesOf(now)
    return {
      project, known: now !== undefined, files: after.size,
      added: [...after.keys()].filter((filename) => !before.has(filename)),
      gone: [...before.keys()].filter((filename) => !after.has(filename)),
      changed: [...after].filter(([filename, file]) => before.has(filename) && !isDeepStrictEqual(before.get(filename), file)).map(([filename]) => filename),
    }
  }
}

function filesOf(kept: { page: { files: IndexFile[] } } | undefined): Map<string, IndexFile> {
  return new Map(kept?.page.files.map((file) => [file.filename, file]))
}
