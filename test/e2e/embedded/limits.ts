/** Ways around the limits on memory and disk: bounded by the kernel where it can be told to, and as far as is promised where it cannot. */
import assert from 'node:assert/strict'
import { access, readFile, readdir } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { join } from 'node:path'
import { findGroups } from '../../../src/engine/embedded/cgroup.ts'
import type { Engine, Run, Usage } from '../../../src/services/ports.ts'
import { packTar } from '../../../src/services/tar.ts'
import { assertNoTrace } from '../hostile/attempts.ts'
import type { Check } from '../lab.ts'
import type { HostilePlan } from './hostile.ts'

const MB = 1 << 20
const LIMITS = { cpu: 2, memoryBytes: 512 * MB, diskBytes: 200 * MB, processes: 300 }
const BOMBS = join(import.meta.dirname, '../hostile/limits.py')
/** Far above what a look takes, for machines with more to do; a look at all at once took seconds. */
const UNANSWERED_MS = 400

interface Ended { text: string; exitCode: number; usage: Usage }

/** `held`: control groups can be made here; `inMemory`: so can a disk in memory. */
export async function limitChecks({ engine, image, plan, folder, held, inMemory, check }: {
  engine: Engine
  image: string
  plan: HostilePlan
  folder: string
  held: boolean
  inMemory: boolean
  check: Check
}): Promise<void> {
  for (const name of ['shared_memory', ...(held ? ['forgotten_memory', 'socket_buffers'] : [])]) {
    await check(`memory (${name}) is bounded`, async () => {
      const { exitCode, usage } = await bombed(name)
      assert.equal(exitCode, 137)
      assert.ok(usage.oomKills > 0)
      if (held) assert.ok((usage.peakBytes ?? 0) <= LIMITS.memoryBytes, `${usage.peakBytes}`)
    })
  }
  await check('memory (memfd) is refused', async () => {
    assert.match((await bombed('memfd')).text, /refused: .*not implemented/i)
  })
  for (const name of ['closed_folder', 'deleted', 'deleted_hidden', 'mapped', 'burst', 'inodes', ...(inMemory ? ['in_flight'] : [])]) {
    await check(`disk (${name}) is bounded`, async () => {
      const { text, exitCode, usage } = await bombed(name)
      if (inMemory) {
        assert.match(text, /refused: .*no space left/i)
        assert.deepEqual([exitCode, usage.oomKills, usage.exceeded], [1, 0, undefined])
      } else {
        assert.deepEqual([exitCode, usage.exceeded], [137, 'disk'])
      }
    })
  }
  await check(`a storm of open files leaves the server its time (${UNANSWERED_MS} ms without an answer at most)`, async () => {
    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    const { text } = await bombed('descriptors', { ...LIMITS, memoryBytes: 2048 * MB })
    delay.disable()
    assert.match(text, /stormed/)
    assert.ok(delay.max / 1e6 < UNANSWERED_MS, `${delay.max / 1e6} ms`)
  })

  async function bombed(name: string, limits = LIMITS): Promise<Ended> {
    const run = await engine.create({ image, label: 'limits', user: '1000:1000', network: 'none', limits, writable: ['/tmp'] })
    const groups = (await findGroups())?.folders(run.id) ?? []
    let ended: Ended
    try {
      assert.equal(groups.length > 0, held)
      await Promise.all(groups.map((group) => access(group)))
      await run.put('/tmp', packTar([{ name: 'limits.py', body: await readFile(BOMBS) }]))
      ended = { ...await said(run, ['python3', '/tmp/limits.py', name, plan.mark]), usage: await run.usage() }
    } finally {
      await run.remove()
    }
    for (const group of groups) await assert.rejects(access(group), { code: 'ENOENT' })
    assert.doesNotMatch(await readFile('/proc/self/mountinfo', 'utf8'), new RegExp(run.id))
    assert.deepEqual(await readdir(folder), [])
    await assertNoTrace(plan.mark, plan.outside)
    return ended
  }
}

async function said(run: Run, command: string[]) {
  let text = ''
  const { exitCode } = await run.exec(command, { env: {}, signal: AbortSignal.timeout(30_000), output: (chunk) => { text += Buffer.from(chunk).toString() } })
  return { text, exitCode }
}
