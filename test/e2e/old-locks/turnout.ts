/** One name of an index that leads to one server first and to another one then, as a site moves its own name. */
import { connect, createServer } from 'node:net'
import { pipeline } from 'node:stream'
import { HOST, type Lab } from '../lab.ts'

export interface Turnout {
  /** The server's root, as containers reach it. */
  url: string
  /** From now on connections go to the server at this URL. */
  to(url: string): void
}

/** `host` is an address of this machine that containers see. */
export async function startTurnout(lab: Lab, host: string, first: string): Promise<Turnout> {
  let target = new URL(first)
  const server = createServer((client) => {
    const there = connect(Number(target.port), target.hostname)
    // Either end may hang up first; what that breaks is told by who asked.
    pipeline(client, there, client, () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the turnout has no port')
  lab.onClose(async () => void server.close())
  return { url: `http://${HOST}:${address.port}`, to(url) { target = new URL(url) } }
}
