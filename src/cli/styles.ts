import { styleText } from 'node:util'
import type { Context } from './context.ts'

type Style = 'good' | 'bad' | 'busy' | 'dim' | 'bold'
export type Paint = (style: Style, text: string) => string

const LOOKS = { good: 'green', bad: 'red', busy: 'yellow', dim: 'dim', bold: 'bold' } as const

/** Whether a stream shows colours: only a terminal does, and not where NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function showsColours({ env, terminal }: Pick<Context, 'env' | 'terminal'>, stream: 'output' | 'error' = 'output'): boolean {
  return terminal[stream] && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

/** Styles text for a stream; leaves it as it is where that shows no colours. */
export function painter(context: Pick<Context, 'env' | 'terminal'>, stream: 'output' | 'error' = 'output'): Paint {
  const on = showsColours(context, stream)
  return (style, text) => on && text !== '' ? styleText(LOOKS[style], text, { validateStream: false }) : text
}

const STATES: Record<string, Style> = {
  'built': 'good', 'ok': 'good', 'done': 'good', 'upstream-wheel': 'good', 'had': 'good',
  'failed': 'bad', 'cancelled': 'bad', 'cannot': 'bad', 'fail': 'bad',
  'running': 'busy', 'would-build': 'busy', 'warn': 'busy',
}

/** A word of state in its colour. */
export function paintState(paint: Paint, state: string): string {
  const style = STATES[state]
  return style === undefined ? state : paint(style, state)
}
