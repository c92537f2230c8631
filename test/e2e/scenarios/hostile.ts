/** Hostile sdists as real jobs in the real engine: none gets through, none leaves anything, and each has its way without the box. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createGate, type Server } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { parseDuration } from '../../../src/domain/quantity.ts'
import { standinAlpine } from '../../standin/apk/standin.ts'
import { makeRepository } from '../../standin/apk/repository.ts'
import { assertForks, assertLook, assertNoTrace, assertUnboxed, FORKS, printTable, rowsOf, SECRET, type Row } from '../hostile/attempts.ts'
import { sdistOfCase } from '../hostile/case-sdist.ts'
import { casesOf, type Case } from '../hostile/cases.ts'
import { ordersOf, type Done } from '../hostile/orders.ts'
import { unboxed } from '../hostile/unboxed.ts'
import { watchEngine } from '../hostile/watch.ts'
import { assertWords } from '../hostile/words.ts'
import { bridgeAddress, BUILDER, CLEAN, cleanEnv, FIRST, ROOT, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

/** Of every job that has none of its own. */
const LIMITS = { time: '3m', memory: '256m', disk: '64m' }
/** Of those that compile: the compiler alone is larger than that. */
const COMPILING = { time: '10m', memory: '2g', disk: '256m' }
/** Prints the modes of a zip file's members. */
const MODES = 'import io, sys, zipfile\nfor one in zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())).infolist(): print(oct(one.external_attr >> 16), one.filename)'
/** Beyond its limit a job has its sdist to fetch and read before, and its containers to remove after. */
const SLACK_SECONDS = 15

