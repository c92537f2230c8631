import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'

test('a sleep ends by itself, or with the reason of its signal', async () => {
  await expect(systemClock.sleep(1)).resolves.toBeUndefined()
  const reason = new Error('stopping')
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason)
})
