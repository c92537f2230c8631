/** What a hostile error line looks like wherever Muslin shows it: to installers, in a terminal, on a page. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { execa } from 'execa'
import { cleanEnv, NODE, ROOT, TARGET, type Lab, type Muslin } from '../lab.ts'
import { join } from 'node:path'

/** A project whose build ends with line ends, escapes and markup in its error line; nobody asked for it yet. */
export async function assertWords({ lab, muslin, clean, project }: { lab: Lab; muslin: Muslin; clean: string; project: string }): Promise<void> {
  const page = await fetch(`${muslin.url}/target/${TARGET}/simple/${project}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
  const { files } = await page.json() as { files: { url: string }[] }
  const path = new URL(files.find(({ url }) => url.includes('/promise/'))?.url ?? '', page.url).pathname
  const [raw, pip] = await Promise.all([
    request(muslin.port, path),
    lab.run(clean, ['pip', 'download', '-q', '--no-deps', '-d', '/tmp/downloads', project], { env: lab.index(muslin) }),
  ])
  const job = muslin.jobs().find((row) => row.project === project && row.kind === 'build')
  assert.equal(job?.failure?.class, 'build-failed')
  assert.match(job?.failure?.key ?? '', /^error: first 2J \??red<script>alert\(1\)<\/script>$/)

  const [status = '', ...headers] = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n')
  console.log(`       ${status}`)
  assert.match(status, /^HTTP\/1\.1 4\d\d [\x20-\x7e]{1,200}$/)
  assert.ok(status.includes('error: '))
  assert.deepEqual(headers.filter((line) => !/^[A-Za-z-]+: [\x20-\x7e]*$/.test(line) || /^X-Injected/i.test(line)), [])
  assert.notEqual(pip.code, 0)
  assertPlain(pip.output)
  assert.match(pip.output, /^ERROR: .*error: .*\/b\/\d+/m)

  const log = await (await fetch(`${muslin.url}/b/${job?.build}`)).text()
  const streamed = await (await fetch(`${muslin.url}/api/v1/builds/${job?.build}/log`, { headers: { accept: 'text/event-stream' } })).text()
  const shown = await (await fetch(`${muslin.url}/ui/jobs/${job?.id}`)).text()
  const listed = await (await fetch(`${muslin.url}/ui/jobs`)).text()
  for (const text of [log, shown, listed, ...[...streamed.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => String((JSON.parse(data) as { text?: string }).text))]) assertPlain(text)
  for (const html of [shown, listed]) assert.doesNotMatch(html, /<script>alert/)
  assert.match(shown, /&#60;script&#62;alert/)
  for (const command of [['job', String(job?.id), '--follow'], ['job', String(job?.id)], ['jobs']]) {
    // In a terminal of its own, where colours are printed.
    const line = [NODE, join(ROOT, 'src/main.ts'), ...command, '--server', muslin.url].join(' ')
    const { stdout } = await execa('script', ['--quiet', '--return', '--command', line, '/dev/null'], { env: cleanEnv({ TERM: 'xterm' }), extendEnv: false, reject: false, stdin: 'ignore' })
    assert.match(stdout, /error: /, stdout)
    assertPlain(stdout.replaceAll('\r\n', '\n'))
  }
}

/** Nothing but colours moves a terminal. */
function assertPlain(text: string): void {
  const found = /\x1b(?!\[[0-9;:]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e]/.exec(text)
  assert.equal(found, null, JSON.stringify(text.slice(Math.max(0, (found?.index ?? 0) - 200), (found?.index ?? 0) + 50)))
}

/** The bytes of the last answer, as an installer is sent them that is held by redirects. */
async function request(port: number, path: string): Promise<string> {
  const text = await answer(port, path)
  const next = /^HTTP\/1\.1 30\d [^]*?\r\nLocation: (\S+)\r\n/i.exec(text)?.[1]
  if (next === undefined) return text.slice(text.lastIndexOf('HTTP/1.1 '))
  const { pathname, search } = new URL(next, `http://127.0.0.1:${port}${path}`)
  return await request(port, `${pathname}${search}`)
}

async function answer(port: number, path: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: pip/25.0\r\nConnection: close\r\n\r\n`))
    socket.on('data', (chunk) => { text += chunk.toString('latin1') })
    socket.on('end', () => resolve(text)).on('error', reject)
  })
}
