/** The recorded upstream as a process of its own, which is told how to behave and tells what was asked of it. First argument: the recording's folder, or nothing. */
import { startReplay } from '../../test/recording/replay.ts'
import { madeProjects, standIns } from './made.ts'
import type { Order } from './upstream.ts'

const recording = process.argv[2]
const replay = await startReplay(recording ? { folder: recording, madeUp: madeProjects() } : { folder: '/nonexistent', madeUp: [...standIns(), ...madeProjects()] })

process.on('message', (order: Order) => {
  void obey(order).then((told) => process.send?.({ id: order.id, told }))
})
process.on('disconnect', () => process.exit())
process.send?.({ url: replay.url })

async function obey(order: Order): Promise<[string, number][] | undefined> {
  if (order.kind === 'asked') return [...replay.counts]
  if (order.kind === 'forget') replay.reset()
  else await replay.set(order.conditions)
  return undefined
}
