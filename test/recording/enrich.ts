/** A recorded page as an index at API 1.4 would serve it. */
import { createHash } from 'node:crypto'

export interface ReplayedPage {
  json: string
  html: string
  /** Texts that the page announces and that are no recorded files', by path. */
  metadata: Map<string, Buffer>
}

interface Listed {
  filename: string
  url: string
  hashes: Record<string, string>
  'requires-python'?: string | null
  yanked?: boolean | string
  'core-metadata'?: unknown
  [key: string]: unknown
}
interface Page { meta: Record<string, unknown>; name: string; files: Listed[]; [key: string]: unknown }

/** `real`: the METADATA of a recorded wheel by its page address, undefined for others. Those get a made-up one, so that every digest is true. */
export function enrich(recorded: Buffer, real: (path: string) => Buffer | undefined): ReplayedPage {
  const page = JSON.parse(recorded.toString()) as Page
  const metadata = new Map<string, Buffer>()
  page.meta = { ...page.meta, 'api-version': '1.4' }
  page.files = page.files.map((file) => {
    if (!file.filename.endsWith('.whl')) return { ...file, 'core-metadata': false, 'provenance': null }
    const path = new URL(file.url, `http://upstream.example/simple/${page.name}/`).pathname
    const text = real(path) ?? madeUp(file.filename)
    metadata.set(`${path}.metadata`, text)
    const digest = { sha256: createHash('sha256').update(text).digest('hex') }
    return { ...file, 'core-metadata': digest, 'data-dist-info-metadata': digest, 'provenance': null }
  })
  page['project-status'] ??= { status: 'active' }
  return { json: JSON.stringify(page), html: htmlOf(page), metadata }
}

function madeUp(filename: string): Buffer {
  const [name, version] = filename.split('-')
  return Buffer.from(`Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`)
}

/** For peers that read no JSON. */
function htmlOf(page: Page): string {
  const anchors = page.files.map((file) => {
    const metadata = file['core-metadata'] ? ` data-core-metadata="sha256=${(file['core-metadata'] as { sha256: string }).sha256}"` : ''
    const python = file['requires-python'] ? ` data-requires-python="${escaped(file['requires-python'])}"` : ''
    const yanked = file.yanked ? ` data-yanked="${escaped(file.yanked === true ? '' : file.yanked)}"` : ''
    return `<a href="${escaped(file.url)}#sha256=${file.hashes['sha256']}"${python}${yanked}${metadata}>${escaped(file.filename)}</a><br>\n`
  })
  return `<!DOCTYPE html>\n<html>\n<head>\n<meta name="pypi:repository-version" content="1.4">\n<title>Links for ${escaped(page.name)}</title>\n</head>\n<body>\n${anchors.join('')}</body>\n</html>\n`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
