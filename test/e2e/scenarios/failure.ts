/** cffi without its header: every held client ends at once with the cause and a link to the whole log. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BUILDER, CLEAN, HOST, TARGET, UV, type Check, type Lab, type Muslin } from '../lab.ts'
import { nginx } from '../nginx.ts'
import { startRelay } from '../relay.ts'

const PROJECT = 'cffi'
/** What each client must say in one line: the missing header and where the log is. */
const REASON = /ffi\.h.*(http:\/\/[^\s/]+\/b\/\d+)/

interface Client { way: string; run: Promise<{ code: number; output: string }> }

export default async function failure(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  relay.hide = (filename) => filename.startsWith('cffi-') && filename.endsWith('.whl')
  lab.onClose(() => relay.close())
  const { web, worker } = await lab.pair(relay.url)
  const proxied = await nginx(lab, web)
  let link = ''

  await check('three pips held by 100s, three by hops, three uvs end within 2 s of the failure and say ffi.h and a link', async () => {
    process.kill(worker.pid, 'SIGSTOP')
    const clients = [...Array(3).keys()].flatMap((): Client[] => [
      { way: '100s', run: lab.run(CLEAN, timed(`pip download -q --no-deps -d /tmp/w ${PROJECT}`), { env: lab.index(web) }) },
      { way: 'hops', run: lab.run(CLEAN, timed(`pip download -q --no-deps -d /tmp/w ${PROJECT}`), { env: { ...lab.index(web), PIP_INDEX_URL: `http://${HOST}:${proxied}/simple/` } }) },
      { way: 'uv', run: lab.run(UV, timed(`uv pip install --system --break-system-packages --no-deps ${PROJECT}`), { env: { UV_INDEX_URL: `${web.inside}/simple/`, UV_NO_CACHE: '1' } }) },
    ])
    await web.until('all nine are held', () => (heldNow(web) >= 9 ? true : undefined), 120)
    assert.deepEqual(web.events('hold').map((event) => event.by).sort(), [...Array(3).fill('100s'), ...Array(6).fill('hops')])
    process.kill(worker.pid, 'SIGCONT')
    const results = await Promise.all(clients.map(async ({ way, run }) => ({ way, ...(await run) })))
    const job = web.jobs().find((row) => row.state === 'failed')
    assert.equal(job?.failure?.class, 'missing-header')
    assert.equal(job?.failure?.key, 'ffi.h')
    assert.equal(web.jobs().filter((row) => row.kind === 'build').length, 1)
    for (const { way, code, output } of results) {
      const ended = Number(/^ended ([\d.]+)$/m.exec(output)?.[1]) * 1000
      const late: number = (ended - (job?.finished_at ?? 0)) / 1000
      console.log(`       ${way.padEnd(4)} exit ${code}, ${late.toFixed(2)} s after the failure`)
      assert.notEqual(code, 0, output)
      assert.ok(late < 2, `${way} ended ${late} s after the failure`)
      const line = output.split('\n').find((text) => REASON.test(text))
      assert.ok(line, `${way} did not say why:\n${output}`)
      link = REASON.exec(line)?.[1] ?? ''
    }
    console.log(`       ${results[0]?.output.split('\n').find((text) => REASON.test(text)) ?? ''}`)
  })

  await check('the text behind the link is the whole log', async () => {
    const { pathname } = new URL(link)
    const served = await (await fetch(`${web.url}${pathname}`)).text()
    assert.equal(served, await readFile(join(web.data, 'logs', `${pathname.split('/').pop()}.log`), 'utf8'))
    assert.match(served, /ffi\.h/)
    assert.match(served, /step fetch/)
    assert.match(served, /missing-header/)
  })

  await check('the page no longer promises it', async () => {
    const page = await fetch(`${web.url}/target/${TARGET}/simple/${PROJECT}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
    const { files } = (await page.json()) as { files: { filename: string; url: string }[] }
    const failed = web.jobs().find((row) => row.state === 'failed')
    assert.ok(files.length > 0)
    assert.deepEqual(files.filter((file) => file.url.includes('/promise/') && file.filename.includes(`-${failed?.version}-`)), [])
  })

  await check('the next install, in the image with a compiler, asks for the sdist', async () => {
    const version = web.jobs().find((row) => row.state === 'failed')?.version ?? ''
    await lab.run(BUILDER, ['sh', '-c', `pip download --no-deps --no-build-isolation -d /tmp/w ${PROJECT}==${version}`], { env: lab.index(web) })
    const paths = web.events('request').map((event) => event.path)
    assert.ok(paths.some((path) => path.startsWith('/files/') && path.endsWith(`cffi-${version}.tar.gz`)), paths.slice(-10).join('\n'))
    assert.equal(web.jobs().filter((row) => row.kind === 'build').length, 1, 'no second build was started')
  })
}

/** Runs a command and prints when it ended, by the clock that the server shares. */
function timed(command: string): string[] {
  return ['sh', '-c', `${command}; code=$?; python3 -c 'import time; print("ended", time.time())'; exit $code`]
}

/** First holds alone: a hop comes back with a number. */
function heldNow(web: Muslin): number {
  return web.events('hold').filter((event) => event.hop === 0).length
}
