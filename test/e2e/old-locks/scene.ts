/** What the parts of the scenario share: one server on one upstream, what was sent to whom, and containers with and without a compiler. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { standinAlpine, type StandinAlpine } from '../../standin/apk/standin.ts'
import { calling, serveRepository } from '../alpine.ts'
import { CLIENTS_IMAGE, clientImages, PIPENV_IMAGE } from '../clients/commands.ts'
import { bridgeAddress, cleanEnv, FIRST, NODE, ROOT, until, type Lab, type Muslin } from '../lab.ts'
import { startRelay, type Relay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'
import { startBox, type Box } from './box.ts'
import { startTurnout, type Turnout } from './turnout.ts'

/** A file of an index, by its name and sha256. */
export type File = `${string} ${string}`

export interface Scene {
  lab: Lab
  relay: Relay
  alpine: StandinAlpine
  repository: Awaited<ReturnType<typeof serveRepository>>
  muslin: Muslin
  /** Muslin's root, as containers and this machine reach it. */
  url: string
  turnout: Turnout
  /** With every client, and without a compiler. */
  clean: Box
  /** With a compiler. */
  compiling: Box
  /** Stops the server, and starts it on the same folder. */
  restart(between: () => void): Promise<void>
  command(...args: string[]): Promise<{ exitCode?: number; all: string }>
  /** Our wheels of a project, by their build number. */
  wheels(project: string): Promise<Map<number, { filename: string; sha256: string }>>
  /** What this server sent while `run` ran, without METADATA; what containers alone can have asked for. */
  sent(run: () => Promise<unknown>): Promise<File[]>
  /** What the upstream sent meanwhile. */
  sentByUpstream(run: () => Promise<unknown>): Promise<File[]>
}

/** A project whose build needs a library that no client's image has, and one that a compiler is enough for. */
export const WITH_LIBRARY = 'with-bobbin'
export const PLAIN = 'plain-c'

export async function setScene(lab: Lab): Promise<Scene> {
  await clientImages()
  const host = await bridgeAddress()
  const alpine = await standinAlpine(FIRST)
  const repository = await serveRepository(lab, alpine)
  const relay = await startRelay({ host })
  lab.onClose(() => relay.close())
  relay.add(await makeSdist({ project: WITH_LIBRARY, ...calling(WITH_LIBRARY, 'bobbin') }), await makeSdist({ project: PLAIN }))
  const options = { upstream: relay.url, args: ['--apk-mirror', repository.mirror], targets: [{ name: FIRST.name, builder: alpine.builder, clean: alpine.clean }] }
  const muslin = await lab.muslin(options)
  const url = `http://${host}:${muslin.port}`
  const scene: Scene = {
    lab, relay, alpine, repository, muslin, url,
    turnout: await startTurnout(lab, host, relay.url),
    clean: await startBox(lab, { host, image: CLIENTS_IMAGE, others: PIPENV_IMAGE, clients: ['pipenv'] }),
    compiling: await startBox(lab, { host, image: PIPENV_IMAGE, others: CLIENTS_IMAGE, clients: ['pip-23.2', 'pip', 'uv', 'poetry'] }),
    async restart(between) {
      await scene.muslin.stop()
      between()
      scene.muslin = await lab.muslin({ ...options, data: muslin.data, port: muslin.port })
      await scene.muslin.until('a worker is ready again', async () => ((await (await fetch(`${scene.muslin.url}/readyz`)).text()).includes('wheels are built for') ? true : undefined))
    },
    async command(...args) {
      const token = (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim()
      return execa(NODE, [join(ROOT, 'src/main.ts'), ...args, '--server', url, '--token', token], { env: cleanEnv(), extendEnv: false, reject: false, all: true, stdin: 'ignore' })
    },
    wheels: async (project) => new Map((await filesOf(`${url}/finished/simple/`, project)).flatMap((file) => {
      const [, number] = /^[^-]+-[^-]+-(\d+)-/.exec(file.filename) ?? []
      return number === undefined ? [] : [[Number(number), { filename: file.filename, sha256: file.hashes.sha256 }] as const]
    })),
    async sent(run) {
      const { muslin } = scene
      const begun = muslin.events('request').length
      await run()
      // A request is told when its answer has gone out: one more, and those before it are there.
      const mark = `/simple/mark-${begun}/`
      await fetch(`${muslin.url}${mark}`)
      const lines = await until('the requests are told', () => { const all = muslin.events('request').slice(begun); return all.some(({ path }) => path === mark) ? all : undefined }, 30)
      return distinct(lines.filter(({ status, client }) => status === 200 && client !== '127.0.0.1').flatMap(({ path }): File[] => {
        const [, sha256, filename] = /^\/files\/([0-9a-f]{64})\/([^/]+)$/.exec(path) ?? []
        return filename === undefined || filename.endsWith('.metadata') ? [] : [`${filename} ${sha256}`]
      }))
    },
    async sentByUpstream(run) {
      const begun = relay.requests.length
      await run()
      const names = new Set(relay.requests.slice(begun).flatMap((path) => /^\/(?:own|real\/[^/]+)\/([^/]+)$/.exec(path)?.[1] ?? []).filter((name) => !name.endsWith('.metadata')))
      return distinct(await Promise.all([...names].map(async (name): Promise<File> => {
        const project = name.split('-')[0]!.replaceAll('_', '-').toLowerCase()
        // An sdist's name may have a hyphen before its version.
        const files = (await Promise.all([project, WITH_LIBRARY, PLAIN].map((each) => filesOf(relay.url, each)))).flat()
        const found = files.find(({ filename }) => filename === name)
        assert.ok(found, `${name} is on no page`)
        return `${name} ${found.hashes.sha256}`
      })))
    },
  }
  return scene
}

/** Whether what lies behind a Python is, byte for byte, what is in the wheel of this sha256. Throws where it is not. */
export async function assertInstalled({ url }: Scene, box: Box, python: string, { filename, sha256 }: { filename: string; sha256: string }): Promise<void> {
  await box.write('/tmp/same.py', SAME)
  const told = await box.sound(`${python} /tmp/same.py ${url}/files/${sha256}/${filename} ${sha256}`)
  assert.match(told, /^[1-9]\d* files are the same\s*$/)
}

const SAME = `import hashlib, io, pathlib, sys, sysconfig, urllib.request, zipfile
url, sha256 = sys.argv[1:]
data = urllib.request.urlopen(url).read()
assert hashlib.sha256(data).hexdigest() == sha256, 'the server sent something else'
wheel = zipfile.ZipFile(io.BytesIO(data))
site = pathlib.Path(sysconfig.get_path('platlib'))
names = [name for name in wheel.namelist() if not name.endswith(('/', '.dist-info/RECORD'))]
different = [name for name in names if (site / name).read_bytes() != wheel.read(name)]
assert not different, f'not as in the wheel: {different}'
print(len(names), 'files are the same')
`

interface Listed { filename: string; hashes: { sha256: string } }

async function filesOf(index: string, project: string): Promise<Listed[]> {
  const answer = await fetch(`${index}${project}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
  return answer.ok ? ((await answer.json()) as { files: Listed[] }).files : []
}

function distinct<T extends string>(all: T[]): T[] {
  return [...new Set(all)].sort()
}
