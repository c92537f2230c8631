import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { createEmbeddedEngine } from '../../../src/engine/embedded/engine.ts'
import type { Roots } from '../../../src/engine/embedded/roots.ts'
import { MuslinError } from '../../../src/errors.ts'
import type { RunSpec } from '../../../src/services/ports.ts'
import { packTar } from '../../../src/services/tar.ts'

// Without a box or a control group: those are in test/e2e, where machines must be able to make them.
const roots: Roots = {
  image: async () => ({ ref: 'a', digest: 'b' }),
  digest: async () => 'b',
  root: (ref) => {
    if (ref !== 'a') throw new MuslinError('image-unavailable', `there is no ${ref}`)
    return { binds: [], env: { FROM_IMAGE: 'yes', BOTH: 'image' } }
  },
}
const spec: RunSpec = {
  image: 'a', label: 'test', user: '1000:1000', network: 'none', writable: ['/place'],
  limits: { cpu: 1, memoryBytes: 2 ** 30, diskBytes: 2 ** 20, processes: 100 },
}

let folder: string
beforeEach(async () => { folder = join(await mkdtemp(join(tmpdir(), 'muslin-embedded-')), 'runs') })
afterEach(async () => rm(join(folder, '..'), { recursive: true }))

function engine(own: { process: string; live?: () => Promise<string[]> } = { process: 'one' }) {
  return createEmbeddedEngine({ folder, isolation: 'none', launcher: '/nowhere/python3', groups: async () => undefined, roots, log: pino({ level: 'silent' }), clock: systemClock, ...own })
}

async function said(run: Awaited<ReturnType<ReturnType<typeof engine>['create']>>, command: string[], env: Record<string, string> = {}) {
  let text = ''
  const { exitCode } = await run.exec(command, { env, cwd: '/place', output: (chunk) => { text += Buffer.from(chunk).toString() } })
  return { text, exitCode }
}

it('runs commands in a folder of its own, under the names that it would have in a box', async () => {
  const run = await engine().create(spec)
  await run.put('/place', packTar([{ name: 'in', body: 'written' }]))
  expect(await said(run, ['sh', '-c', 'cat in > /place/out; echo $BOTH $FROM_IMAGE $SECRET; exit 3'], { BOTH: 'command' })).toEqual({ text: 'command yes\n', exitCode: 3 })
  expect((await buffer(await run.get('/place', ['out'], 1 << 20))).toString()).toContain('written')
  await run.remove()
  expect(await readdir(folder)).toEqual([])
})

it('ends what a command left behind', async () => {
  const run = await engine().create(spec)
  const { text } = await said(run, ['sh', '-c', '(setsid sleep 30 > /dev/null 2>&1 & echo $!)'])
  // One that has ended is there until its parent has seen that, but holds nothing.
  expect(await readFile(`/proc/${Number(text)}/environ`, 'utf8').catch(() => '')).toBe('')
  await run.remove()
})

it('does not wait for one that got away with its output', async () => {
  const run = await engine().create(spec)
  const controller = new AbortController()
  let pid = 0
  const began = Date.now()
  // Without the environment by which it would be found, and in a session of its own.
  const output = (chunk: Uint8Array) => {
    pid ||= Number(Buffer.from(chunk).toString())
    controller.abort(new Error('late'))
  }
  await expect(run.exec(['sh', '-c', 'setsid env -i sh -c "echo \\$\\$; exec sleep 60" & wait'], { env: {}, output, signal: controller.signal })).rejects.toThrow('late')
  expect(Date.now() - began).toBeLessThan(10_000)
  try { process.kill(pid, 'SIGKILL') } catch { /* Its group ended it, where there is one. */ }
  expect(await readdir(folder)).toEqual([])
}, 15_000)

it('ends a run that writes too much, and says so', async () => {
  const run = await engine().create(spec)
  expect((await said(run, ['sh', '-c', 'for i in 1 2 3; do head -c 700000 /dev/zero > $i; done'])).exitCode).toBe(137)
  expect(await run.usage()).toMatchObject({ oomKills: 0, exceeded: 'disk' })
  await run.remove()
})

it('removes what a run closed, and lays no hand on what its links lead to', async () => {
  const run = await engine().create(spec)
  const outside = join(folder, '..', 'outside')
  await mkdir(join(outside, 'kept'), { recursive: true })
  await said(run, ['sh', '-c', `mkdir -p a/b; touch a/b/c; ln -s ${outside} a/link; chmod 000 a/b a`])
  await run.remove()
  expect(await readdir(folder)).toEqual([])
  expect(await readdir(outside)).toEqual(['kept'])
})

it('sweeps what dead processes left, and nothing of living ones', async () => {
  for (const process of ['one', 'two', 'three']) await engine({ process }).create(spec)
  expect((await readdir(folder)).length).toBe(3)
  const next = engine({ process: 'four', live: async () => ['four', 'two'] })
  const own = await next.create(spec)
  expect(await next.sweep()).toBe(2)
  expect((await readdir(folder)).map((name) => name.split('-')[1]).toSorted()).toEqual(['four', 'two'])
  await own.remove()
})

it('leaves nothing where a run cannot be made', async () => {
  await expect(engine().create({ ...spec, image: 'other' })).rejects.toMatchObject({ code: 'image-unavailable' })
  await expect(engine().create({ ...spec, writable: ['relative'] })).rejects.toMatchObject({ code: 'engine-unavailable' })
  expect(await readdir(folder).catch(() => [])).toEqual([])
})
