import { readFileSync } from 'node:fs'

/** This process's own hard limits, by their names in /proc/self/limits; infinity for those without. A plain user cannot go beyond them. */
export function hardLimits(): (name: string) => number {
  const text = readFileSync('/proc/self/limits', 'utf8')
  return (name) => {
    const hard = new RegExp(`^${name}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1]
    return hard === undefined ? Number.POSITIVE_INFINITY : Number(hard)
  }
}
