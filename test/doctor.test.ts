import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { loadSettings } from '../src/config/load.ts'
import { doctor } from '../src/doctor.ts'
import { temporaryFolder } from './storage/folder.ts'
import { syntheticUpstream } from './synthetic-upstream.ts'

test('a machine on which a server would start has nothing that fails, and is left as it was', async () => {
  const upstream = await syntheticUpstream()
  const { folder, remove } = await temporaryFolder()
  try {
    const settings = loadSettings({ flags: { data: join(folder, 'data'), upstream: upstream.url, builder: 'none', port: '0' }, env: {}, cwd: folder })
    const checks = await doctor(settings, { log: pino({ level: 'silent' }), clock: systemClock })
    expect(checks.map(({ name }) => name)).toEqual(['node', 'data', 'token', 'disk', 'port', 'upstream', 'clock', 'builder'])
    expect(checks.filter(({ state }) => state === 'fail')).toEqual([])
    expect(checks.find(({ name }) => name === 'data')?.found).toContain('made at the first start')
  } finally {
    await upstream.close()
    await remove()
  }
})
