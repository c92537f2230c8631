import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchBody, JSON_PAGE, sha256 } from '../lib/client.ts'
import { MIB } from '../lib/figures.ts'
import { pieces, type Bytes } from './bytes.ts'

export interface Listed { filename: string; url: string; sha256: string; size: number }

/** The files of a project as the upstream tells of them. */
export async function filesOf(upstream: string, project: string): Promise<Listed[]> {
  const { body, url } = await fetchBody(`${upstream}${project}/`, { Accept: JSON_PAGE })
  const { files } = JSON.parse(body.toString()) as { files: { filename: string; url: string; size: number; hashes: { sha256: string } }[] }
  return files.map((file) => ({ filename: file.filename, url: new URL(file.url, url).href, sha256: file.hashes.sha256, size: file.size }))
}

/** Where a row has its files, by their names: from its JSON page, or from its HTML where it has no other. */
export async function linksOf(index: string, project: string): Promise<Map<string, string>> {
  const { body, headers, url } = await fetchBody(`${index}${project}/`, { 'Accept': `${JSON_PAGE}, text/html;q=0.1`, 'Accept-Encoding': 'gzip' })
  const hrefs = /json/.test(headers['content-type'] ?? '')
    ? (JSON.parse(body.toString()) as { files: { url: string }[] }).files.map((file) => file.url)
    : [...body.toString().matchAll(/<a[^>]*?href="([^"]+)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))
  return new Map(hrefs.map((href) => {
    const link = new URL(href, url)
    link.hash = ''
    return [decodeURIComponent(link.pathname.split('/').at(-1) ?? ''), link.href]
  }))
}

const known = new Map<string, Promise<Bytes>>()

/** What a file's bytes are, by the upstream and proven by the digest on its page. A large one is a block over and over, as the upstream makes them. */
export function bytesOf(file: Listed): Promise<Bytes> {
  const bytes = known.get(file.sha256) ?? learn(file)
  known.set(file.sha256, bytes)
  return bytes
}

async function learn(file: Listed): Promise<Bytes> {
  const { body } = file.size <= 64 * MIB ? await fetchBody(file.url) : await firstBlock(file.url)
  const bytes = { block: body, size: file.size }
  if (sha256(bytes) !== file.sha256) throw new Error(`${file.filename} is not what its digest says`)
  return bytes
}

async function firstBlock(url: string): Promise<{ body: Buffer }> {
  const answer = await fetch(url, { headers: { Range: `bytes=0-${MIB - 1}` } })
  return { body: Buffer.from(await answer.arrayBuffer()) }
}

/** Writes a file into a folder. */
export async function fill(folder: string, file: Listed): Promise<void> {
  await mkdir(folder, { recursive: true })
  const bytes = await bytesOf(file)
  await using to = await open(join(folder, file.filename), 'w')
  for (const piece of pieces(bytes, 0, bytes.size)) await to.write(piece)
}
