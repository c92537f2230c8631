/** The upstream falls silent, goes away, and the server is restarted in between and put offline: what was installed before still installs, without anybody waiting long. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { CLEAN, UV, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay } from '../relay.ts'

const WANTED = ['python-dateutil==2.9.0.post0', 'idna==3.10']
const PAGE = { headers: { accept: 'application/vnd.pypi.simple.v1+json' } }

export default async function outage(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  // Every page is past its time as soon as it came: each install asks for all of them.
  const args = ['--page-freshness', '0s', '--builder', 'none']
  let server = await lab.muslin({ upstream: relay.url, args })

  const restart = async (more: string[] = []) => {
    await server.stop()
    server = await lab.muslin({ upstream: relay.url, data: server.data, port: server.port, args: [...args, ...more] })
  }
  const installs = async (when: string, seconds: number) => {
    for (const by of ['pip', 'uv'] as const) {
      await check(`${by} installs ${when}`, async () => {
        const run = await install(lab, server, by)
        assert.equal(run.code, 0, run.output)
        assert.ok(run.seconds < seconds, `it took ${run.seconds} s:\n${run.output}`)
      })
    }
  }

  await installs('while the upstream is there', 120)
  await relay.close()
  const silent = await startSilent(Number(new URL(relay.url).port))
  lab.onClose(() => silent.close())
  await installs('while the upstream takes connections and answers nothing', 30)
  await restart()
  await installs('from a server that was restarted meanwhile', 30)
  await check('after one has waited, a page that is past its time comes at once', async () => {
    const began = performance.now()
    assert.equal((await fetch(`${server.url}/simple/idna/`, PAGE)).status, 200)
    assert.ok(performance.now() - began < 100, `${performance.now() - began} ms`)
    assert.ok(silent.connections() > 0)
  })
  await silent.close()
  await installs('while nobody listens there', 30)
  await restart()
  await installs('from a server that was restarted then', 30)
  await check('what was never seen is 502 or 504 and never 404', async () => {
    const { status } = await fetch(`${server.url}/simple/never-seen-before/`, PAGE)
    assert.ok([502, 504].includes(status), String(status))
  })
  await restart(['--offline'])
  await installs('from a server that is offline', 30)
  await check('it says so, and what it has not seen is refused as that', async () => {
    assert.match(server.output(), /offline: it is never asked/)
    assert.match(await (await fetch(`${server.url}/readyz`)).text(), /offline/)
    const refused = await fetch(`${server.url}/simple/never-seen-before/`, PAGE)
    assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [503, 'offline'])
  })
}

function install(lab: Lab, server: Muslin, by: 'pip' | 'uv') {
  const script = 'python -c "import dateutil, idna"'
  if (by === 'pip') return lab.run(CLEAN, ['sh', '-c', `pip install -q ${WANTED.join(' ')} && ${script}`], { env: lab.index(server) })
  const env = { UV_INDEX_URL: `${server.inside}/simple/`, UV_NO_CACHE: '1' }
  return lab.run(UV, ['sh', '-c', `uv pip install --system --break-system-packages ${WANTED.join(' ')} && ${script}`], { env })
}

/** Takes connections on a port of loopback, and lets them wait. */
async function startSilent(port: number): Promise<{ connections(): number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => { sockets.add(socket.on('error', () => undefined)) })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    connections: () => sockets.size,
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
