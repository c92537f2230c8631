/** The hostile setup.py and the bombs in the embedded engine: bounded for the whole tree of processes, and without a trace. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine, Run } from '../../../src/services/ports.ts'
import { packTar } from '../../../src/services/tar.ts'
import { assertForks, assertKernel, assertKernelUnboxed, assertLook, assertNoTrace, assertUnboxed, killChildren, marked, rowsOf, type Row } from '../hostile/attempts.ts'
import type { Check } from '../lab.ts'

/** What plan.json tells the setup.py; `open` are files that lead outside, open in the server when it was started. */
export interface HostilePlan { mark: string; secret: string; gates: [string, number][]; outside: string[]; forks: number; sleep: number; open: number[] }

const MB = 1 << 20
const LIMITS = { cpu: 2, memoryBytes: 512 * MB, diskBytes: 200 * MB, processes: 512 }
const HOSTILE = join(import.meta.dirname, '../hostile')

export async function hostileChecks({ engine, image, plan, folder, how, check, row }: {
  engine: Engine
  image: string
  plan: HostilePlan
  folder: string
  how: string
  check: Check
  row: (row: Row) => void
}): Promise<void> {
  if (how === 'none') return await check('counter-proof: the same file unboxed succeeds in every attempt', () => unboxed())

  await check('hostile-look is refused in each step', () => inRun(async (run) => {
    let text = ''
    for (const step of ['egg_info', 'dist_info', 'build']) text += (await hostile(run, 'look', step)).text
    told(text, 'ended')
    assertLook(text)
  }))
  await check('hostile-kernel gets at no file, key or process beside it', () => inRun(async (run) => {
    const { text } = await hostile(run, 'kernel', 'build')
    told(text, 'ended')
    assertKernel(text)
  }))
  await check('hostile-forks is stopped by its limit', () => inRun(async (run) => {
    const { text, exitCode } = await hostile(run, 'forks', 'build')
    told(text, `exit code ${exitCode}`)
    assertForks(text)
    assert.notEqual(exitCode, 0)
  }))
  await check('hostile-deadline ends with its run', () => inRun(async (run) => {
    const late = AbortSignal.timeout(2500)
    const began = Date.now()
    let text = ''
    await assert.rejects(hostile(run, 'deadline', 'build', late, (chunk) => { text += chunk }), { name: 'TimeoutError' })
    told(text, 'timed-out')
    assert.match(text, /outlive its deadline: sleeps/)
    assert.doesNotMatch(text, /slept to its end/)
    assert.ok(Date.now() - began < 10_000)
  }))

  await check('memory of many processes that left their parents is bounded', () => inRun(async (run) => {
    const { exitCode } = await bomb(run, 'memory')
    const { oomKills, peakBytes = 0 } = await run.usage()
    assert.ok(exitCode === 137 && oomKills > 0, `exit code ${exitCode}, ${oomKills} kills`)
    assert.ok(peakBytes < 3 * LIMITS.memoryBytes, `${Math.round(peakBytes / MB)} MB`)
  }))
  await check('a fork bomb stays within its limit, and ends at once', () => inRun(async (run) => {
    const controller = new AbortController()
    const ended = assert.rejects(bomb(run, 'forks', controller.signal), /enough/)
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const most = (await marked(plan.mark)).length
    assert.ok(most > 50 && most <= LIMITS.processes + 16, `${most} processes`)
    const began = Date.now()
    controller.abort(new Error('enough'))
    await ended
    assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`)
    assert.deepEqual(await marked(plan.mark), [])
  }))
  await check('a run is removed with all that its code closed, and however deep it lies', () => inRun(async (run) => {
    assert.equal((await bomb(run, 'deep')).exitCode, 0)
  }))

  /** A run, of which no process, no file and no folder remains; the next one is unharmed. */
  async function inRun(use: (run: Run) => Promise<void>): Promise<void> {
    const run = await create()
    try {
      await run.put('/tmp', packTar([
        { name: 'bombs.py', body: await readFile(join(HOSTILE, 'bombs.py')) }, { name: 'setup.py', body: await readFile(join(HOSTILE, 'setup.py')) },
      ]))
      await use(run)
    } finally {
      await run.remove()
    }
    await assertNoTrace(plan.mark, plan.outside)
    assert.deepEqual(await readdir(folder), [])
    const next = await create()
    assert.deepEqual(await said(next, ['sh', '-c', 'echo fine > /tmp/a && cat /tmp/a']), { text: 'fine\n', exitCode: 0 })
    await next.remove()
  }

  function create(): Promise<Run> {
    return engine.create({ image, label: 'hostile', user: '1000:1000', network: 'none', limits: LIMITS, writable: ['/tmp'] })
  }

  async function hostile(run: Run, kind: string, step: string, signal?: AbortSignal, output?: (text: string) => void) {
    await run.put('/tmp', packTar([{ name: 'plan.json', body: JSON.stringify({ ...plan, kind, project: 'hostile', module: '_hostile' }) }]))
    return said(run, ['python3', '/tmp/setup.py', 'alone', step], signal, output)
  }

  function bomb(run: Run, name: string, signal?: AbortSignal) {
    return said(run, ['python3', '/tmp/bombs.py', name, plan.mark], signal)
  }

  async function unboxed(): Promise<void> {
    const all = { ...plan, sleep: 2, kind: 'all', project: 'hostile', module: '_hostile' }
    const run = await engine.create({ image, label: 'unboxed', user: '1000:1000', network: 'none', limits: { ...LIMITS, memoryBytes: 64 * LIMITS.memoryBytes, processes: 2 * plan.forks }, writable: ['/tmp'] })
    try {
      await run.put('/tmp', packTar([{ name: 'setup.py', body: await readFile(join(HOSTILE, 'setup.py')) }, { name: 'plan.json', body: JSON.stringify(all) }]))
      const { text } = await said(run, ['python3', '/tmp/setup.py', 'boxless'])
      told(text, 'unboxed')
      assertUnboxed(text, all)
      assertKernelUnboxed(text)
    } finally {
      await run.remove()
      for (const outside of plan.outside) await rm(join(outside, plan.mark), { force: true })
      for (const pid of await marked(plan.mark)) process.kill(pid, 'SIGKILL')
      await killChildren(folder)
    }
  }

  function told(text: string, outcome: string): void {
    for (const line of rowsOf(text, outcome)) row(line)
  }
}

async function said(run: Run, command: string[], signal?: AbortSignal, also?: (text: string) => void) {
  let text = ''
  const output = (chunk: Uint8Array) => { text += Buffer.from(chunk).toString(); also?.(Buffer.from(chunk).toString()) }
  const { exitCode } = await run.exec(command, { env: {}, output, ...(signal && { signal }) })
  return { text, exitCode }
}
