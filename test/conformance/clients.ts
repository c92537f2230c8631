/** Real clients install a small set through Muslin from the replayed recording, cold and warm. They are kept in venvs between runs. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { freePort } from '../e2e/ports.ts'
import { lockOf, RECORDING } from '../recording/folder.ts'
import { cleanEnvironment, startRecorder } from '../recording/recorder.ts'
import { startReplay, type Replay } from '../recording/replay.ts'
import { expectInstalled } from './installed.ts'
import { serveMuslin, type Served } from './muslin.ts'
import type { Check } from './run.ts'

/** What is asked for, and what that makes a client install; of the sixty, so that all of it is recorded. */
const WANTED = ['requests', 'pyyaml', 'six']
const INSTALLED = ['certifi', 'charset-normalizer', 'idna', 'pyyaml', 'requests', 'six', 'urllib3']
const VENVS = join(homedir(), '.cache/muslin-conformance')
const CLIENTS: Record<string, { tools: string[]; install(to: Target): Promise<void> }> = {
  pip: { tools: ['pip'], install: ({ run, index, bin, folder }) => run(join(bin, 'python'), ['-m', 'pip', 'install', '--no-cache-dir', '--index-url', index, '--target', join(folder, 'lib'), ...WANTED]) },
  uv: { tools: ['uv'], install: ({ run, index, bin, folder }) => run(join(bin, 'uv'), ['pip', 'install', '--no-cache', '--default-index', index, '--python', join(bin, 'python'), '--target', join(folder, 'lib'), ...WANTED]) },
  poetry: { tools: ['poetry'], install: byPoetry },
  pdm: { tools: ['pdm[locked]'], install: byPdm },
  devpi: { tools: ['devpi-server', 'pip'], install: throughDevpi },
}
/** Warm is warm, however slowly a client goes. */
const FRESH = ['--page-freshness', '1h']
const OF_SLICE = ['pip', 'uv']

interface Target {
  /** Of Muslin, ends in `/simple/`. */
  index: string
  /** Of the client's venv. */
  bin: string
  /** Empty, and removed afterwards. What is installed goes to `lib`. */
  folder: string
  run(command: string, words: string[], more?: { cwd?: string; env?: Record<string, string> }): Promise<void>
}

export async function checkClients(check: Check, slice: boolean): Promise<void> {
  const recording = await setOf(slice)
  const replay = await startReplay({ folder: recording.folder, names: 1000 })
  try {
    for (const name of slice ? OF_SLICE : Object.keys(CLIENTS)) {
      const muslin = await serveMuslin(replay.url, ...FRESH)
      try {
        await coldAndWarm(check, name, recording.folder, replay, `${muslin.url}simple/`)
      } finally {
        await muslin.stop()
      }
    }
    await throughTwo(check, recording.folder, replay)
  } finally {
    await replay.close()
    await recording.remove()
  }
}

