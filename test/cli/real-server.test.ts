/** The commands on the real server over real storage; the worker is the test. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Context } from '../../src/cli/context.ts'
import type { ClaimedJob, JobKind } from '../../src/domain/job.ts'
import { makeRig, type Rig, TARGET } from '../http/rig.ts'
import { claimOn, startOn } from './on-rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig()
  for (const project of ['alpha', 'beta']) {
    rig.upstream.project(project, [
      { filename: `${project}-1.0.tar.gz`, bytes: Buffer.from(`${project} 1.0`) }, { filename: `${project}-2.0.tar.gz`, bytes: Buffer.from(`${project} 2.0`) },
    ])
  }
  rig.upstream.project('pure', [{ filename: 'pure-1.0-py3-none-any.whl', bytes: Buffer.from('x') }])
  await rig.ready()
})
afterEach(() => rig.close())

const start = (words: string[], parts: Partial<Context> = {}) => startOn(rig, words, parts)
const claim = (kind?: JobKind) => claimOn(rig, kind)

async function muslin(...words: string[]) {
  const { out, err, exit } = start(words)
  return { exit: await exit, out: out.join('\n'), err: err.join('\n') }
}

async function say(job: ClaimedJob, text: string): Promise<() => Promise<void>> {
  const sink = await rig.logs.open(job.build)
  sink.write(text)
  return () => sink.close()
}

async function untilIn(lines: string[], text: string): Promise<void> {
  while (!lines.some((line) => line.includes(text))) await new Promise((resolve) => setImmediate(resolve))
}

test('build shows the log while it grows, and ends with the wheel', async () => {
  const { out, err, exit } = start(['build', 'Alpha'])
  const job = await claim()
  expect(job).toMatchObject({ project: 'alpha', version: '2.0', target: TARGET, kind: 'build' })
  const sink = await rig.logs.open(job.build)
  sink.write('compiling\n\x1b[2J')
  await untilIn(out, 'compiling')
  sink.write('done\n')
  await sink.close()
  await rig.publish(job, Buffer.from('a wheel'), 'Metadata-Version: 2.1\nName: alpha\nVersion: 2.0\n')
  expect(await exit).toBe(0)
  expect(out.slice(0, 2)).toEqual(['compiling', 'done'])
  expect(out[2]).toMatch(/^built {2}alpha-2\.0-1-cp313-cp313-musllinux_1_2_x86_64\.whl \(7 B\)/)
  expect(out[3]?.trim()).toMatch(new RegExp(`^${rig.url}/files/[0-9a-f]{64}/alpha-2\\.0`))
  expect((await rig.get(new URL(out[3]!.trim()).pathname)).body.toString()).toBe('a wheel')
  expect(err[0]).toBe(`job ${job.id}: alpha 2.0 for ${TARGET}, ${rig.url}/ui/jobs/${job.id}`)
  expect(await muslin('build', 'alpha==2.0')).toMatchObject({ exit: 0, err: '', out: expect.stringMatching(/^built {2}alpha-2\.0/) })
})

test('a failed build ends with 2 and its cause; retry --follow shows the next run alone', async () => {
  const building = start(['build', 'beta==1.0', '--no-publish'])
  const job = await claim('trial')
  await (await say(job, 'ffi.h: no such file\n'))()
  await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
  expect(await building.exit).toBe(2)
  expect(building.out.join('\n')).toMatch(/^ffi\.h: no such file\nfailed {2}beta 1\.0 for .*: needs header ffi\.h\n {2}remedy {2}add the apk libffi-dev to /)

  const again = start(['retry', String(job.id), '--follow'])
  const second = await claim('trial')
  expect(second.id).toBe(job.id)
  await (await say(second, 'better\n'))()
  await rig.store.jobs.done(second.build, {}, rig.clock.now())
  expect(await again.exit).toBe(0)
  expect(again.out[0]).toBe('better')
  expect(again.out.join()).not.toContain('ffi.h')
  expect((await muslin('job', String(job.id))).out).toMatch(/^job 1 +built\n/)
})

test('a job that nobody needs is cancelled; what has ended is not', async () => {
  const left = start(['build', 'beta', '--json'])
  const job = await claim()
  expect(await muslin('cancel', String(job.id))).toMatchObject({ exit: 0, out: `job ${job.id} is cancelled: beta 2.0 for ${TARGET}` })
  expect(await left.exit).toBe(2)
  expect(JSON.parse(left.out.join('\n'))).toMatchObject({ jobs: [{ id: job.id, state: 'cancelled', failure: { class: 'cancelled' } }] })
  expect(await muslin('cancel', String(job.id))).toMatchObject({ exit: 3, out: '' })
  expect(await muslin('jobs', '--state', 'cancelled')).toMatchObject({ exit: 0, out: expect.stringContaining('cancelled  beta     2.0') })
})

test('a plan is told, and its prebuild is waited for', async () => {
  const read = async () => Buffer.from('alpha==1.0\nbeta==1.0\npure==1.0\n')
  const planned = start(['plan', '-'], { read })
  expect(await planned.exit).toBe(0)
  expect(planned.out.join('\n')).toMatch(/requirements\.txt: 3 pins[\s\S]+upstream wheel: 1\n.*pure[\s\S]+would build: 2, about .* in all\n {2}alpha +1\.0 [\s\S]+ {2}beta/)

  const { out, err, exit } = start(['prebuild', '-', '--wait'], { read })
  const alpha = await claim()
  await rig.publish(alpha, Buffer.from('a wheel'), `Metadata-Version: 2.1\nName: ${alpha.project}\nVersion: 1.0\n`)
  await untilIn(err, `built  ${alpha.project} 1.0`)
  const beta = await claim()
  await rig.fail(beta, { class: 'timed-out', key: '30 min' })
  expect(await exit).toBe(2)
  expect(out[0]).toBe('prebuild 1 of requirements.txt: 2 to build, 1 there already')
  expect(out[1]).toBe(`${rig.url}/ui/prebuilds/1`)
  expect(out.at(-1)).toBe('prebuild 1: 1 of 2 built, 1 failed')
  expect(out.join('\n')).toContain('took longer than 30 min')
})

test.each([
  [['build', 'gamma'], 3, 'gamma'], [['build', 'alpha==9'], 3, '9'], [['build', 'alpha', '--target', 'cp27-musllinux_1_2_x86_64'], 3, 'cp27'],
  [['job', '99'], 3, '99'], [['build', 'alpha', '--token', 'wrong'], 3, 'does not take the token from --token'],
])('%j ends with %i and a line that says why', async (words, code, said) => {
  const { exit, out, err } = await muslin(...words)
  expect({ exit, out }).toEqual({ exit: code, out: '' })
  expect(err).toContain(said)
})

test('a lock that cannot be planned names its lines', async () => {
  const { exit, err } = start(['plan', '-'], { read: async () => Buffer.from('alpha==1.0\nbeta\n') })
  expect(await exit).toBe(3)
  expect(err.join('\n')).toMatch(/The lock file cannot be used: .*requirements\.txt.*2/)
})

test('targets are those of the server', async () => {
  expect((await muslin('targets')).out).toMatch(new RegExp(`^target .*\\n${TARGET} +3\\.13 +x86_64 +ready`))
})
