import { shown } from '../lib/figures.ts'

/** One requirement: what was measured, and what it must be. */
export interface Must {
  what: string
  value: number
  bound: string
  met: boolean
}

export function atLeast(what: string, value: number, bound: number, unit = ''): Must {
  return { what, value, bound: `≥ ${shown(bound)}${unit}`, met: value >= bound }
}

export function atMost(what: string, value: number, bound: number, unit = ''): Must {
  return { what, value, bound: `≤ ${shown(bound)}${unit}`, met: value <= bound }
}

export function line({ what, value, bound, met }: Must): string {
  return `  ${met ? 'ok  ' : 'FAIL'} ${what.padEnd(78)} ${shown(value).padStart(9)}  (${bound})`
}
