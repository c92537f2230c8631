/** Whether what came of a cell is what must come of it. */
import { ABSENT, SLEEPS, type Cell, type Move } from './cells.ts'

/** A request for the wheel, from the server's log. Times are milliseconds since 1970. */
export interface Asked { at: number; ms: number; status: number }

export interface Seen {
  exit: number
  /** What the client printed, its end. */
  said: string
  seconds: number
  /** The jobs of kind `build`, and how each ended. */
  builds: { state: string; failure: string | null; began: number; ended: number }[]
  /** Whether the build still ran when the client had ended. */
  wentOn: boolean
  /** Whether a hold by interim answers was begun. */
  interim: boolean
  requests: Asked[]
  /** Whether the client itself fetched the sdist. */
  sdist: boolean
}

/** A hold ends that much later than it must on a busy machine, seconds. */
const LATE = 4
/** With the address of the whole log. */
const CAUSE = new RegExp(`needs header ${ABSENT.replace('.', '\\.')}.*https?://\\S+/b/\\d+`)
const STILL = /is still building.*run again.*https?:\/\/\S+\/b\/\d+/
/** What a client prints of a hold that went wrong although it ended well. */
const NOISE = /Muslin: |Traceback|Retrying \(|timed out/i

/** What is not as expected, in one line; undefined where all is. */
export function judge(cell: Cell, seen: Seen): string | undefined {
  return ending(cell, seen) ?? words(cell, seen) ?? work(cell, seen) ?? moves(cell, seen) ?? times(cell, seen)
}

/** How the client was held. */
export function movesOf({ interim, requests }: Seen): Move[] {
  return [...interim ? ['100s' as const] : [], ...[307, 503].filter((move) => requests.some(({ status }) => status === move)).map((move) => String(move) as Move)]
}

function ending({ ends, exit }: Cell, seen: Seen): string | undefined {
  if (seen.exit !== exit) return `expected exit ${exit}, came ${seen.exit}: ${lastWords(seen)}`
  return ends === 'compiled' && !seen.sdist ? 'it did not fetch the sdist' : undefined
}

/** Lines are broken wherever a client likes. */
function words({ says, exit }: Cell, { said }: Seen): string | undefined {
  const text = said.replace(/\s+/g, ' ')
  if (says === 'cause' && !CAUSE.test(text)) return `it did not say why: ${lastWords({ said })}`
  if (says === 'still' && !STILL.test(text)) return `it did not say that the build goes on: ${lastWords({ said })}`
  const noise = says === 'nothing' && exit === 0 ? NOISE.exec(text) : undefined
  if (noise) return `it was not to say ${noise[0]}: ${lastWords({ said })}`
  return says === 'nothing' && /Muslin: /.test(text) ? `it says more than it was known to: ${lastWords({ said })}` : undefined
}

function work(cell: Cell, { builds, wentOn }: Seen): string | undefined {
  if (builds.length !== cell.builds) return `expected ${cell.builds} builds, came ${builds.length}`
  const [build] = builds
  if (!build) return undefined
  const state = cell.build === 'fails' ? 'failed' : 'built'
  if (build.state !== state) return `the build is ${build.state}, not ${state}`
  if (state === 'failed' && build.failure !== ABSENT) return `the build lacks ${build.failure}, not ${ABSENT}`
  if (cell.says === 'still' && !wentOn) return 'the build did not go on'
  return build.ended - build.began < SLEEPS[cell.build] * 1000 ? 'the build did not sleep' : undefined
}

function moves(cell: Cell, seen: Seen): string | undefined {
  const came = movesOf(seen)
  const absent = cell.moves.filter((move) => !came.includes(move))
  const other = came.filter((move) => !cell.moves.includes(move) && !cell.maybe.includes(move))
  if (absent.length > 0 || other.length > 0) return `expected to be held by ${cell.moves.join(' and ') || 'nothing'}, was by ${came.join(' and ') || 'nothing'}`
  const [least, most] = cell.requests
  const count = seen.requests.length
  return count < least || count > most ? `expected ${least} to ${most} requests, came ${count}` : undefined
}

function times(cell: Cell, seen: Seen): string | undefined {
  const { requests, builds: [build] } = seen
  const last = requests.at(-1)
  if (!last || !build) return undefined
  const held = cell.held * 1000
  for (const { ms, status } of requests) {
    if (ms > held + LATE * 1000) return `a request was held for ${ms / 1000} s, ${cell.held} at most`
    if ((status === 307 || status === 503) && ms < held - 500) return `a request got its ${status} after ${ms / 1000} s, not ${cell.held}`
  }
  const first = requests[0]?.at ?? 0
  const answered = requests.find(({ status }) => ![307, 503].includes(status)) ?? last
  const answeredAt = answered.at + answered.ms
  if (cell.build === 'outlasts') return outlasted(answeredAt - first)
  // The client may have been between two holds: at a 503 it comes back by its own clock.
  const late = (answeredAt - build.ended) / 1000
  return late > LATE + (movesOf(seen).includes('503') ? LATE : 0) ? `it had its answer ${late} s after the build had ended` : undefined
}

function outlasted(ms: number): string | undefined {
  return ms < 99_500 || ms > 100_000 + LATE * 1000 ? `it was held for ${ms / 1000} s, not 100` : undefined
}

function lastWords({ said }: Pick<Seen, 'said'>): string {
  return said.trim().split('\n').slice(-4).join(' | ').slice(-400)
}
