import { diskError } from '../disk-error.ts'

/** A port's methods as SQLite gives them: at once, or later where compression is part of it. */
export type AtOnce<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: infer Args) => Promise<infer Result> ? (...args: Args) => Result | Promise<Result> : never
}

/** Makes a port of methods that answer at once: every answer a promise, every failure of disk or database a MuslinError. */
export function asPort<Port extends object>(methods: AtOnce<Port>): Port {
  const entries = Object.entries(methods as Record<string, (...args: unknown[]) => unknown>).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args)
      } catch (error) {
        throw diskError(error)
      }
    },
  ])
  return Object.fromEntries(entries) as Port
}
