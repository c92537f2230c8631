import { readJson } from '../domain/json.ts'
import { listedFiles } from '../domain/listed-file.ts'
import type { IndexFile, ProjectPage } from '../domain/page.ts'
import type { UpstreamPage } from '../services/ports.ts'

type Page = Extract<UpstreamPage, { kind: 'page' }>

/**
 * One page of several upstreams' pages of a project: the files of all, the first of a name wins, and with it its digest, its yank and its metadata. Of the other keys
 * the first page's win. File URLs are absolute afterwards, since each page had another address.
 */
export function mergePages(pages: { page: Page; source: string }[]): Pick<Page, 'json' | 'files' | 'url' | 'sourceOf'> {
  const parsed = pages.map(({ page: { json, url }, source }) => ({ page: readJson(json.toString()) as ProjectPage, url, source }))
  const files = new Map<string, IndexFile>()
  const sources = new Map<string, string>()
  for (const { page, url, source } of parsed) {
    for (const file of page.files) {
      if (files.has(file.filename)) continue
      files.set(file.filename, { ...file, url: URL.parse(file.url, url)?.href ?? file.url })
      sources.set(file.filename, source)
    }
  }
  const versions = parsed.every(({ page }) => Array.isArray(page.versions)) ? [...new Set(parsed.flatMap(({ page }) => page.versions ?? []))] : undefined
  const { versions: _partial, ...keys } = Object.assign({}, ...parsed.map(({ page }) => page).toReversed()) as ProjectPage
  const merged: ProjectPage = {
    ...keys,
    meta: { ...keys.meta, 'api-version': lowest(parsed.map(({ page }) => page.meta['api-version'])) },
    files: [...files.values()],
    // PEP 700: a list of versions is the whole list.
    ...versions && { versions },
  }
  const url = pages[0]?.page.url ?? ''
  return { json: Buffer.from(JSON.stringify(merged)), files: listedFiles(merged, url), url, sourceOf: (filename) => sources.get(filename) }
}

/** What all of them promise. */
function lowest(versions: string[]): string {
  const minors = versions.map((version) => Number(version.slice(version.indexOf('.') + 1)))
  return `1.${Math.min(...minors)}`
}
