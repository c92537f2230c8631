/** A whole server on an engine, and one C project built there: fetched, compiled, repaired, tried and published. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import { startRelay } from './relay.ts'
import { makeSdist } from './sdists.ts'
import { order } from './ui-sizes.ts'

/** `start` is what the server is started with. `found` is what it must say of its builder. */
export async function buildWhole(lab: Lab, start: { port?: number; args: string[]; env: Record<string, string> }, found: RegExp): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  relay.add(await makeSdist({ project: 'wholebuild' }))
  const muslin = await lab.muslin({ upstream: relay.url, ...start })
  assert.match(muslin.output(), found)
  const id = await order(muslin, (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim(), 'wholebuild', 'built')
  const job = muslin.jobs().find((row) => row.id === id)
  assert.deepEqual([job?.state, job?.attempts], ['built', 1])
  const page = await (await fetch(`${muslin.url}/simple/wholebuild/`)).text()
  assert.match(page, /wholebuild-1\.0-1-cp313-cp313-musllinux_1_2_x86_64\.whl/)
  await muslin.stop()
}
