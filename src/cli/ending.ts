/** How a command line can end. */
export const EXIT = { done: 0, internal: 1, failed: 2, usage: 3, interrupted: 130 } as const

export const EXIT_HELP = `Exit codes: 0 done, 1 the server or Muslin failed, 2 a build failed, something cannot be had or a hash is missing, 3 the command or its input is wrong, 130 interrupted.
With --json an error is {"error": {code, title, detail, remedy, link}} on standard output.`

/** Ends a command that did its work, but whose outcome is no success. It has said so itself: nothing is added. */
export class Ending extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`ended with exit code ${exitCode}`)
    this.name = 'Ending'
    this.exitCode = exitCode
  }
}