/** pip through a second Muslin, whose upstream is the first. */
async function throughTwo(check: Check, folder: string, replay: Replay): Promise<void> {
  const first = await serveMuslin(replay.url, ...FRESH)
  let second: Served | undefined
  try {
    second = await serveMuslin(`${first.url}simple/`, ...FRESH)
    await coldAndWarm(check, 'pip', folder, replay, `${second.url}simple/`, 'pip through two')
    await check('through two: the page is the same as through one', async () => {
      const pages = await Promise.all([first, second].map(async (muslin) => (await fetch(`${muslin?.url}simple/six/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })).text()))
      if (pages[0] !== pages[1]) throw new Error(`${pages[0]?.slice(0, 300)}\n${pages[1]?.slice(0, 300)}`)
    })
  } finally {
    await second?.stop()
    await first.stop()
  }
}

async function coldAndWarm(check: Check, name: string, recording: string, replay: Replay, index: string, label = name): Promise<void> {
  const client = CLIENTS[name]!
  const bin = await venv(name, client.tools)
  replay.reset()
  for (const times of ['cold', 'warm'] as const) {
    await check(`${label}, ${times}`, async () => {
      const before = total(replay)
      const folder = await mkdtemp(join(tmpdir(), 'muslin-conformance-'))
      try {
        await client.install({ index, bin, folder, run: (command, words, more) => run(folder, command, words, more) })
        await expectInstalled(join(folder, 'lib'), recording, INSTALLED)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
      const asked = total(replay) - before
      const twice = [...replay.counts].filter(([, count]) => count > 1)
      console.log(`   ${label}, ${times}: ${asked} requests to the upstream`)
      if (twice.length > 0) throw new Error(`asked of the upstream more than once: ${twice.map(([what, count]) => `${what} ${count} times`).join(', ')}`)
      if (times === 'cold' ? asked < INSTALLED.length : asked > 0) throw new Error(`${asked} requests to the upstream: ${[...replay.counts.keys()].join(', ')}`)
    })
  }
}

async function byPoetry({ run, index, bin, folder }: Target): Promise<void> {
  const project = join(folder, 'project')
  await mkdir(project)
  await writeFile(join(project, 'pyproject.toml'), `[project]\nname = "trial"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = [${WANTED.map((name) => `"${name}"`).join(', ')}]\n
[tool.poetry]\npackage-mode = false\n\n[[tool.poetry.source]]\nname = "muslin"\nurl = "${index}"\npriority = "primary"\n`)
  const env = { POETRY_VIRTUALENVS_IN_PROJECT: 'true', POETRY_CACHE_DIR: join(folder, 'cache') }
  await run(join(bin, 'poetry'), ['install', '--no-interaction'], { cwd: project, env })
  await toLib(run, project, folder)
}

async function byPdm({ run, index, bin, folder }: Target): Promise<void> {
  const project = join(folder, 'project')
  await mkdir(project)
  await writeFile(join(project, 'pyproject.toml'), `[project]\nname = "trial"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = [${WANTED.map((name) => `"${name}"`).join(', ')}]\n
[tool.pdm]\ndistribution = false\n\n[[tool.pdm.source]]\nname = "pypi"\nurl = "${index}"\nverify_ssl = false\n`)
  const env = { PDM_CACHE_DIR: join(folder, 'cache'), PDM_CHECK_UPDATE: 'false', PDM_USE_VENV: 'true', PDM_NON_INTERACTIVE: '1' }
  await run(join(bin, 'pdm'), ['venv', 'create', '--with', 'venv', join(bin, 'python')], { cwd: project, env })
  await run(join(bin, 'pdm'), ['install'], { cwd: project, env })
  await toLib(run, project, folder)
}

/** Where a client made a venv of its own, its site-packages. */
async function toLib(runAt: Target['run'], project: string, folder: string): Promise<void> {
  await runAt('bash', ['-c', `ln -s "${project}"/.venv/lib/python3.*/site-packages "${folder}/lib"`])
}

/** devpi as a mirror of us, and pip through it. */
async function throughDevpi({ run, index, bin, folder }: Target): Promise<void> {
  const data = join(folder, 'devpi')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const init = ['--serverdir', data, '--no-root-pypi', '--root-passwd', 'secret']
  await run(join(bin, 'devpi-init'), init)
  const server = execa(join(bin, 'devpi-server'), ['--serverdir', data, '--host', '127.0.0.1', '--port', String(port)], { env: cleanEnvironment(), extendEnv: false, reject: false, all: true, stdin: 'ignore' })
  try {
    for (let tries = 0; !await fetch(`${url}+api`).then(({ ok }) => ok, () => false); tries++) {
      if (tries > 300) throw new Error('devpi did not come up')
      await new Promise((resolve) => { setTimeout(resolve, 200) })
    }
    const headers = { 'content-type': 'application/json', 'accept': 'application/json' }
    const login = await fetch(`${url}+login`, { method: 'POST', headers, body: JSON.stringify({ user: 'root', password: 'secret' }) })
    const { result } = await login.json() as { result: { password: string } }
    const auth = Buffer.from(`root:${result.password}`).toString('base64')
    const made = await fetch(`${url}root/muslin`, { method: 'PUT', headers: { ...headers, 'x-devpi-auth': auth }, body: JSON.stringify({ type: 'mirror', mirror_url: index, mirror_use_external_urls: false, volatile: false }) })
    if (!made.ok) throw new Error(`devpi made no mirror: ${made.status} ${await made.text()}`)
    await run(join(bin, 'python'), ['-m', 'pip', 'install', '--no-cache-dir', '--index-url', `${url}root/muslin/+simple/`, '--target', join(folder, 'lib'), ...WANTED])
  } finally {
    server.kill('SIGTERM')
    await server
  }
}

/** The folder `bin` of a venv that holds these tools, from the machine's own index. */
async function venv(name: string, tools: string[]): Promise<string> {
  const folder = join(VENVS, name)
  if (!existsSync(join(folder, 'ready'))) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(VENVS, { recursive: true })
    await run(VENVS, 'python3', ['-m', 'venv', folder])
    await run(VENVS, join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--upgrade', ...tools])
    await writeFile(join(folder, 'ready'), tools.join('\n'))
  }
  return join(folder, 'bin')
}

async function run(folder: string, command: string, words: string[], { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {}): Promise<void> {
  const ended = await execa(command, words, { cwd, env: { ...cleanEnvironment(), PYTHONDONTWRITEBYTECODE: '1', ...env }, extendEnv: false, reject: false, all: true, stdin: 'ignore', timeout: 300_000 })
  if (ended.exitCode !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${ended.exitCode}:\n${ended.all.slice(-2000)}`)
}

/** The recording; of the slice, where there is none, one made now of what is installed. */
async function setOf(slice: boolean): Promise<{ folder: string; remove(): Promise<void> }> {
  if (existsSync(lockOf(RECORDING))) return { folder: RECORDING, remove: async () => undefined }
  if (!slice) throw new Error(`nothing is recorded in ${RECORDING}; run npm run record first`)
  const folder = await mkdtemp(join(tmpdir(), 'muslin-conformance-'))
  const recorder = await startRecorder(folder)
  try {
    const report = join(folder, 'report.json')
    const bin = await venv('pip', CLIENTS['pip']?.tools ?? [])
    await run(folder, join(bin, 'python'), ['-m', 'pip', 'install', '--no-cache-dir', '--report', report, '--index-url', recorder.url, '--target', join(folder, 'lib'), ...WANTED])
    const { install } = JSON.parse(await readFile(report, 'utf8')) as { install: { metadata: { name: string; version: string } }[] }
    await writeFile(lockOf(folder), install.map(({ metadata: { name, version } }) => `${name.toLowerCase().replaceAll('_', '-')}==${version}\n`).join(''))
    return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
  } finally {
    await recorder.close()
  }
}

function total(replay: Replay): number {
  return [...replay.counts.values()].reduce((sum, count) => sum + count, 0)
}
