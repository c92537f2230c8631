import type { Context } from './context.ts'
import { bar, fit, size } from './format.ts'

export interface Meter {
  /** How many bytes of how many are done; 0 of all where that is not known. */
  show(done: number, total: number): void
  /** Takes the bar away. */
  clear(): void
}

const BAR_COLUMNS = 26
const START_OF_LINE = '\r\x1b[2K'
/** So often it is drawn. */
const EVERY_MS = 100

/** A bar of bytes on standard error, where that is a terminal. */
export function createMeter({ terminal, draw, clock }: Pick<Context, 'terminal' | 'draw' | 'clock'>): Meter {
  let drawnAt = Number.NEGATIVE_INFINITY
  const clear = (): void => { if (terminal.error && drawnAt !== Number.NEGATIVE_INFINITY) draw(START_OF_LINE) }

  return {
    clear,
    show(done, total) {
      const now = clock.now()
      if (!terminal.error || (now - drawnAt < EVERY_MS && done < total)) return
      clear()
      drawnAt = now
      const text = total === 0 ? size(done) : `${bar(done, total, BAR_COLUMNS)} ${size(done)} of ${size(total)}`
      draw(fit(text, terminal.columns() - 1))
    },
  }
}
