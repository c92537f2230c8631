import type { Prebuild } from '../services/views.ts'
import type { Context } from './context.ts'
import { bar, fit } from './format.ts'
import { endedLine, progressText } from './prebuild-text.ts'
import { painter } from './styles.ts'

export interface Progress {
  show(prebuild: Prebuild): void
  /** Takes the bar away. */
  clear(): void
}

const BAR_COLUMNS = 26
const START_OF_LINE = '\r\x1b[2K'

/** How far a prebuild is, on standard error: a bar that is drawn over on a terminal, else a line for each build that ended. */
export function createProgress(context: Context): Progress {
  const { terminal, draw, warn } = context
  const paint = painter(context, 'error')
  const told = new Set<string>()
  const clear = (): void => { if (terminal.error) draw(START_OF_LINE) }

  return {
    clear,
    show(prebuild) {
      clear()
      if (terminal.error) return draw(fit(`${bar(prebuild.done, prebuild.total, BAR_COLUMNS)} ${progressText(prebuild)}`, terminal.columns() - 1))
      if (prebuild.paused !== null && !told.has(prebuild.paused)) warn(prebuild.paused)
      if (prebuild.paused !== null) told.add(prebuild.paused)
      for (const line of prebuild.lines) {
        const text = endedLine(line, paint)
        const key = `${line.project} ${line.version} ${line.target}`
        if (text !== undefined && !told.has(key)) warn(text)
        if (text !== undefined) told.add(key)
      }
    },
  }
}
