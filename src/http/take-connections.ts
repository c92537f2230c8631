import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** So many at once are a crowd, and the next of it may be a moment late. */
const CROWD = 16
const MOMENT_MS = 3
/** For so long at most nobody of a crowd is read while the rest of it is taken; and nobody of fewer, who may just have come one after the other. */
const LONGEST_MS = 100
const LONGEST_OF_FEW_MS = 20

/** What ends it, by server. */
const endings = new WeakMap<Server, () => void>()

/**
 * Takes all connections that come at once before it reads from the first of them. libuv takes one in each turn of its loop, and a turn lasts as
 * long as all requests in it: without this, the last of a thousand clients waits for seconds until the server knows of it. `milliseconds` is a clock.
 */
export function takeConnectionsFirst(server: Server, milliseconds: () => number = () => performance.now()): void {
  let taken: Socket[] = []
  let known = 0
  let first: number | undefined
  let last = 0
  let ended = false

  // Node reads it for each connection; for servers of HTTP it has no option.
  Object.assign(server, { pauseOnConnect: true })
  server.on('connection', (socket: Socket) => {
    if (!ended && taken.push(socket) === 1) setImmediate(look)
  })
  endings.set(server, () => {
    ended = true
    Object.assign(server, { pauseOnConnect: false })
    read()
  })

  /** Once in each turn, after the connections that came in it. */
  function look(): void {
    const now = milliseconds()
    // The turn in which the first came may have been a long one.
    first ??= now
    if (taken.length > known) last = now
    known = taken.length
    const mayCome = last === now || (known > CROWD && now - last < MOMENT_MS)
    if (mayCome && now - first < (known > CROWD ? LONGEST_MS : LONGEST_OF_FEW_MS)) setImmediate(look)
    else read()
  }

  function read(): void {
    const all = taken
    taken = []
    known = 0
    first = undefined
    for (const socket of all) socket.resume()
  }
}

/** Reads from all that were taken, and from now on from each at once. Resolves when what they have sent by now was read: a server that closes would cut them, as if they had asked for nothing. */
export async function readTakenConnections(server: Server): Promise<void> {
  endings.get(server)?.()
  // The reading begins in the next turn, and its end is the turn after.
  for (let turn = 0; turn < 2; turn++) await new Promise((next) => { setImmediate(next) })
}
