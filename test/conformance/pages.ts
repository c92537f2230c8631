/** Pages through Muslin, compared with what its upstream sent: by `compare.py`, which shares nothing with the server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnvironment } from '../recording/recorder.ts'
import { serveMuslin } from './muslin.ts'
import { servePages } from './pages-server.ts'
import type { Check } from './run.ts'

/** Who asks: installers are told more than others. */
const ASKERS = {
  'somebody': 'curl/8.5.0',
  'pip': 'pip/26.0.1 {"ci":null,"cpu":"x86_64","implementation":{"name":"CPython","version":"3.13.5"},"installer":{"name":"pip","version":"26.0.1"},"python":"3.13.5","system":{"name":"Linux"}}',
  'uv': 'uv/0.9.0 {"installer":{"name":"uv","version":"0.9.0","subcommand":["pip","install"]},"python":"3.13.5","implementation":{"name":"CPython","version":"3.13.5"},"cpu":"x86_64","system":{"name":"Linux"}}',
}
const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
const HTML_PAGES = ['application/vnd.pypi.simple.v1+html', 'text/html']

/** `pages`: by what each is called. Each is one check. */
export async function comparePages(check: Check, pages: Map<string, Buffer>): Promise<void> {
  const names = new Map([...pages.keys()].map((about, index) => [about, /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(about) ? about : `synthetic-${index}`]))
  const upstream = await servePages(new Map([...pages].map(([about, bytes]) => [names.get(about) ?? '', bytes])))
  const muslin = await serveMuslin(upstream.url)
  const folder = await mkdtemp(join(tmpdir(), 'muslin-conformance-'))
  const python = execa('python3', ['-I', new URL('compare.py', import.meta.url).pathname], { env: cleanEnvironment(), extendEnv: false, stdin: 'pipe', stderr: 'inherit', buffer: false, reject: false })
  const answers = python.iterable()
  try {
    for (const [about, bytes] of pages) {
      const project = names.get(about) ?? ''
      await check(`page: ${about}`, async () => {
        const theirs = join(folder, 'theirs')
        await writeFile(theirs, bytes)
        for (const [asker, agent] of Object.entries(ASKERS)) {
          const json = await fetched(folder, `${muslin.url}simple/${project}/`, JSON_PAGE, agent)
          const forms = await Promise.all(HTML_PAGES.map((type) => fetched(folder, `${muslin.url}simple/${project}/`, type, agent)))
          for (const html of asker === 'somebody' ? forms : forms.slice(1)) {
            const task = { project, theirs, json, html, base: `${upstream.url}${project}/`, toldMetadata: asker !== 'somebody' }
            python.stdin.write(`${JSON.stringify(task)}\n`)
            const answer = await answers.next()
            const { count, first } = JSON.parse(answer.value as string) as { count: number; first: string[] }
            if (count > 0) throw new Error(`${asker} sees ${count} differences:\n${first.join('\n')}`)
          }
        }
      })
    }
    await check(`each of the ${pages.size} pages was asked of the upstream once`, () => {
      if (upstream.requests.length !== pages.size || new Set(upstream.requests).size !== pages.size) throw new Error(`${upstream.requests.length} requests`)
    })
  } finally {
    python.stdin.end()
    await python
    await muslin.stop()
    await upstream.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The answer's bytes in a file. */
async function fetched(folder: string, url: string, accept: string, agent: string): Promise<string> {
  const answer = await fetch(url, { headers: { accept, 'user-agent': agent } })
  const type = answer.headers.get('content-type') ?? ''
  if (answer.status !== 200 || !type.startsWith(accept)) throw new Error(`${answer.status} ${type} for ${accept}: ${(await answer.text()).slice(0, 300)}`)
  const path = join(folder, accept.replaceAll(/[^a-z]/g, '-'))
  await writeFile(path, Buffer.from(await answer.arrayBuffer()))
  return path
}
