import type { Failure } from '../domain/failure.ts'

/** Thrown inside the builder where a build fails by a fault of its project; `builder.ts` turns it into the outcome. */
export class Failed extends Error {
  readonly failure: Failure
  /** What is missing, where the failure itself names only what came of that. */
  readonly missing: Failure | undefined
  /** The build requirement that has no wheel, as a requirement line (PEP 508). */
  readonly needs: string | undefined

  constructor(failure: Failure, more: { missing?: Failure | undefined; needs?: string | undefined } = {}) {
    super(`${failure.class}: ${failure.key}`)
    this.name = 'Failed'
    this.failure = failure
    this.missing = more.missing
    this.needs = more.needs
  }
}
