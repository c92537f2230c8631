/** Adding hashes to Pipfile.lock. Its own `_meta.hash` is over the Pipfile and stays true. */
import type { LockEntry } from './entry.ts'
import { intoList } from './insert.ts'
import { pipfilePackages } from './pipfile.ts'
import { afterBlank, valueAt } from './spans.ts'

/** The packages of all its categories. Throws `bad-lock`. */
export function pipfileEntries(name: string, content: string): LockEntry[] {
  const { packages } = pipfilePackages(name, content)
  const places = valueAt(content, afterBlank(content, 0))
  return packages.map(({ category, name: project, pin, local, hashes }): LockEntry => {
    const list = places.fields?.get(category)?.fields?.get(project)?.fields?.get('hashes')
    return {
      pin, local, hashes,
      closed: list?.items?.length === hashes.length ? undefined : 'its hashes are not written as pipenv does: lock again',
      add: (wheels) => list ? intoList(content, list, hashes, wheels.map(({ sha256 }) => ({ key: `sha256:${sha256}`, entry: JSON.stringify(`sha256:${sha256}`) }))) : [],
    }
  })
}
