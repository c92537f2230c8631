/** One cell, from its sdist to what its client printed and what the server's log has of it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, until, type Lab, type LogLine, type Muslin } from '../lab.ts'
import { makeSdist, type Sdist } from '../sdists.ts'
import { ABSENT, nameOf, projectOf, SLEEPS, type Cell } from './cells.ts'
import { commandOf } from './commands.ts'
import type { Seen } from './judge.ts'
import type { Stage } from './stage.ts'

const LOGS = join(ROOT, 'test-results/clients/logs')
/** No client and no build of the matrix takes as long, seconds. */
const LONGEST = 600

/** `sleeps` is called once what the cell starts has come to its sleep, and needs no processor: at its end at the latest. */
export async function runCell(lab: Lab, stage: Stage, cell: Cell, sleeps: () => void): Promise<Seen> {
  const project = projectOf(cell)
  const { muslin, base } = stage.of(cell)
  stage.relay.add(await sdistOf(cell, project))
  const { image, script, env } = commandOf(cell, project, base)
  let ended = false
  const running = lab.run(image, ['sh', '-c', script], { env, seconds: LONGEST })
  const asleep = until(`the build of ${project} sleeps`, () => (ended || isAsleep(muslin, cell, project)) || undefined, LONGEST).then(sleeps)
  // It is waited for below; until then nobody would hear of its failure.
  asleep.catch(() => undefined)
  const { code, output, seconds } = await running
  ended = true
  const wentOn = builds(muslin, project).some(({ state }) => state === 'running')
  await asleep
  await muslin.until(`the build of ${project} has ended`, () => builds(muslin, project).every(({ state }) => state !== 'queued' && state !== 'running') || undefined, LONGEST)
  const lines = await linesOf(muslin, project)
  await keep(cell, [`${script}\nexit ${code} after ${seconds.toFixed(1)} s\n\n${output}\n`, ...lines.map((line) => JSON.stringify(line))].join('\n'))
  const ofWheel = lines.filter(({ path }) => path.startsWith('/promise/') && path.endsWith('.whl'))
  return {
    exit: code, said: output.slice(-4000), seconds, wentOn,
    builds: builds(muslin, project).map(({ state, failure, started_at, finished_at }) => ({ state, failure: failure?.key ?? null, began: started_at ?? 0, ended: finished_at ?? 0 })),
    interim: ofWheel.some(({ msg, by }) => msg === 'hold' && by === '100s'),
    requests: ofWheel.filter(({ msg, method }) => msg === 'request' && method === 'GET')
      .map(({ time, ms = 0, status = 0 }) => ({ at: Date.parse(time) - ms, ms, status })).toSorted((a, b) => a.at - b.at),
    sdist: lines.some(({ msg, path }) => msg === 'request' && path.endsWith('.tar.gz')),
  }
}

async function sdistOf({ build }: Cell, project: string): Promise<Sdist> {
  const inBuild = `import time; time.sleep(${SLEEPS[build]})`
  return makeSdist(build === 'fails' ? { project, inBuild, c: `#include <${ABSENT}>\n` } : { project, inBuild })
}

/** What is compiled by the client itself is known by its sdist alone. */
function isAsleep(muslin: Muslin, { builds: count }: Cell, project: string): boolean {
  if (count === 0) return muslin.events('request').some(({ path }) => isOf(path, project) && path.endsWith('.tar.gz'))
  return builds(muslin, project).some(({ step }) => step === 'build')
}

function builds(muslin: Muslin, project: string) {
  return muslin.jobs().filter((job) => job.project === project && job.kind === 'build')
}

/** A request's line comes at its end, which may be a moment after its client's. */
async function linesOf(muslin: Muslin, project: string): Promise<LogLine[]> {
  const holds = () => muslin.events('hold').filter(({ path }) => isOf(path, project) && path.endsWith('.whl'))
  const requests = () => muslin.events('request').filter(({ path }) => isOf(path, project))
  const answered = () => requests().filter(({ path, method }) => path.endsWith('.whl') && method === 'GET')
  await muslin.until(`the requests for ${project} are logged`, () => answered().length >= holds().length || undefined, 30)
  const others = (['still held', 'held'] as const).flatMap((event) => muslin.events(event).filter(({ path }) => isOf(path, project)))
  return [...holds(), ...others, ...requests()].toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
}

/** Pages are named by the project, files by the name that its wheel bears. */
function isOf(path: string, project: string): boolean {
  const [file = ''] = path.split('/').slice(-1)
  return path.endsWith(`/simple/${project}/`) || file.startsWith(`${project}-1.0`) || file.startsWith(`${project.replaceAll('-', '_')}-1.0`)
}

/** What a client printed and the server's lines about it outlive the run. */
async function keep(cell: Cell, text: string): Promise<void> {
  await mkdir(LOGS, { recursive: true })
  await writeFile(join(LOGS, `${nameOf(cell).replaceAll(' ', '-')}.log`), `${text}\n`)
}
