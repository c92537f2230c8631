import { fileURLToPath } from 'node:url'
import { NODE } from '../lib/folders.ts'
import { readyPages } from './nginx.ts'
import { serve, type Row } from './row.ts'

const SERVER = fileURLToPath(new URL('bare-server.ts', import.meta.url))

/** What Node's own server takes for an answer that lies in memory, JSON alone: what is left of Muslin's time beside it is Muslin's. */
export const bareNode: Row = {
  name: 'bare-node', peer: false, caches: false, metadata: false,
  prepare: async () => process.version,
  async start(place) {
    const root = await readyPages(place)
    return serve(NODE, (port) => [SERVER, String(port), root], '/simple/', { folder: place.folder })
  },
}
