import { parseRepositories } from '../../domain/apk-repository.ts'
import type { ApkBranches } from '../../services/ports.ts'
import type { Image } from '../images.ts'
import type { Session } from '../session.ts'
import { APK_CALLS } from './calls.ts'
import type { Served } from './fetch.ts'

export interface Look { arch: string; repositories: Served[]; installed: Set<string> }

/** An image's CPU, its repositories, made known to Muslin, and names of its apks; undefined where it has no apk, or names no repository on the network. */
export async function lookAt(session: Session, image: Image, branches: ApkBranches): Promise<Look | undefined> {
  return session.within({ image: image.ref, network: 'none' }, async (box) => {
    const arch = await box.exec(['sh', '-c', `command -v apk >/dev/null && exec ${APK_CALLS.arch.command().join(' ')}`])
    if (arch.exitCode !== 0 || !/^[a-z0-9_]{1,30}$/.test(arch.text.trim())) return undefined
    const { text } = await box.exec(['sh', '-c', 'cat /etc/apk/repositories /etc/apk/repositories.d/*.list 2>/dev/null; true'])
    const repositories = parseRepositories(text)
    if (repositories.length === 0) return undefined
    const installed = await box.exec(APK_CALLS.installed.command())
    const paths = await session.guard(branches.serve(repositories.map(({ url }) => url)))
    return {
      arch: arch.text.trim(),
      repositories: repositories.flatMap((repository, at) => paths.indexOf(paths[at] ?? '') === at ? [{ ...repository, path: paths[at] ?? '' }] : []),
      installed: new Set([...installed.text.matchAll(/^(\S+)-[^-\s]+-r\d+ \S+ \{.*\[installed/gm)].map(([, name = '']) => name)),
    }
  })
}
