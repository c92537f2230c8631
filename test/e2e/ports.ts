/** Ports of this machine, as one who connects sees them. */
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A port on which nobody listens, at any of this machine's addresses. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().listen(0, '0.0.0.0', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

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
