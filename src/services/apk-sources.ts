import { createHash } from 'node:crypto'
import { alpineRepository } from '../domain/apk-repository.ts'
import { MuslinError } from '../errors.ts'
import type { KeptStore } from './ports.ts'

export interface ApkSources {
  /** Makes repositories known to all processes by their URLs; their paths below our root, in the same order. */
  serve(repositories: string[]): Promise<string[]>
  /** The URL of the repository behind a path. Throws `not-found` for one that no image named. */
  url(path: string): Promise<string>
}

/**
 * Which repositories are proxied, and under which paths: Alpine's own layout keeps its names, `apk/v3.21/main`. `mirror` is where Alpine's
 * repositories come from instead of where an image says, such as `https://alpine.example/alpine`; credentials in it are never recorded.
 */
export function createApkSources({ kept, mirror }: { kept: KeptStore; mirror: string | undefined }): ApkSources {
  const instead = mirror === undefined ? undefined : plain(mirror)
  return {
    async serve(repositories) {
      const paths: string[] = []
      // One after the other: the second of two servers must see what the first has taken.
      for (const repository of repositories) paths.push(await place(repository))
      return paths
    },
    async url(path) {
      const url = await kept.source(path)
      if (url === undefined) throw new MuslinError('not-found', `no builder image has named the repository ${path}; it is served from the first build on`)
      return url
    },
  }

  async function place(repository: string): Promise<string> {
    const url = plain(repository)
    const alpine = alpineRepository(url)
    if (!alpine) return record(`apk/other/${digest(url)}`, url)
    const path = `apk/${alpine.branch}/${alpine.name}`
    if (instead !== undefined) return record(path, `${instead}/${alpine.branch}/${alpine.name}`)
    const known = await kept.source(path)
    // Another server's files of the same names may be others: the second server, and each after it, has its paths to itself.
    return known === undefined || known === url ? record(path, url) : record(`apk/${alpine.branch}-${digest(alpine.before)}/${alpine.name}`, url)
  }

  async function record(path: string, url: string): Promise<string> {
    if (await kept.source(path) !== url) await kept.setSource(path, url)
    return path
  }
}

function plain(text: string): string {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  return url.href.replace(/\/+$/, '')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
