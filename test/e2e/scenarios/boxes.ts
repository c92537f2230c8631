/** The hostile setup.py as the sdist of a job, on a whole server that builds without containers: each kind of box, as root and as a plain user. */
import assert from 'node:assert/strict'
import { access, chmod, chown, mkdir, readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { assertForks, assertLook, assertNoTrace, FORKS, printTable, rowsOf, SECRET, type Row } from '../hostile/attempts.ts'
import { freePort, NODE, ROOT, until, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist, type Sdist } from '../sdists.ts'

const PLAIN = 54321
const DEADLINE_SECONDS = 25
const OUTSIDE = ['/etc', '/usr/local/lib', '/root', '/']
const KINDS = ['look', 'forks', 'deadline']

/** A mount of its own covers bubblewrap's program: to this server alone it is not installed. */
const WITHOUT_BUBBLEWRAP = ['unshare', '--mount', '--', 'sh', '-c', 'mount --bind /dev/null "$(command -v bwrap)" && exec "$@"', 'sh']

interface Job { id: number; state: string; build: number | null; failure: { class: string } | null; seconds: number | null }

export default async function boxes(check: Check, lab: Lab): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('this scenario starts servers as other users: run it as root')
  await access('/usr/include').catch(() => { throw new Error('there is no C library to build with. On Debian: apt-get install python3-dev') })
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const gate = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => gate.listen(0, '0.0.0.0', resolve))
  lab.onClose(() => new Promise((resolve) => gate.close(() => resolve())))
  const address = gate.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const gates = Object.values(networkInterfaces()).flat().filter((face) => face?.family === 'IPv4').slice(0, 2).map((face) => [face?.address, port])
  const folder = await lab.folder()
  await chmod(folder, 0o755)
  const file = await readFile(join(ROOT, 'test/e2e/hostile/setup.py'), 'utf8')
  const rows: Row[] = []

  for (const who of [{ name: 'root', letter: 'r', uid: undefined }, { name: 'plain user', letter: 'p', uid: PLAIN }]) {
    const home = join(folder, who.letter)
    await mkdir(home)
    if (who.uid !== undefined) await chown(home, who.uid, who.uid)
    const outside = [...OUTSIDE, home]
    // Of one user's servers the second has the first one's data, so that compilers are fetched once.
    const servers = [{ how: 'bubblewrap', version: '1.0', wrap: [] }, { how: 'unshare', version: '2.0', wrap: WITHOUT_BUBBLEWRAP }]
    const markOf = (how: string, kind: string) => `muslin_hostile_${process.pid}_${who.letter}_${how}_${kind}`
    for (const { how, version } of servers) {
      for (const kind of KINDS) {
        relay.add(await hostile(`${kind}-${who.letter}`, version, { kind, mark: markOf(how, kind), secret: SECRET, gates, outside, forks: FORKS, sleep: 600 }))
      }
      relay.add(await makeSdist({ project: `harmless-${who.letter}`, version }))
    }
    relay.add(await makeSdist({ project: `first-${who.letter}` }))
    for (const { how, version, wrap } of servers) {
      const name = `${how} as ${who.name}`
      const server = await start(lab, { home, uid: who.uid, wrap, upstream: relay.url })
      await check(`${name}: the server says what it builds in`, async () => assert.match(server.output(), new RegExp(`embedded \\(${how},`)))
      // Making the compiler ready is not the time of a job, but is in that of its run.
      if (version === '1.0') await check(`${name}: the first build`, async () => assert.equal((await server.build(`first-${who.letter}`, '1.0')).state, 'built'))
      const jobs = KINDS.map((kind) => ({ kind, building: server.build(`hostile-${kind}-${who.letter}`, version) }))
      await Promise.allSettled(jobs.map(({ building }) => building))
      for (const { kind, building } of jobs) {
        await check(`${name}: hostile-${kind}`, async () => {
          const job = await building
          const log = await readFile(join(home, 'data/logs', `${job.build}.log`), 'utf8')
          const outcome = job.failure?.class ?? job.state
          rows.push(...rowsOf(log, `${name}: ${outcome}`))
          assertOutcome(kind, job, outcome, log)
          await assertNoTrace(markOf(how, kind), outside)
        })
      }
      await check(`${name}: no folder of a run remains, and the next build is unharmed`, async () => {
        assert.deepEqual(await readdir(join(home, 'data/embedded/runs')), [])
        assert.equal((await server.build(`harmless-${who.letter}`, version)).state, 'built')
      })
      await server.stop()
    }
  }
  printTable(rows)

  async function hostile(name: string, version: string, plan: object): Promise<Sdist> {
    const project = `hostile-${name}`
    const module = `_${project.replaceAll('-', '_')}`
    return makeSdist({ project, version, staticMetadata: false, files: { 'setup.py': file, 'plan.json': JSON.stringify({ ...plan, version, project, module }) } })
  }
}

function assertOutcome(kind: string, job: Job, outcome: string, log: string): void {
  if (kind === 'look') {
    assert.equal(outcome, 'built', log.slice(-3000))
    assertLook(log)
  } else if (kind === 'forks') {
    assert.equal(job.state, 'failed')
    assertForks(log)
  } else {
    assert.equal(outcome, 'timed-out', log.slice(-3000))
    assert.doesNotMatch(log, /slept to its end/)
    assert.ok((job.seconds ?? Infinity) < DEADLINE_SECONDS + 15, `ended after ${job.seconds} s`)
  }
}

interface Server { output(): string; build(project: string, version: string): Promise<Job>; stop(): Promise<void> }

async function start(lab: Lab, { home, uid, wrap, upstream }: { home: string; uid: number | undefined; wrap: string[]; upstream: string }): Promise<Server> {
  const port = await freePort()
  const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  const serve = [NODE, join(ROOT, 'src/main.ts'), 'serve', '--builder', 'embedded', '--port', String(port), '--host', '127.0.0.1',
    '--data', join(home, 'data'), '--upstream', upstream, '--limits-time', `${DEADLINE_SECONDS}s`]
  const [file = '', ...args] = [...wrap, ...as, ...serve]
  // The machine's own Python alone, which any user may read.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, AWS_SECRET_ACCESS_KEY: SECRET, DATABASE_PASSWORD: SECRET }
  let output = ''
  const child = execa(file, args, { env, extendEnv: false, reject: false, all: true, buffer: false, stdin: 'ignore', cwd: '/' })
  child.all.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const stop = async () => {
    child.kill('SIGTERM')
    await child
  }
  lab.onClose(stop)
  await Promise.race([
    until('the server is ready', () => (/listening on /.test(output) ? true : undefined), 60),
    child.then(({ exitCode }) => { throw new Error(`the server ended with ${exitCode} before it listened:\n${output}`) }),
  ])
  const token = (await readFile(join(home, 'data/admin-token'), 'utf8')).trim()
  const api = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json() as T
  }
  const build = async (project: string, version: string) => {
    const target = await until('a target is ready', async () => (await api<{ targets: { name: string; ready: boolean }[] }>('targets')).targets.find(({ ready }) => ready)?.name, 60)
    const [ordered] = (await api<{ jobs: Job[] }>('jobs', { project, version, targets: [target] })).jobs
    return await until(`${project} is done; the server said:\n${output.slice(-3000)}`, async () => {
      const job = await api<Job>(`jobs/${ordered?.id}`)
      return ['queued', 'running'].includes(job.state) ? undefined : job
    }, 240)
  }
  return { output: () => output, build, stop }
}
