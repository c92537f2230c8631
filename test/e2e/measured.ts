/** What a server that runs `measured-main.ts` holds at a moment. */
import { join } from 'node:path'
import { ROOT, until, type Muslin } from './lab.ts'

export const MEASURED_MAIN = join(ROOT, 'test/e2e/measured-main.ts')

export interface Holds {
  /** Of JavaScript's heap and what hangs on it. */
  bytes: number
  /** Open files, sockets and pipes of the process. */
  files: number
  sockets: number
}

export async function holds(muslin: Muslin): Promise<Holds> {
  const before = told(muslin).length
  process.kill(muslin.pid, 'SIGUSR2')
  return until('the server tells what it holds', () => told(muslin)[before], 30)
}

function told(muslin: Muslin): Holds[] {
  return muslin.output().split('\n').filter((line) => line.startsWith('{"msg":"holds"')).map((line) => JSON.parse(line) as Holds)
}
