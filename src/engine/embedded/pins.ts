/** What the toolchain is made of, pinned. */
import pins from '../../../builders/embedded/toolchain.json' with { type: 'json' }
import { MuslinError } from '../../errors.ts'

/** A wheel of the upstream that we know by its digest. */
export interface Pinned { project: string; version: string; filename: string; sha256: string; size: number }

type Files = Record<string, { filename: string; sha256: string; size: number }>

/** The compiler for this processor, in the words of platform tags. Throws `image-unavailable` where there is none. */
export function zigWheel(cpu: string): Pinned {
  const { project, version, files } = pins.zig
  const file = (files as Files)[cpu]
  if (!file) throw new MuslinError('image-unavailable', `no compiler is known that runs on ${cpu}: use a container engine`)
  return { project, version, ...file }
}

export function pipWheel(): Pinned {
  const { project, version, files } = pins.pip
  return { project, version, ...files.any }
}
