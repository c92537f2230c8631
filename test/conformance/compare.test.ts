/** The comparison itself: it sees each thing that could be lost. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, expect, test } from 'vitest'

const SHA = (digit: string) => digit.repeat(64)
const NAME = 'example-1.0-py3-none-any.whl'
const SERVED = `../../files/${SHA('a')}/${NAME}`
const FILE = {
  'filename': NAME, 'url': `https://files.example/${NAME}`, 'hashes': { sha256: SHA('a') }, 'requires-python': '>=3.8', 'yanked': 'broken',
  'core-metadata': { sha256: SHA('b') }, 'provenance': 'https://upstream.example/integrity/example', 'gpg-sig': true,
}
const page = (file: Record<string, unknown>) => JSON.stringify({ meta: { 'api-version': '1.4' }, name: 'example', files: [file], versions: ['1.0'] })
const THEIRS = page(FILE)
const JSON_PAGE = page({ ...FILE, url: SERVED, provenance: `${SERVED}.provenance` })
const HTML = `<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.4"></head><body>
<a href="${SERVED}#sha256=${SHA('a')}" data-requires-python="&gt;=3.8" data-yanked="broken" data-core-metadata="sha256=${SHA('b')}" data-dist-info-metadata="sha256=${SHA('b')}" \
data-gpg-sig="true" data-provenance="${SERVED}.provenance">${NAME}</a><br></body></html>`

const told = (html: string) => html.replaceAll(`"sha256=${SHA('b')}"`, '"true"')
const without = (attribute: string) => HTML.replace(new RegExp(` ${attribute}="[^"]*"`), '')
/** What is served, and whether it is right. */
const CASES: [what: string, json: string, html: string, right?: 'right'][] = [
  ['all of it', JSON_PAGE, HTML, 'right'],
  ['METADATA whose digest the HTML does not tell', JSON_PAGE, told(HTML)],
  ['METADATA of which the JSON tells no digest', JSON_PAGE.replace(`{"sha256":"${SHA('b')}"}`, 'true'), told(HTML)],
  ['METADATA with another digest in the HTML', JSON_PAGE, HTML.replaceAll(SHA('b'), SHA('c'))],
  ['a file without its digest in the HTML', JSON_PAGE, HTML.replace(/#sha256=\w+/, '')],
  ...['data-requires-python', 'data-yanked', 'data-core-metadata', 'data-dist-info-metadata', 'data-gpg-sig', 'data-provenance'].map((attribute): [string, string, string] => [`HTML without ${attribute}`, JSON_PAGE, without(attribute)]),
  ['HTML without the file', JSON_PAGE, HTML.replace(/<a .*<\/a>/s, '')],
  ...Object.keys(FILE).filter((key) => key !== 'filename' && key !== 'url' && key !== 'hashes').map((key): [string, string, string] => [`JSON without ${key}`, page({ ...FILE, url: SERVED, provenance: `${SERVED}.provenance`, [key]: undefined }), HTML]),
  ['the upstream\'s address of the file', JSON_PAGE.replace(SERVED, FILE.url), HTML],
  ['the upstream\'s address of the provenance', JSON_PAGE.replace(`${SERVED}.provenance`, FILE.provenance), HTML],
  ['the provenance of another file', JSON_PAGE.replace(`${SERVED}.provenance`, `../../files/${SHA('c')}/${NAME}.provenance`), HTML],
]

let found: { count: number; first: string[] }[]
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muslin-compare-'))
  try {
    const tasks = await Promise.all(CASES.map(async ([, json, html], index) => {
      const files = { theirs: THEIRS, json, html }
      const paths = Object.fromEntries(Object.keys(files).map((key) => [key, join(folder, `${index}.${key}`)]))
      for (const [key, text] of Object.entries(files)) await writeFile(paths[key]!, text)
      return JSON.stringify({ project: 'example', base: 'http://upstream.example/simple/example/', toldMetadata: false, ...paths })
    }))
    const { stdout } = await execa('python3', ['-I', new URL('compare.py', import.meta.url).pathname], { input: `${tasks.join('\n')}\n` })
    found = stdout.split('\n').map((line) => JSON.parse(line) as (typeof found)[number])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test.each(CASES.map(([what, , , right], index) => ({ what, right, index })))('$what', ({ right, index }) => {
  const { count, first } = found[index]!
  if (right) expect(first).toEqual([])
  else expect([count > 0, first.join().includes('Error')], first.join()).toEqual([true, false])
})
