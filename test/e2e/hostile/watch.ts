/** What the engine was told to do for one server, as the engine itself tells it, and what it still has of that server. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, docker, until, type Lab, type Muslin } from '../lab.ts'

interface Event { Type: string; Action: string; Actor: { ID: string; Attributes: Record<string, string> } }

export interface Watch {
  /** Commands run in its containers, arguments separated by spaces. */
  commands(): string[]
  /** No container, no volume, no file of a run; networks and images are those that the server keeps while it lives. */
  assertNothingRemains(): Promise<void>
}

export async function watchEngine(lab: Lab, muslin: Muslin): Promise<Watch> {
  const { instance } = JSON.parse(await readFile(join(muslin.data, 'server.json'), 'utf8')) as { instance: string }
  const ours = (what: string[]) => docker([...what, '--filter', `label=muslin.instance=${instance}`])
  const events: Event[] = []
  let rest = ''
  const child = execa('docker', ['events', '--format', '{{json .}}'], { env: cleanEnv(), extendEnv: false, reject: false, buffer: false, stdin: 'ignore' })
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = `${rest}${chunk.toString()}`.split('\n')
    rest = lines.pop() ?? ''
    events.push(...lines.map((line) => JSON.parse(line) as Event))
  })
  lab.onClose(async () => {
    child.kill('SIGKILL')
    await child
    // A server keeps those for its next start; of this one there is none.
    const derived = (await ours(['image', 'ls', '-q'])).split('\n').filter(Boolean)
    if (derived.length > 0) await docker(['image', 'rm', '--force', ...new Set(derived)])
  })
  const ofContainers = () => events.filter(({ Type, Actor }) => Type === 'container' && Actor.Attributes['muslin.instance'] === instance)

  return {
    commands: () => ofContainers().flatMap(({ Action }) => /^exec_create: (.*)$/s.exec(Action)?.[1] ?? []),
    async assertNothingRemains() {
      await until('no container remains', async () => await ours(['ps', '-aq']) === '' ? true : undefined, 30)
      for (const folder of ['scratch', 'blobs/drafts']) await until(`${folder} is empty`, async () => (await inFolders(join(muslin.data, folder))).length === 0 ? true : undefined, 30)
      const containers = new Set(ofContainers().map(({ Actor }) => Actor.ID))
      assert.ok(containers.size > 0, 'the engine told of its containers')
      assert.deepEqual(events.filter(({ Type, Actor }) => Type === 'volume' && containers.has(Actor.Attributes['container'] ?? '')), [], 'a volume was made')
      assert.ok((await ours(['network', 'ls', '-q'])).split('\n').length <= 1, 'there is more than the fetch network')
      assert.ok((await ours(['image', 'ls', '-q'])).split('\n').length <= 1, 'there is more than the image with an apk')
    },
  }
}

/** What lies in the folders of a folder: of each process one. */
async function inFolders(folder: string): Promise<string[]> {
  const own = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  return (await Promise.all(own.map(({ name }) => readdir(join(folder, name))))).flat()
}
