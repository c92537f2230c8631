import { StringDecoder } from 'node:string_decoder'
import { isValidName, normalizeName } from '../domain/names.ts'
import { MuslinError } from '../errors.ts'

/** An anchor as PEP 503 has it: the name as its text, the project's folder as its address. */
const ANCHOR = /<a\s([^<>]*)>([^<>]*)<\/a\s*>/gi
const HREF = /(?:^|\s)href\s*=\s*["']?([^"'\s]*)/i
/** No anchor of a project is longer: how a page is cut into pieces must not matter. */
const LONGEST_ANCHOR = 4096

/**
 * An HTML list of projects (PEP 503) as the JSON one (PEP 691), piece by piece. An anchor counts where its text is a valid name and
 * its address ends in that same one; everything else on the page is passed over. Throws `upstream-bad-answer` where there is not one
 * such anchor.
 */
export async function* listFromHtml(html: AsyncIterable<Uint8Array>, url: URL): AsyncGenerator<Buffer> {
  const decoder = new StringDecoder()
  let rest = ''
  let before = '{"meta":{"api-version":"1.0"},"projects":['
  for await (const chunk of html) {
    rest += decoder.write(chunk)
    let json = ''
    let end = 0
    for (const { 0: anchor, 1: attributes = '', 2: text = '', index } of rest.matchAll(ANCHOR)) {
      end = index + anchor.length
      const name = text.trim()
      if (anchor.length > LONGEST_ANCHOR || !isProject(name, attributes)) continue
      json += `${before}{"name":"${name}"}`
      before = ','
    }
    // What is left may be the beginning of an anchor that goes on in the next piece.
    rest = rest.slice(Math.max(end, rest.length - LONGEST_ANCHOR))
    if (json !== '') yield Buffer.from(json)
  }
  if (before !== ',') throw new MuslinError('upstream-bad-answer', `${url.host}${url.pathname} is no list of projects; check the setting upstream`)
  yield Buffer.from(']}')
}

function isProject(name: string, attributes: string): boolean {
  if (!isValidName(name)) return false
  const [path = ''] = (HREF.exec(attributes)?.[1] ?? '').split(/[?#]/, 1)
  // No pattern with an end: it would be tried from each letter of a hostile address.
  const folder = path.slice(0, path.endsWith('/') ? -1 : undefined).split('/').at(-1) ?? ''
  return normalizeName(folder) === normalizeName(name)
}
