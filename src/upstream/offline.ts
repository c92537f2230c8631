import { MuslinError } from '../errors.ts'
import type { RemoteFiles, Upstream } from '../services/ports.ts'

/** In the place of an upstream that is never to be asked: whatever would ask it throws `offline`. */
export function offlineUpstream(label: string): Upstream & { close(): Promise<void> } {
  return { label, page: refuse, list: refuse, file: refuse, close: async () => {} }
}

/** The same for files of other servers. */
export function offlineFiles(): RemoteFiles & { close(): Promise<void> } {
  return { get: refuse, close: async () => {} }
}

async function refuse(): Promise<never> {
  throw new MuslinError('offline', 'this was not fetched before the setting offline was set, and nothing is asked of other servers now; unset it to fetch this')
}
