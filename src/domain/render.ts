/** HTML made from the JSON model, complete at API version 1.4, where HTML is frozen (PEP 833). Everything in it is a stranger's text. */
import { isSha256 } from './digest.ts'
import { isValidName, normalizeName } from './names.ts'
import type { IndexFile, ProjectPage } from './page.ts'
import { projectStatus } from './status.ts'

/**
 * The page of a project: PEP 503 with all that came after it. A file whose URL could run as a script is left out. `olderMetadata`: whether
 * METADATA is announced by its name from before PEP 714 too, for those who know that one alone.
 */
export function renderHtml(page: ProjectPage, { olderMetadata = true }: { olderMetadata?: boolean } = {}): string {
  const { status, reason } = projectStatus(page)
  const metas: [string, string][] = [
    ['pypi:repository-version', repositoryVersion(page.meta['api-version'])],
    // PEP 792; active is the default and need not be said.
    ...page['project-status'] ? [['pypi:project-status', status] as [string, string]] : [],
    ...reason ? [['pypi:project-status-reason', reason] as [string, string]] : [],
    // PEP 708: whose files may be taken for the same project's.
    ...strings(page.meta['tracks']).map((url): [string, string] => ['pypi:tracks', url]),
    ...strings(page['alternate-locations']).map((url): [string, string] => ['pypi:alternate-locations', url]),
  ]
  const links = page.files.filter(({ url }) => isSafeUrl(url)).map((file) => `${anchor(file, olderMetadata)}<br>\n`)
  return `${opening(`Links for ${page.name}`, metas)}${links.join('')}${PAGE_END}`
}

/** The list of projects up to its first link. `version` is that of the upstream's. */
export function listBegin(version: string): string {
  return opening('Simple index', [['pypi:repository-version', repositoryVersion(version)]])
}

/** Links to projects, relative to `/simple/`; what is no name has no page and is left out. */
export function listLinks(names: string[]): string {
  // A valid name holds nothing to escape.
  return names.map((name) => isValidName(name) ? `<a href="${normalizeName(name)}/">${name}</a><br>\n` : '').join('')
}

/** What follows the last link, of each page. */
export const PAGE_END = '</body>\n</html>\n'

/** Text made harmless for HTML, between tags and in double-quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    // Not even a reference may name these; a lone half of a surrogate pair has no UTF-8.
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function opening(title: string, metas: [string, string][]): string {
  return [
    '<!DOCTYPE html>',
    '<html>',
    '<head>',
    '<meta charset="utf-8">',
    ...metas.map(([name, content]) => `<meta name="${name}" content="${escapeHtml(content)}">`),
    `<title>${escapeHtml(title)}</title>`,
    '</head>',
    '<body>',
    `<h1>${escapeHtml(title)}</h1>`,
    '',
  ].join('\n')
}

function anchor(file: IndexFile, olderMetadata: boolean): string {
  const metadata = metadataAttribute(file['core-metadata'] ?? file['dist-info-metadata'])
  return element('a', {
    'href': file.url.replace(/#.*$/s, '') + fragment(file.hashes),
    'data-requires-python': text(file['requires-python']),
    // PEP 592: the attribute's presence yanks, its value is the reason.
    'data-yanked': file.yanked ? text(file.yanked) ?? '' : undefined,
    'data-core-metadata': metadata,
    'data-dist-info-metadata': olderMetadata ? metadata : undefined,
    'data-gpg-sig': typeof file['gpg-sig'] === 'boolean' ? String(file['gpg-sig']) : undefined,
    'data-provenance': text(file['provenance']),
  }, file.filename)
}

function element(name: string, attributes: Record<string, string | undefined>, content: string): string {
  const written = Object.entries(attributes).map(([key, value]) => value === undefined ? '' : ` ${key}="${escapeHtml(value)}"`)
  return `<${name}${written.join('')}>${escapeHtml(content)}</${name}>`
}

/** `#sha256=…`, or another digest where that is all there is (PEP 503). */
function fragment(hashes: IndexFile['hashes'] | null | undefined): string {
  const [name, value] = bestDigest(hashes) ?? []
  return name === undefined ? '' : `#${name}=${value}`
}

function metadataAttribute(value: IndexFile['core-metadata']): string | undefined {
  if (!value) return undefined
  const digest = typeof value === 'object' ? bestDigest(value) : undefined
  return digest ? digest.join('=') : 'true'
}

function bestDigest(digests: Record<string, unknown> | null | undefined): [string, string] | undefined {
  const usable = Object.entries(digests ?? {}).filter((entry): entry is [string, string] => /^[a-z0-9_]+$/.test(entry[0]) && /^[0-9a-f]+$/i.test(String(entry[1])))
  return usable.find(([name, value]) => name === 'sha256' && isSha256(value)) ?? usable.find(([name]) => name !== 'sha256')
}

/** Browsers drop spaces and controls before they look at the scheme. */
function isSafeUrl(url: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url.replace(/[\x00-\x20]/g, ''))?.[1]
  return scheme === undefined || /^https?$/i.test(scheme)
}

function repositoryVersion(told: unknown): string {
  const minor = /^1\.([0-9]+)$/.exec(String(told))?.[1]
  return `1.${Math.min(Number(minor ?? 0), 4)}`
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
