/** Where the cells are played: one server that holds as long as a client can be held, one with `holdLimit`, and nginx before each in both of its ways. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cancelAll } from '../corpus/try-out.ts'
import { HOST, ROOT, type Lab, type Muslin } from '../lab.ts'
import { nginx } from '../nginx.ts'
import { startRelay, type Relay } from '../relay.ts'
import { HOLD_LIMIT, type Cell } from './cells.ts'

export interface Stage {
  relay: Relay
  /** The server of a cell, and the address by which its client reaches it. */
  of(cell: Cell): { muslin: Muslin; base: string }
  /** Ends every build. */
  cancel(): Promise<void>
}

/** Every request and hold of the last run outlives it. */
const LOGS = join(ROOT, 'test-results/clients')
/** As nginx is told to, where a site wants connections to us kept. */
const HTTP_1_1 = 'proxy_http_version 1.1; proxy_set_header Connection "";'
/** Sleeping builds take next to nothing; the bounds must not keep any of them waiting. */
const ROOM = ['--workers', '48', '--worker-memory', '48g', '--limits-memory', '1g', '--builds-per-client', '1000', '--log-level', 'debug']

export async function setStage(lab: Lab, cells: Cell[]): Promise<Stage> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const isLimited = ({ build }: Cell): boolean => build === 'outlasts'
  const patient = cells.some((cell) => !isLimited(cell)) ? await site(lab, relay, 'patient', []) : undefined
  const limited = cells.some(isLimited) ? await site(lab, relay, 'limited', ['--hold-limit', `${HOLD_LIMIT}s`]) : undefined
  return {
    relay,
    of(cell) {
      const found = isLimited(cell) ? limited : patient
      if (!found) throw new Error('the stage was set for other cells')
      return { muslin: found.muslin, base: found.bases[cell.way] }
    },
    async cancel() {
      for (const { muslin } of [patient ?? [], limited ?? []].flat()) await cancelAll(muslin)
    },
  }
}

async function site(lab: Lab, relay: Relay, name: string, args: string[]): Promise<{ muslin: Muslin; bases: Record<Cell['way'], string> }> {
  const muslin = await lab.muslin({ upstream: relay.url, args: [...ROOM, ...args] })
  lab.onClose(async () => {
    await cancelAll(muslin)
    await muslin.stop()
    await mkdir(LOGS, { recursive: true })
    await writeFile(join(LOGS, `${name}.log`), muslin.output())
  })
  const behind = async (directives: string) => `http://${HOST}:${await nginx(lab, muslin, directives)}`
  return { muslin, bases: { direct: muslin.inside, nginx: await behind(''), 'nginx-1.1': await behind(HTTP_1_1) } }
}
