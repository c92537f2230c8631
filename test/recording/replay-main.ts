/**
 * `node test/recording/replay-main.ts [--port N] [--control N] [--latency MS] [--bandwidth BYTES] [--mode up|gone|silent] [--names N] [--made-up PROJECT:FILENAME:BYTES]…`:
 * prints one line of JSON, `{"url": …, "control": …}`, when it serves. The control address answers GET with `{"total": N, "counts": {"GET /simple/six/": 1}}`;
 * a POST changes its conditions (`?latency=20&bandwidth=0&mode=silent`), `?reset=1` forgets the counts.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { startReplay, type Conditions } from './replay.ts'

const { values: flags } = parseArgs({
  options: {
    'port': { type: 'string' }, 'control': { type: 'string' }, 'latency': { type: 'string' }, 'bandwidth': { type: 'string' }, 'mode': { type: 'string' },
    'names': { type: 'string' }, 'made-up': { type: 'string', multiple: true },
  },
})
const madeUp = (flags['made-up'] ?? []).map((text) => text.split(':')).map(([project = '', filename = '', size = '']) => ({ project, filename, size: Number(size) }))
const replay = await startReplay({ port: Number(flags.port ?? 0), names: Number(flags.names ?? 700_000), madeUp, conditions: conditions(new Map(Object.entries(flags).map(([name, value]) => [name, String(value)]))) })
const control = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', replay.url)
  const changed = request.method === 'POST' ? replay.set(conditions(new Map(searchParams))) : Promise.resolve()
  if (request.method === 'POST' && searchParams.has('reset')) replay.reset()
  void changed.then(() => response.end(JSON.stringify({ total: [...replay.counts.values()].reduce((sum, count) => sum + count, 0), counts: Object.fromEntries(replay.counts) })))
})
await once(control.listen(Number(flags.control ?? 0), '127.0.0.1'), 'listening')
console.log(JSON.stringify({ url: replay.url, control: `http://127.0.0.1:${(control.address() as AddressInfo).port}/` }))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))

function conditions(given: Map<string, string>): Partial<Conditions> {
  const numbers = (['latency', 'bandwidth'] as const).flatMap((name) => given.has(name) ? [[name, Number(given.get(name))]] : [])
  const mode = given.get('mode')
  return { ...Object.fromEntries(numbers), ...mode !== undefined && { mode: mode as Conditions['mode'] } }
}
