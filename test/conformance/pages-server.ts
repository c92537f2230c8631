/** An upstream that serves texts as pages, byte for byte, and counts who asks. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PagesServer {
  /** Ends in `/simple/`. */
  url: string
  requests: string[]
  close(): Promise<void>
}

/** `pages`: by project; that without a name is the list of projects. What is not there is 404. */
export async function servePages(pages: Map<string, Buffer>): Promise<PagesServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const bytes = pages.get(/^\/simple\/(?:([^/]+)\/)?$/.exec(request.url ?? '')?.[1] ?? '')
    if (bytes) response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' }).end(bytes)
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`,
    requests,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
