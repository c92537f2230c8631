import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lockOf, RECORDING } from '../../test/recording/folder.ts'
import type { Conditions } from '../../test/recording/replay.ts'
import { NODE, scratch } from '../lib/folders.ts'
import { CLIENT_CORE, start } from '../lib/process.ts'
import { MADE_MIX } from './made.ts'

export type Order = { id: number } & Message
type Message = { kind: 'asked' } | { kind: 'forget' } | { kind: 'set'; conditions: Partial<Conditions> }
type Told = [asked: string, times: number][] | undefined

export interface Upstream {
  pid: number
  /** Ends in `/simple/`. */
  index: string
  /** The recording that it serves; nothing where all is made. */
  recording: string | undefined
  /** Fifty projects of many sizes. */
  mix: string[]
  set(conditions: Partial<Conditions>): Promise<void>
  /** How often it was asked for what since it was last told to forget, as `GET /path`. */
  asked(): Promise<Map<string, number>>
  forget(): Promise<void>
  stop(): Promise<void>
}

/** Starts the upstream, beside the clients. `made`: without the recording. */
export async function startUpstream({ made }: { made: boolean }): Promise<Upstream> {
  const recording = made ? undefined : RECORDING
  if (recording !== undefined && !existsSync(lockOf(recording))) throw new Error('nothing is recorded yet: `npm run record` in the folder above does it once')
  const started = start(NODE, [fileURLToPath(new URL('serve.ts', import.meta.url)), recording ?? ''], { core: CLIENT_CORE, folder: scratch('upstream'), ipc: true })
  const { child } = started
  const ended = once(child, 'exit').then(() => { throw new Error(`the upstream ended; see ${started.log}`) })
  ended.catch(() => {})
  const [{ url }] = await Promise.race([once(child, 'message') as Promise<[{ url: string }]>, ended])
  const waiting = new Map<number, (told: Told) => void>()
  let orders = 0
  child.on('message', ({ id, told }: { id: number; told: Told }) => {
    waiting.get(id)?.(told)
    waiting.delete(id)
  })

  const order = (message: Message): Promise<Told> => Promise.race([ended, new Promise<Told>((resolve) => {
    const id = ++orders
    waiting.set(id, resolve)
    child.send({ id, ...message })
  })])
  return {
    pid: started.pid, index: url, recording, mix: recording === undefined ? MADE_MIX : locked(recording).slice(0, 50),
    async set(conditions) { await order({ kind: 'set', conditions }) },
    asked: async () => new Map(await order({ kind: 'asked' })),
    async forget() { await order({ kind: 'forget' }) },
    stop: () => started.stop(),
  }
}

function locked(recording: string): string[] {
  return [...readFileSync(lockOf(recording), 'utf8').matchAll(/^([a-z0-9-]+)==/gm)].map(([, name = '']) => name).toSorted()
}
