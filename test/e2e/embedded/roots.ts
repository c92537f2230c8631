/** One image, "machine": a Python of this machine, and what every box has. */
import { createHash } from 'node:crypto'
import { execa } from 'execa'
import { MuslinError } from '../../../src/errors.ts'
import type { Roots } from '../../../src/engine/embedded/roots.ts'

export async function machineRoots(python: string): Promise<Roots> {
  const { stdout } = await execa(python, ['-c', 'import sys; print(sys.base_prefix)'], { env: { PATH: '/usr/bin:/bin' }, extendEnv: false })
  const made = { ref: 'machine', digest: createHash('sha256').update(stdout).digest('hex') }
  return {
    image: async (source) => {
      if (source.kind === 'ready' && source.ref === made.ref) return made
      throw new MuslinError('image-unavailable', `${JSON.stringify(source)} is no image of this test`)
    },
    digest: async (source) => source.kind === 'ready' && source.ref === made.ref ? made.digest : undefined,
    root: (ref) => {
      if (ref !== made.ref) throw new MuslinError('image-unavailable', `${ref} is no image of this test`)
      return { binds: stdout === '/usr' ? [] : [{ from: stdout, to: stdout }], env: { PATH: `${stdout}/bin:/usr/bin:/bin` } }
    },
  }
}
