/** Adding hashes to Pipfile.lock. Its own `_meta.hash` is over the Pipfile and stays true. */
import { normalizeName } from '../names.ts'
import type { LockEntry } from './entry.ts'
import { intoList } from './insert.ts'
import { pipfileCategories, pipfileDocument } from './pipfile.ts'
import { afterBlank, valueAt } from './spans.ts'
import { table, text, texts } from './toml.ts'

/** The packages of all its categories. Throws `bad-lock`. */
export function pipfileEntries(name: string, content: string): LockEntry[] {
  const document = pipfileDocument(name, content)
  const places = valueAt(content, afterBlank(content, 0))
  return pipfileCategories(document).flatMap(([category, packages]) => Object.entries(packages).map(([project, value]): LockEntry => {
    const entry = table(value)
    const hashes = texts(entry['hashes'])
    const list = places.fields?.get(category)?.fields?.get(project)?.fields?.get('hashes')
    return {
      project: normalizeName(project), version: (text(entry['version']) ?? '').replace(/^={2,3}\s*/, ''),
      indexed: entry['version'] !== undefined, locked: hashes.length > 0,
      hashes: hashes.map((hash) => hash.toLowerCase()), filenames: [],
      closed: list?.items?.length === hashes.length ? undefined : 'its hashes are not written as pipenv does: lock again',
      add: (wheels) => list ? intoList(content, list, hashes, wheels.map(({ sha256 }) => ({ key: `sha256:${sha256}`, entry: JSON.stringify(`sha256:${sha256}`) }))) : [],
    }
  }))
}
