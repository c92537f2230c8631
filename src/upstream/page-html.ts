import { setImmediate } from 'node:timers/promises'
import type { IndexFile, ProjectPage } from '../domain/page.ts'
import { readTags, type Tag } from './html-tags.ts'

const TAGS = new Set(['a', 'base', 'meta'])
const ATTRIBUTES = new Set([
  'href', 'name', 'content', 'data-requires-python', 'data-yanked', 'data-core-metadata', 'data-dist-info-metadata', 'data-gpg-sig', 'data-provenance',
])
/** What distributions end in, those of former times too: other links are a site's own. */
const DISTRIBUTION = /\.(?:whl|egg|zip|tar|tgz|tbz2?|txz|tlz|exe|msi|rpm|deb|dmg|tar\.(?:gz|bz2|xz|lzma|lz|Z))$/i
const LONGEST_FILENAME = 255
/** Signed addresses have some thousand characters. */
const LONGEST_HREF = 16 * 1024
/** So many links are read before others have their turn. */
const LINKS_A_TURN = 1000
const DIGEST = /^(md5|sha1|sha224|sha256|sha384|sha512|sha3_\d{3}|blake2[bs])=([0-9a-f]{16,128})$/i
/** A page without files has to look like an index by something else: pages of errors and of logins are served with status 200 too. */
const INDEX_TITLE = /\blinks for\b|\bsimple (?:package |repository )?index\b/i

/**
 * A project's page in HTML (PEP 503, and what PEP 592, 629, 658, 708, 714, 740 and 792 added to it) in the JSON model of PEP 691. Everything in it is a
 * stranger's: links that are no distribution by http or https are passed over. `url` is where the page came from. Where it is the page of no
 * index, or one of an API that clients must refuse, the answer is what is wrong with it.
 */
export async function pageFromHtml(html: string, project: string, url: URL): Promise<ProjectPage | string> {
  const read = await readTags(html, TAGS, ATTRIBUTES)
  if (!read) return 'it has more links than any index has'
  const { tags, title } = read
  const metas = metasOf(tags)
  const base = baseOf(tags, url)
  const files: IndexFile[] = []
  for (const [at, { name, attributes }] of tags.entries()) {
    const file = name === 'a' ? fileOf(attributes, base) : undefined
    if (file) files.push(file)
    if (at % LINKS_A_TURN === 0) await setImmediate()
  }
  const [version] = metas.get('repository-version') ?? []
  if (version !== undefined && !/^1\.\d+$/.test(version)) return `its API has the version ${JSON.stringify(version.slice(0, 20))}, and not 1.x`
  if (files.length === 0 && version === undefined && !INDEX_TITLE.test(title)) return 'it is HTML without a link to a file'
  const [status] = metas.get('project-status') ?? []
  const [reason] = metas.get('project-status-reason') ?? []
  const tracks = metas.get('tracks')
  const locations = metas.get('alternate-locations')
  return {
    // PEP 700: from 1.1 on JSON has sizes and versions, which no HTML tells.
    meta: { 'api-version': '1.0', ...tracks && { tracks } },
    name: project,
    ...status !== undefined && { 'project-status': { status, ...reason !== undefined && { reason } } },
    ...locations && { 'alternate-locations': locations },
    files,
  }
}

/** `pypi:…` metas: every content of a name, in order. */
function metasOf(tags: Tag[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { name, attributes } of tags) {
    const [, key] = /^pypi:([a-z-]+)$/i.exec(name === 'meta' ? attributes.get('name')?.trim() ?? '' : '') ?? []
    const content = attributes.get('content')?.trim()
    if (key === undefined || content === undefined) continue
    const contents = found.get(key.toLowerCase()) ?? []
    contents.push(content)
    found.set(key.toLowerCase(), contents)
  }
  return found
}

/** The first base with an address counts, for all links of the page. */
function baseOf(tags: Tag[], url: URL): URL {
  const href = tags.find(({ name, attributes }) => name === 'base' && attributes.has('href'))?.attributes.get('href')
  return webUrl(href, url) ?? url
}

function fileOf(attributes: Tag['attributes'], base: URL): IndexFile | undefined {
  const url = webUrl(attributes.get('href'), base)
  const filename = url && filenameOf(url)
  if (!url || filename === undefined) return undefined
  const hashes = hashesOf(url.hash)
  url.hash = ''
  const python = attributes.get('data-requires-python')
  const yanked = attributes.get('data-yanked')
  const core = metadataOf(attributes.get('data-core-metadata'))
  const distInfo = metadataOf(attributes.get('data-dist-info-metadata'))
  const signed = attributes.get('data-gpg-sig')?.toLowerCase()
  const provenance = attributes.get('data-provenance')
  return {
    filename,
    url: url.href,
    hashes,
    ...python !== undefined && { 'requires-python': python },
    // PEP 592: that it is there yanks; what it says is the reason.
    ...yanked !== undefined && { yanked: yanked || true },
    ...core !== undefined && { 'core-metadata': core },
    ...distInfo !== undefined && { 'dist-info-metadata': distInfo },
    ...(signed === 'true' || signed === 'false') && { 'gpg-sig': signed === 'true' },
    ...provenance !== undefined && { provenance },
  }
}

function webUrl(href: string | undefined, base: URL): URL | undefined {
  const url = href === undefined || href.length > LONGEST_HREF ? null : URL.parse(href, base)
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined
}

/** The last part of the path, as pip and uv take it: the text of a link may be anything. Undefined where it is no name of a distribution. */
function filenameOf(url: URL): string | undefined {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  let name
  try {
    name = decodeURIComponent(last)
  } catch {
    return undefined
  }
  return name.length <= LONGEST_FILENAME && DISTRIBUTION.test(name) && !/[/\\\x00-\x1f\x7f]/.test(name) ? name : undefined
}

/** PEP 503: `#sha256=…`; other parts of a fragment, such as `egg=`, are pip's own. */
function hashesOf(fragment: string): Record<string, string> {
  const digests = fragment.slice(1).split('&').flatMap((part) => {
    const [, name, value] = DIGEST.exec(part) ?? []
    return name !== undefined && value !== undefined ? [[name.toLowerCase(), value.toLowerCase()] as const] : []
  })
  return Object.fromEntries(digests)
}

/** PEP 658: `true`, or the digest of the metadata. */
function metadataOf(told: string | undefined): boolean | Record<string, string> | undefined {
  if (told === undefined) return undefined
  const hashes = hashesOf(`#${told.trim()}`)
  if (Object.keys(hashes).length > 0) return hashes
  return /^true$/i.test(told.trim())
}