export default async function hostile(check: Check, lab: Lab): Promise<void> {
  const { relay, gate, muslin, alpine } = await start(lab)
  const orders = await ordersOf(muslin)
  const engine = await watchEngine(lab, muslin)
  const mark = `muslin_hostile_${process.pid}`
  const outside = ['/etc', '/usr/local/lib', '/root', '/']
  const files = [muslin.data, join(muslin.data, 'admin-token'), '/var/run/docker.sock']
  const common = { mark, secret: SECRET, gates: [[gate.host, gate.port], [gate.host, muslin.port]], outside, files, forks: FORKS }
  const { takes, leaves, makes, stays, words } = casesOf({ mark, gate: `${gate.host}:${gate.port}` })
  const rows: string[] = []
  const attempts: Row[] = []
  relay.add(await makeSdist({ project: 'harmless' }))
  let round = 0
  const harmless = async () => {
    // What has been tried by this recipe is not tried once more.
    await orders.recipe({ project: 'harmless', limits: COMPILING, env: { ROUND: String(++round) } })
    const asked = Date.now()
    const { job, run, log } = await orders.build('harmless', { publish: false })
    assert.equal(job.state, 'built', log.slice(-3000))
    assert.ok(Date.parse(run.startedAt) > asked - 1000, 'it was built anew')
    assert.doesNotMatch(log, /HIJACKED|poison/)
    const verified = run.record?.['verify'] as { sha256: string } | undefined
    assert.match(verified?.sha256 ?? '', /^[0-9a-f]{64}$/)
    return verified?.sha256
  }
  let first: string | undefined

  const look = async (kind: string, more: object = {}) => {
    const project = `hostile-${kind}`
    const module = `_hostile_${kind}`
    const [setup, plan] = [await readFile(join(ROOT, 'test/e2e/hostile/setup.py'), 'utf8'), JSON.stringify({ ...common, kind, project, module, ...more })]
    const inside = { 'hostile_inside/__init__.py': setup, 'hostile_inside/plan.json': plan }
    return makeSdist({ project, staticMetadata: false, files: { 'setup.py': setup, 'plan.json': plan, ...kind === 'look' && inside } })
  }
  const inWheel = { more: { packages: ['hostile_inside'], package_data: { hostile_inside: ['plan.json'] } } }
  for (const project of ['hostile-look', 'hostile-forks']) await orders.recipe({ project, limits: COMPILING })
  await check('a clean sdist, before all of them', async () => { first = await harmless() })
  relay.add(await look('look', inWheel), await look('forks'))
  const jobs = { look: orders.build('hostile-look'), forks: orders.build('hostile-forks') }
  await inGroup('secrets, sockets, forks', [], { jobs: Object.values(jobs), checks: async () => {
    await check('secrets, mounts, sockets in each step, writes outside, daemons: refused', async () => {
      const done = await jobs.look
      attempts.push(...rowsOf(done.log, done.job.failure?.class ?? done.job.state))
      assertEnd(done, { name: 'look', plan: {}, ends: 'built', limits: COMPILING })
      assertLook(done.log)
      for (const line of [/open a socket in import: refused/, /reach the server's files: refused/]) assert.match(done.log, line)
    })
    await check('forks without end: stopped', async () => {
      const done = await jobs.forks
      attempts.push(...rowsOf(done.log, done.job.failure?.class ?? done.job.state))
      assertEnd(done, { name: 'forks', plan: {}, ends: 'build-failed', key: /^all 512 processes in use$/, limits: COMPILING })
      assertForks(done.log)
    })
    await check('counter-proof: the same file unboxed succeeds in every attempt', async () => {
      const all = await look('all', { sleep: 3 })
      const script = 'tar xzf *.tar.gz && cd hostile-all-1.0 && python3 setup.py boxless'
      const { text } = await unboxed(lab, all, { script, host: true, env: { AWS_SECRET_ACCESS_KEY: SECRET } })
      attempts.push(...rowsOf(text, 'unboxed'))
      assertUnboxed(text, common)
      assert.match(text, /reach the server's files: reached 3 of 3/)
      const limited = await unboxed(lab, await look('forks', { sleep: 3 }), { script: script.replace('all', 'forks'), processes: 1500 })
      const count = Number(/fork without end: stopped after (\d+)/.exec(limited.text)?.[1])
      assert.ok(limited.refusedForks > 0 && count > 1400, `${count} forks, refused ${limited.refusedForks} times`)
    })
  } })

  await inGroup('what comes out', makes)
  await inGroup('what it takes', takes)
  const left = await inGroup('what it leaves', leaves)
  await check('a published wheel lends no rights', async () => {
    const url = left.get('rights')?.job.wheel?.url
    const wheel = Buffer.from(await (await fetch(new URL(url ?? 'no-wheel', `${muslin.url}/`))).arrayBuffer())
    const { stdout } = await execa('python3', ['-c', MODES], { input: wheel, env: cleanEnv(), extendEnv: false })
    assert.match(stdout, /^0o100755 hostile_shell$/m)
    assert.doesNotMatch(stdout, /^0o10[1-7]/m)
  })
  await inGroup('what stays', stays)
  await inGroup('names of what is missing', words)
  await check('nobody was reached, and no name of an sdist became an option of apk', async () => {
    const calls = engine.commands().filter((command) => / apk --?\w| apk \w/.test(command))
    const [added = ''] = calls.filter((command) => command.includes(' bobbin-dev'))
    assert.match(added, / -- bobbin-dev$/, `apk was called for an honest name:\n${calls.join('\n')}`)
    assert.deepEqual(calls.filter((command) => /allow-untrusted|--repository[ =]/.test(command)), [])
    assert.deepEqual(engine.commands().filter((command) => command.includes(`${gate.host}:${gate.port}`)), [])
    const failed = muslin.jobs().find((row) => row.project === 'hostile-header')
    for (const apk of ['--allow-untrusted', '--repository=http://evil.example/', 'libffi-dev --allow-untrusted']) {
      assert.equal(await orders.status(`jobs/${failed?.id}/add-apks`, { apks: [apk] }), 400)
    }
    const naive = await lab.run(alpine.builder, ['apk', 'add', '--simulate', '--allow-untrusted'])
    assert.match(naive.output, /option/, 'apk would take it for one')
  })

  await check('line ends and escapes in the error line: in the key, the reason phrase, a terminal and a page', async () => {
    const one: Case = { name: 'lines', plan: { attempt: 'break_lines' }, ends: 'build-failed' }
    const sdist = await sdistOfCase(one, common)
    relay.add(sdist)
    await assertWords({ lab, muslin, clean: alpine.clean, project: sdist.project })
    const bare = await unboxed(lab, sdist, { script: 'tar xzf *.tar.gz && cd hostile-lines-1.0 && python3 backend.py' })
    assert.ok(bare.text.includes('\r\nX-Injected: yes\r\n') && bare.text.includes('\x1b]0;owned\x07'))
  })

  await check('the clean sdist, after all of them, gives the same wheel', async () => {
    const { job } = await orders.build('harmless')
    assert.equal(job.wheel?.sha256, first)
    await engine.assertNothingRemains()
  })
  console.log(rows.join('\n'))
  printTable(attempts)

  /** Its jobs all at once, a clean one among them; and when all have ended, that nothing is left of them. */
  async function inGroup(
    what: string, cases: Case[], more: { jobs: Promise<unknown>[]; checks: () => Promise<void> } = { jobs: [], checks: async () => undefined },
  ): Promise<Map<string, Done>> {
    const ended = new Map<string, Done>()
    const sdists = await Promise.all(cases.map((one) => sdistOfCase(one, common)))
    relay.add(...sdists)
    for (const { name, limits } of cases) if (limits) await orders.recipe({ project: `hostile-${name}`, limits })
    const jobs = cases.map(({ name }) => orders.build(`hostile-${name}`))
    const beside = harmless()
    await Promise.allSettled([...jobs, ...more.jobs, beside])
    const reached = gate.reached
    await more.checks()
    for (const [at, one] of cases.entries()) {
      await check(`${one.name}: ${one.ends}`, async () => {
        const done = await jobs[at]!
        ended.set(one.name, done)
        const { failure, state, seconds } = done.job
        rows.push(`       ${one.name.padEnd(16)} | ${failure?.class ?? state} | ${failure?.cause ?? ''} | ${seconds?.toFixed(1)} s`)
        assertEnd(done, one)
        if (!one.unboxed) return
        const ran = await unboxed(lab, sdists[at]!, one.unboxed)
        const { proves } = one.unboxed
        const succeeded = typeof proves === 'function' ? proves(ran) : proves.test(ran.text)
        assert.ok(succeeded, `unboxed it did not succeed, ${ran.oomKills} kills, ${ran.peakBytes} bytes:\n${ran.text.slice(-2000)}`)
      })
    }
    await check(`${what}: nothing remains, and a clean sdist beside them gives the same wheel`, async () => {
      assert.equal(await beside, first)
      await engine.assertNothingRemains()
      await assertNoTrace(mark, outside)
      assert.equal(reached, 0)
    })
    // Without a box it was.
    gate.reached = 0
    return ended
  }

  function assertEnd({ job, log }: Done, one: Case): void {
    const { class: ended, key = '' } = muslin.jobs().find((row) => row.id === job.id)?.failure ?? { class: job.state }
    assert.equal(ended, one.ends, `${key}\n${log.slice(-3000)}`)
    if (one.key) assert.match(key, one.key)
    assert.match(`${key}${job.failure?.cause ?? ''}`, /^[\x20-\x7e]*$/)
    assert.ok(key.length <= 200)
    if (one.says) assert.match(log, one.says)
    if (one.never) assert.doesNotMatch(log, one.never)
    assert.ok(log.length <= 17 << 20, `a log of ${log.length} bytes`)
    const limit = parseDuration(one.limits?.time ?? LIMITS.time) ?? 0
    assert.ok((job.seconds ?? Infinity) < limit + SLACK_SECONDS, `it took ${job.seconds} s`)
    assert.equal(job.attempts, 1)
  }
}

async function start(lab: Lab) {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const gate = { host: await bridgeAddress(), port: 0, reached: 0 }
  gate.port = await listening(lab, createGate((socket) => { gate.reached++; socket.destroy() }))
  const alpine = await standinAlpine({ builder: BUILDER, clean: CLEAN })
  const repository = await makeRepository(alpine.apks, alpine.key)
  const mirror = await listening(lab, createServer((request, response) => {
    const body = repository.get((request.url ?? '').replace('/alpine/v3.19/main/', ''))
    response.writeHead(body ? 200 : 404).end(body)
  }))
  const muslin = await lab.muslin({
    upstream: relay.url, targets: [{ ...FIRST, builder: alpine.builder, clean: alpine.clean }],
    args: [
      '--workers', '3', '--limits-time', LIMITS.time, '--limits-memory', LIMITS.memory, '--limits-disk', LIMITS.disk,
      '--apk-mirror', `http://127.0.0.1:${mirror}/alpine`,
    ],
    env: { AWS_SECRET_ACCESS_KEY: SECRET, DATABASE_PASSWORD: SECRET },
  })
  return { relay, gate, muslin, alpine }
}

async function listening(lab: Lab, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  lab.onClose(() => new Promise((resolve) => server.close(() => resolve())))
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
