/** An engine without containers: commands are answered by the test, files live in memory. */
import type { Readable } from 'node:stream'
import { MuslinError } from '../../src/errors.ts'
import type { Engine, ImageSource, Run, RunSpec } from '../../src/services/ports.ts'
import { extractTar, packTar } from '../../src/services/tar.ts'

/** `env`: of the newest command. `tar`: what is got out of it from then on, instead of its files. */
export interface FakeRun { spec: RunSpec; files: Map<string, Buffer>; removed: boolean; oomKills: number; exceeded?: 'disk' | 'processes'; tar?: Readable; commands: string[][]; env: Record<string, string> }

/** What a command does: exit code, output, and what it leaves in `run.files` (below /tmp). `undefined` hangs until the run is stopped. */
export type Answer = (command: string, run: FakeRun) => { exitCode?: number; output?: string } | undefined

export function fakeEngine(answer: Answer) {
  const runs: FakeRun[] = []
  const absent = new Set<string>()
  const asked: ImageSource[] = []
  const nameOf = (image: ImageSource) => {
    if (image.kind === 'interpreter') return `${image.python}${image.compiles ? ` for ${image.compiles.languages}` : ''}`
    return image.kind === 'ready' ? image.ref : `${image.name} ${image.args['PYTHON_IMAGE']}`
  }
  const engine: Engine = {
    name: 'fake',
    async image(image) {
      asked.push(image)
      if (absent.has(nameOf(image))) throw new MuslinError('image-unavailable', `${nameOf(image)} is not to be had`)
      return { ref: nameOf(image), digest: `digest of ${nameOf(image)}` }
    },
    async digest(image) {
      return image.kind === 'ready' && absent.has(image.ref) ? undefined : `digest of ${nameOf(image)}`
    },
    async network() { return { name: 'fake', host: 'muslin', closed: true } },
    async create(spec) {
      const run: FakeRun = { spec, files: new Map(), removed: false, oomKills: 0, commands: [], env: {} }
      runs.push(run)
      return runOf(run)
    },
    async sweep() { return 0 },
  }
  return { engine, runs, absent, asked, open: () => runs.filter((run) => !run.removed).length }

  function runOf(run: FakeRun): Run {
    return {
      id: String(runs.length),
      async put(folder, tar) {
        if (folder !== '/tmp') throw new Error(`put into ${folder}`)
        for await (const file of extractTar(tar, { maxBytes: 1 << 30, maxEntries: 1000 })) run.files.set(file.name, await read(file.body))
      },
      async exec(command, { env, output, signal }) {
        run.commands.push(command)
        run.env = env
        const result = answer(command.join(' '), run)
        if (!result) {
          await new Promise((resolve) => signal?.addEventListener('abort', resolve))
          run.removed = true
          throw signal?.reason
        }
        if (result.output !== undefined) output(Buffer.from(result.output))
        return { exitCode: result.exitCode ?? 0 }
      },
      async get(folder, names) {
        if (run.tar) return run.tar
        const prefix = `${folder.slice('/tmp/'.length)}/`
        return packTar([...run.files]
          .map(([name, body]) => ({ name: name.slice(prefix.length), body, ours: name.startsWith(prefix) }))
          .filter(({ name, ours }) => ours && names.some((wanted) => name === wanted || name.startsWith(`${wanted}/`))))
      },
      async usage() { return { peakBytes: 1000 * runs.length, oomKills: run.oomKills, ...(run.exceeded && { exceeded: run.exceeded }) } },
      async remove() { run.removed = true },
    }
  }
}

async function read(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
