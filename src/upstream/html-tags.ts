import { setImmediate } from 'node:timers/promises'

export interface Tag {
  /** Lower case, as the names of the attributes. */
  name: string
  /** Decoded. The first of a name counts, as in HTML. */
  attributes: Map<string, string>
}

/** The links of the largest page of PyPI, ten times over. */
const MOST_TAGS = 200_000
/** So many characters are read before others have their turn: some ten milliseconds, whatever they are. */
const A_TURN = 128 * 1024

/**
 * The opening tags of these names in a page of HTML, in their order and with these attributes, and the text of its first title. Comments, scripts
 * and the like hold no tags. In linear time whatever the page is: it is cut into tokens, and no tree is made of them. Other work goes on meanwhile.
 * Undefined where there are more of them than any page needs.
 */
export async function readTags(html: string, names: ReadonlySet<string>, wanted: ReadonlySet<string>): Promise<{ tags: Tag[]; title: string } | undefined> {
  // Few upstreams have no JSON: the others need no parser in memory.
  const { Tokenizer } = await import('htmlparser2')
  const tags: Tag[] = []
  let title: string | undefined
  let inTitle = false
  let tag: Tag | undefined
  let attribute = ''
  let value = ''
  const part = (start: number, end: number): string => html.slice(start, end)

  const tokenizer = new Tokenizer({}, {
    onopentagname(start, end) {
      const name = part(start, end).toLowerCase()
      if (name === 'title' && title === undefined) [inTitle, title] = [true, '']
      tag = names.has(name) ? { name, attributes: new Map() } : undefined
    },
    onattribname(start, end) { [attribute, value] = [part(start, end).toLowerCase(), ''] },
    onattribdata(start, end) { if (tag) value += part(start, end) },
    onattribentity(code) { if (tag) value += String.fromCodePoint(code) },
    onattribend() {
      if (tag && wanted.has(attribute) && !tag.attributes.has(attribute)) tag.attributes.set(attribute, value)
    },
    onopentagend: finished,
    onselfclosingtag: finished,
    onclosetag() { inTitle = false },
    ontext(start, end) { if (inTitle) title += part(start, end) },
    ontextentity(code) { if (inTitle) title += String.fromCodePoint(code) },
    oncomment: ignored, oncdata: ignored, ondeclaration: ignored, onprocessinginstruction: ignored, onend: ignored,
  })
  // What it tells are places in the whole, wherever that was cut.
  for (let at = 0; at < html.length; at += A_TURN) {
    tokenizer.write(html.slice(at, at + A_TURN))
    if (tags.length > MOST_TAGS) return undefined
    await setImmediate()
  }
  tokenizer.end()
  return { tags, title: title ?? '' }

  function finished(): void {
    if (tag && tag.attributes.size > 0) tags.push(tag)
    tag = undefined
  }
}

function ignored(): void {}
