import type { WaitingList } from '../services/waiting-views.ts'
import type { Api, WaitingFilter } from './api.ts'
import type { Context } from './context.ts'
import { fit } from './format.ts'
import { untilInterrupted } from './interrupt.ts'
import { lookUntil, patiently } from './patience.ts'
import { painter } from './styles.ts'
import { createNews, type News } from './waiting-news.ts'
import { endedLine, nothingWaits, waitingLine, waitingTable } from './watch-text.ts'

/** Between two looks where nothing is told: on a terminal times go on. */
const LIVE_MS = 1_000
const PLAIN_MS = 10_000
const MOST_ROWS = 10

interface View {
  show(list: WaitingList, news: News[]): void
  /** Takes away what would be drawn over. */
  clear(): void
}

/**
 * Shows the installs that wait until somebody leaves by Ctrl-C: on a terminal a table that is drawn over, below the lines of those that
 * ended; elsewhere a line for each change; with `json` an object for each. Throws where the server stays away for a minute.
 */
export async function followWaiting(filter: WaitingFilter, { api, context, json }: { api: Api; context: Context; json: boolean }): Promise<void> {
  const live = !json && context.terminal.output && context.terminal.error
  const view = json ? jsonView(context) : live ? liveView(api, context) : plainView(api, context)
  const newsOf = createNews()
  const see = (list: WaitingList): void => view.show(list, newsOf(list.waiting))
  // A server that is not there from the start is no restart.
  see(await api.waiting(filter))
  try {
    await untilInterrupted(context, () => [], async (signal) => {
      const waiting = { api, clock: context.clock, signal }
      const away = (error: Error): void => {
        view.clear()
        context.warn(`the server went away, it is asked again for a minute: ${error.message}`)
      }
      await lookUntil(waiting, async () => { see(await patiently(() => api.waiting(filter, signal), { ...waiting, away })) }, live ? LIVE_MS : PLAIN_MS)
    })
  } finally {
    view.clear()
  }
}

function jsonView({ print }: Context): View {
  return {
    show(_list, news) { for (const { event, install } of news) print(JSON.stringify({ event, install })) },
    clear() {},
  }
}

function plainView({ link }: Api, context: Context): View {
  const paint = painter(context)
  let told: string | undefined
  return {
    show(list, news) {
      for (const { event, install } of news) context.print(event === 'ended' ? endedLine(install, link, paint) : waitingLine(install))
      const nothing = list.waiting.some(({ ended }) => ended === null) ? undefined : nothingWaits(list)
      if (nothing !== undefined && nothing !== told) context.print(nothing)
      told = nothing
    },
    clear() {},
  }
}

function liveView({ link }: Api, context: Context): View {
  const { draw, print, terminal } = context
  const paint = painter(context)
  let rows = 0
  const clear = (): void => {
    if (rows > 0) draw(`\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(rows - 1)}`)
    rows = 0
  }
  return {
    clear,
    show(list, news) {
      clear()
      for (const { event, install } of news) if (event === 'ended') print(endedLine(install, link, paint))
      const lines = list.waiting.some(({ ended }) => ended === null) ? waitingTable(list, (_style, text) => text, MOST_ROWS) : [nothingWaits(list)]
      // What wraps would not be taken away again.
      draw(lines.map((line) => fit(line, terminal.columns() - 1)).join('\n'))
      rows = lines.length
    },
  }
}
