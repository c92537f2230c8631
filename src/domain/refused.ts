import type { FailureClass } from './failure.ts'

/** Ends a check of a wheel, wherever in it: the class and, as the message, the key of the failure that it becomes. */
export class Refused extends Error {
  readonly class: FailureClass

  constructor(failureClass: FailureClass, key: string) {
    super(key)
    this.class = failureClass
  }
}
