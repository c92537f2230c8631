import { readLock, type Pin } from '../../../src/domain/lock/lock.ts'
import { markerEnvironment } from '../../../src/domain/marker-environment.ts'
import { parseTarget } from '../../../src/domain/target.ts'
import { MuslinError } from '../../../src/errors.ts'

export const environment = (target = 'cp313-musllinux_1_2_x86_64') => markerEnvironment(parseTarget(target)!)

export interface Asked { target?: string; extras?: string[]; groups?: string[]; given?: string[] }

export function pins(name: string, text: string, { target, extras = [], groups, given }: Asked = {}): Pin[] {
  return readLock(name, text, given).pins(environment(target), { extras, groups })
}

/** `name==version`, in the lock's order. */
export function releases(name: string, text: string, asked?: Asked): string[] {
  return pins(name, text, asked).map(({ project, version }) => `${project}==${version}`)
}

/** The detail with which the file is refused. */
export function refusal(name: string, text: string, given?: string[]): string {
  try {
    readLock(name, text, given)
  } catch (error) {
    if (error instanceof MuslinError && error.code === 'bad-lock') return error.detail
    throw error
  }
  return 'it was read'
}

/** Milliseconds that reading, and walking it, take; whether it is refused does not matter. */
export function timed(name: string, text: string): number {
  const start = performance.now()
  try {
    pins(name, text)
  } catch (error) {
    if (!(error instanceof MuslinError)) throw error
  }
  return performance.now() - start
}
