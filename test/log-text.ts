import { text } from 'node:stream/consumers'
import type { BuildLogs } from '../src/services/ports.ts'

/** The whole log of a build as it is now; empty where there is none. */
export async function logText(logs: BuildLogs, build: number): Promise<string> {
  const found = await logs.read(build)
  return found ? text(found.body) : ''
}
