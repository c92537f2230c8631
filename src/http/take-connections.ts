import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** So many at once are a crowd, and the next of it may be a moment late. */
const CROWD = 16
const MOMENT_MS = 3
/** For so long at most nobody of a crowd is read while the rest of it is taken. */
const LONGEST_MS = 100

/**
 * Takes all connections that come at once before it reads from the first of them. libuv takes one in each turn of its loop, and a turn lasts as
 * long as all requests in it: without this, the last of a thousand clients waits for seconds until the server knows of it.
 */
export function takeConnectionsFirst(server: Server): void {
  let taken: Socket[] = []
  let known = 0
  let first = 0
  let last = 0

  // Node reads it for each connection; for servers of HTTP it has no option.
  Object.assign(server, { pauseOnConnect: true })
  server.on('connection', (socket: Socket) => {
    if (taken.push(socket) > 1) return
    first = last = performance.now()
    setImmediate(look)
  })

  /** Once in each turn, after the connections that came in it. */
  function look(): void {
    const now = performance.now()
    if (taken.length > known) last = now
    known = taken.length
    const mayCome = last === now || (known > CROWD && now - last < MOMENT_MS)
    if (mayCome && now - first < LONGEST_MS) {
      setImmediate(look)
      return
    }
    const read = taken
    taken = []
    known = 0
    for (const socket of read) socket.resume()
  }
}
