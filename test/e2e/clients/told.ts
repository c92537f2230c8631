/** What `domain/holding.ts` and `tools/client-endings.ts`, from which `docs/waiting.md` is made, say about a cell: the hand-written table must agree with them. */
import { holdPlan } from '../../../src/domain/holding.ts'
import { CLIENT_ENDINGS } from '../../../tools/client-endings.ts'
import { HOLD_LIMIT, MOVES, nameOf, SLEEPS, type Cell, type Client, type Move } from './cells.ts'

export interface Lived { moves: Move[]; requests: number; end: 'settled' | 'still' }

/** What a build takes beside its sleep, seconds: at least, and at most while others run beside it. */
const BESIDE = { least: 1, most: 60 }
/** Seconds until a client comes back after a 503: pip keeps to `Retry-After`, uv waits as long as it likes. */
const PAUSES: Record<Client, number[]> = { 'pip-23.2': [1], 'pip': [1], 'uv': [1, 2, 4], 'poetry': [1], 'pdm': [1], 'pipenv': [1] }
/** Where the table and the page differ, one line each. */
export function differences(cells: Cell[]): string[] {
  return cells.flatMap((cell) => Object.entries({ ...ended(cell), ...cell.view !== '/finished/simple/' && lived(cell) }).flatMap(([key, value]) => {
    const written = cell[key as keyof Cell]
    return JSON.stringify(value) === JSON.stringify(written) ? [] : [`${nameOf(cell)}: ${key} is ${JSON.stringify(written)}, docs/waiting.md says ${JSON.stringify(value)}`]
  }))
}

function ended(cell: Cell): Pick<Cell, 'view' | 'says' | 'exit'> {
  const { view, fails, outlasts } = endingsOf(cell)
  const { says, exit } = cell.build === 'fails' ? fails : cell.build === 'outlasts' ? outlasts : { says: 'nothing' as const, exit: 0 }
  return { view, says, exit }
}

function lived(cell: Cell): Pick<Cell, 'moves' | 'maybe' | 'held' | 'requests'> {
  const lives = livesOf(cell)
  const always = MOVES.filter((move) => lives.every(({ moves }) => moves.includes(move)))
  const sometimes = MOVES.filter((move) => !always.includes(move) && lives.some(({ moves }) => moves.includes(move)))
  const requests: [number, number] = [Math.min(...lives.map((life) => life.requests)), Math.max(...lives.map((life) => life.requests)) + again(cell)]
  return { moves: always, maybe: sometimes, held: heldOf(cell), requests }
}

/** How a client lives through a build of so many seconds, which comes back so many seconds after a 503. */
export function live(cell: Cell, seconds: number, pause: number): Lived {
  const moves = new Set<Move>()
  let [requests, now, began, hop] = [0, 0, 0, 0]
  let issued: number | undefined
  for (;;) {
    const plan = holdPlan({ ...whoOf(cell), hop, settled: true, waitedMs: (now - began) * 1000, ageMs: issued === undefined ? undefined : (now - issued) * 1000 })
    requests += 1
    if (plan.interim) moves.add('100s')
    if (now + plan.holdMs / 1000 >= seconds) return { moves: [...moves], requests, end: 'settled' }
    now += plan.holdMs / 1000
    if (plan.then === 'end' && again(cell) === 0) return { moves: [...moves], requests, end: 'still' }
    if (plan.then === 'end') [hop, issued, began] = [0, undefined, now]
    else if (plan.then === 'hop') [hop, issued] = [hop + 1, now]
    else now += pause
    if (plan.then === 'hop') moves.add('307')
    if (plan.then === 'retry') moves.add('503')
  }
}

/** Those that lock first ask for the same wheel again when they install, and try again what failed. */
function again(cell: Cell): number {
  return endingsOf(cell).tries - 1
}

function endingsOf({ client }: Cell): (typeof CLIENT_ENDINGS)['pip'] {
  return CLIENT_ENDINGS[client === 'pip-23.2' ? 'pip' : client]
}

function livesOf(cell: Cell): Lived[] {
  const seconds = Array.from({ length: BESIDE.most - BESIDE.least + 1 }, (_, n) => SLEEPS[cell.build] + BESIDE.least + n)
  return seconds.flatMap((total) => PAUSES[cell.client].map((pause) => live(cell, total, pause)))
}

function heldOf(cell: Cell): number {
  return holdPlan({ ...whoOf(cell), hop: 0, settled: true, waitedMs: 0, ageMs: undefined }).holdMs / 1000
}

function whoOf({ client, way, build }: Cell) {
  const tool = client === 'pip-23.2' || client === 'pipenv' ? 'pip' as const : client
  return { client: { tool }, direct: way === 'direct', holdLimitMs: build === 'outlasts' ? HOLD_LIMIT * 1000 : undefined }
}
