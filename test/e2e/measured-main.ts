/** The real program, which tells what it holds when it is sent SIGUSR2: one line of JSON, after its garbage was collected. */
import { readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { main } from '../../src/main.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

process.on('SIGUSR2', () => void tell())
await main(process.argv.slice(2))

async function tell(): Promise<void> {
  // What finalizers let go of is garbage for the next time.
  for (let time = 0; time < 3; time++) {
    collect()
    await setImmediate()
  }
  const { heapUsed, external } = process.memoryUsage()
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  console.log(JSON.stringify({ msg: 'holds', bytes: heapUsed + external, files: readdirSync('/proc/self/fd').length, sockets }))
}
