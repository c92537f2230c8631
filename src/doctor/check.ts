import type { Check } from '../cli/context.ts'
import { ERRORS, MuslinError } from '../errors.ts'

export function ok(name: string, found: string): Check {
  return { state: 'ok', name, found, remedy: undefined }
}

export function warn(name: string, found: string, remedy: string): Check {
  return { state: 'warn', name, found, remedy }
}

export function fail(name: string, found: string, remedy: string): Check {
  return { state: 'fail', name, found, remedy }
}

/** The checks that this gives; what it throws is one that fails. */
export async function guarded(name: string, check: () => Promise<Check | Check[]> | Check | Check[]): Promise<Check[]> {
  try {
    return [await check()].flat()
  } catch (error) {
    return [failed(name, error)]
  }
}

/** An error as a check that fails: its cause, and its remedy where it names one, else what helps against its kind. */
export function failed(name: string, error: unknown): Check {
  if (error instanceof MuslinError) {
    const [, cause, remedy] = /^(.*); ([^;]*)$/s.exec(error.detail) ?? []
    return fail(name, cause ?? error.detail, remedy ?? ERRORS[error.code].remedy)
  }
  return fail(name, error instanceof Error ? error.message : String(error), 'this is a defect of the doctor, please report it')
}
