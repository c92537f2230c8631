import type { Failure } from '../domain/failure.ts'

/** Thrown inside the builder where a build fails by a fault of its project; `builder.ts` turns it into the outcome. */
export class Failed extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(`${failure.class}: ${failure.key}`)
    this.name = 'Failed'
    this.failure = failure
  }
}
