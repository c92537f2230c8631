/** What the end-to-end suites install from the machine's own index. */
import { readdir, readFile } from 'node:fs/promises'
import { parse } from 'smol-toml'

const E2E = new URL('../e2e/', import.meta.url)

/** Names of the corpus, normalised, and of what the scenarios pin. */
export async function suiteProjects(): Promise<string[]> {
  const corpus = parse(await readFile(new URL('corpus.toml', E2E), 'utf8')) as { release: { pin: string }[] }
  const scenarios = await Promise.all((await readdir(new URL('scenarios/', E2E))).map((name) => readFile(new URL(`scenarios/${name}`, E2E), 'utf8')))
  const pinned = scenarios.flatMap((text) => [...text.matchAll(/['" ]([a-zA-Z0-9._-]+)==\d/g)].map(([, name = '']) => name))
  const names = [...corpus.release.map(({ pin }) => pin.split('==', 1)[0] ?? ''), ...pinned]
  return [...new Set(names.map((name) => name.replaceAll(/[-_.]+/g, '-').toLowerCase()))].toSorted()
}
