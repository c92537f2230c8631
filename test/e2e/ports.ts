/** Ports of this machine, as one who connects sees them. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export async function listens(port: number): Promise<true | undefined> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(undefined))
  })
}

/** Resolves when a port is as it should be, with that time in milliseconds since 1970; throws where that takes longer than `seconds`. */
export async function portIs(port: number, state: 'open' | 'closed', seconds = 60): Promise<number> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const isOpen = (await listens(port)) === true
    if (isOpen === (state === 'open')) return Date.now()
    if (Date.now() > deadline) throw new Error(`after ${seconds} s port ${port} is still not ${state}`)
    await sleep(20)
  }
}
