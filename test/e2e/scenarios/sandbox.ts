/** A hostile setup.py in the box, and the same file unboxed, where every attempt must succeed. */
import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { assertForks, assertLook, assertNoTrace, assertUnboxed, FORKS, killChildren, marked, printTable, rowsOf, SECRET, type Row } from '../hostile/attempts.ts'
import { bridgeAddress, CLEAN, cleanEnv, docker, ROOT, until, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist, type Sdist } from '../sdists.ts'

const DEADLINE_SECONDS = 25

export default async function sandbox(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const gate = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => gate.listen(0, '0.0.0.0', resolve))
  lab.onClose(() => new Promise((resolve) => gate.close(() => resolve())))
  const address = gate.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const bridge = await bridgeAddress()
  const mark = `muslin_hostile_${process.pid}`
  const outside = ['/etc', '/usr/local/lib', '/root', '/']
  const plan = { mark, secret: SECRET, gates: [[bridge, port]], outside, forks: FORKS, sleep: 600 }
  const file = await readFile(join(ROOT, 'test/e2e/hostile/setup.py'), 'utf8')
  const hostile = async (kind: string): Promise<Sdist> => {
    const project = `hostile-${kind}`
    const module = `_hostile_${kind}`
    return await makeSdist({ project, staticMetadata: false, files: { 'setup.py': file, 'plan.json': JSON.stringify({ ...plan, kind, project, module }) } })
  }
  relay.add(await hostile('look'), await hostile('forks'), await hostile('deadline'), await makeSdist({ project: 'harmless', inBuild: 'import time; time.sleep(1)' }))
  const muslin = await lab.muslin({ upstream: relay.url, args: ['--limits-time', `${DEADLINE_SECONDS}s`], env: { AWS_SECRET_ACCESS_KEY: SECRET, DATABASE_PASSWORD: SECRET } })
  const rows: Row[] = []

  for (const kind of ['look', 'forks', 'deadline']) {
    await check(`hostile-${kind} in the box`, async () => {
      const client = await lab.run(CLEAN, ['pip', 'download', '-q', '--no-deps', '-d', '/tmp/w', `hostile-${kind}`], { env: lab.index(muslin), seconds: 180 })
      const job = muslin.jobs().find((row) => row.project === `hostile-${kind}` && row.kind === 'build')
      const log = await readFile(join(muslin.data, 'logs', `${job?.build}.log`), 'utf8')
      const outcome = job?.state === 'built' ? 'built' : (job?.failure?.class ?? '?')
      rows.push(...rowsOf(log, outcome))
      if (kind === 'look') {
        assert.equal(client.code, 0, client.output)
        assertLook(log)
      } else if (kind === 'forks') {
        assertForks(log)
        assert.equal(job?.state, 'failed')
        assert.notEqual(client.code, 0)
      } else {
        assert.equal(outcome, 'timed-out')
        assert.doesNotMatch(log, /slept to its end/)
        const took = ((job?.finished_at ?? 0) - (job?.started_at ?? 0)) / 1000
        assert.ok(took < DEADLINE_SECONDS + 10, `ended after ${took} s`)
      }
      await nothingRemains(muslin, mark, outside)
    })
  }
  await check('the next build is unharmed', async () => {
    const run = await lab.run(CLEAN, ['sh', '-c', 'pip install -q --no-deps harmless && python -c "import _harmless"'], { env: lab.index(muslin) })
    assert.equal(run.code, 0, run.output)
  })

  await check('counter-proof: the same file unboxed succeeds in every attempt', async () => {
    const folder = join(await lab.folder(), 'unboxed')
    await mkdir(folder)
    await writeFile(join(folder, 'setup.py'), file)
    await writeFile(join(folder, 'plan.json'), JSON.stringify({ ...plan, sleep: 3, kind: 'all', project: 'hostile-all', module: '_hostile_all' }))
    const { stdout } = await execa('python3', ['setup.py', 'boxless'], { cwd: folder, env: cleanEnv({ AWS_SECRET_ACCESS_KEY: SECRET }), extendEnv: false, timeout: 120_000 })
    try {
      rows.push(...rowsOf(stdout, 'unboxed'))
      assertUnboxed(stdout, plan)
      assert.ok((await marked(mark)).length > 0, 'its daemon outlives it')
    } finally {
      for (const folderOutside of outside) await rm(join(folderOutside, mark), { force: true })
      for (const pid of await marked(mark)) process.kill(pid, 'SIGKILL')
      await killChildren(folder)
    }
  })
  printTable(rows)
}

/** No file outside, no process of its making, no container. */
async function nothingRemains(muslin: Muslin, mark: string, outside: string[]): Promise<void> {
  const { instance } = JSON.parse(await readFile(join(muslin.data, 'server.json'), 'utf8')) as { instance: string }
  await until('no container remains', async () => ((await docker(['ps', '-aq', '--filter', `label=muslin.instance=${instance}`])) === '' ? true : undefined), 20)
  await assertNoTrace(mark, outside)
}
