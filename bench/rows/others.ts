import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CACHE } from '../lib/folders.ts'
import { run } from '../lib/process.ts'
import { serve, type Row } from './row.ts'

const VERSION = '1.4.3'
const NORA = join(CACHE, `nora-${VERSION}`)

/** A crate. It takes a quarter of an hour to compile, so that is left to who wants the row: bench/README.md tells how. */
export const nora: Row = {
  name: 'nora', peer: true, caches: true, metadata: false,
  async prepare() {
    if (!existsSync(join(NORA, 'bin/nora'))) throw new Error(`not installed: cargo install nora-registry@${VERSION} --root ${NORA}`)
    return (await run(join(NORA, 'bin/nora'), ['--version'])).trim().replace(/^nora\S* /, '')
  },
  async start({ folder, upstream }) {
    const data = join(folder, 'data')
    await mkdir(data, { recursive: true })
    const env = (given: number): Record<string, string> => ({
      NORA_HOST: '127.0.0.1', NORA_PORT: String(given), NORA_STORAGE_PATH: join(data, 'storage'), NORA_AUTH_TOKEN_STORAGE: join(data, 'tokens'), NORA_PYPI_PROXY: upstream.index,
      NORA_RATE_LIMIT_ENABLED: 'false', NORA_AUDIT_LOG: 'off', NORA_LOG: 'warn', RUST_LOG: 'warn', NORA_PUBLIC_URL: `http://127.0.0.1:${given}`,
    })
    return serve(join(NORA, 'bin/nora'), () => ['serve'], '/simple/', { folder, env })
  },
}

/** The upstream itself, in nobody's way: what a client would have without any index of its own. It is on the clients' core. */
export const direct: Row = {
  name: 'direct', peer: false, caches: false, metadata: true,
  prepare: async () => 'the replay',
  start: async ({ upstream }) => ({ index: upstream.index, pids: [upstream.pid], stop: async () => {} }),
}
