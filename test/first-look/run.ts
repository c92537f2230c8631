/**
 * The first look: a fresh clone, `npm install && npm start` where no container engine answers, and wheels for musl minutes later.
 * `npm run test:first-look`; needs an upstream, a glibc CPython 3.13 with headers and a musl one (`test/standin/`), nothing else.
 */
import assert from 'node:assert/strict'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { readWheel } from '../../src/builder/wheel-file.ts'
import { isElf, readElf } from '../../src/domain/elf.ts'
import { cleanEnv, freePort, Lab, ROOT, until, type Check } from '../e2e/lab.ts'
import { startRelay } from '../e2e/relay.ts'
import { pathWithout, processesIn } from '../e2e/scenarios/firstrun.ts'

/** Modules that are only there where the native part was compiled. */
const C = [
  { project: 'markupsafe', version: '3.0.4', module: 'markupsafe._speedups' },
  { project: 'msgpack', version: '1.2.4', module: 'msgpack._cmsgpack' },
  { project: 'psutil', version: '7.2.2', module: 'psutil' },
  { project: 'xxhash', version: '4.1.0', module: 'xxhash._xxhash' },
]
const CPLUSPLUS = [
  { project: 'greenlet', version: '3.5.6', module: 'greenlet._greenlet' },
  { project: 'ujson', version: '6.1.0', module: 'ujson' },
]
const ALL = [...C, ...CPLUSPLUS]
const SECONDS = { first: 180, laterC: 15, firstCplusplus: 120 }
/** Zig without optimisation makes 4 MB of any of them. */
const LARGEST = 1_000_000

const lab = new Lab('first-look')
let passed = 0
let failed = 0
const check: Check = async (what, run) => {
  const began = Date.now()
  try {
    await run()
    passed++
    console.log(`  ok   ${what} (${seconds(began)} s)`)
  } catch (error) {
    failed++
    console.log(`  FAIL ${what} (${seconds(began)} s)\n${error instanceof Error ? error.stack : String(error)}`)
  }
}
try {
  await firstLook()
} catch (error) {
  failed++
  console.log(`  FAIL the first look itself\n${error instanceof Error ? error.stack : String(error)}`)
}
await lab.close()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

async function firstLook(): Promise<void> {
  const glibc = await lastLine('test/standin/glibc-python.sh')
  const musl = await lastLine('test/standin/musl-tree.sh')
  const folder = await lab.folder()
  const path = await pathWithout(['docker', 'podman'], (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.includes('node_modules')).join(':'), folder)
  const env = cleanEnv({ PATH: path })
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  relay.hide = (filename) => filename.endsWith('.whl') && ALL.some(({ project }) => filename.toLowerCase().startsWith(`${project}-`))
  const clone = join(folder, 'muslin')
  await execa('git', ['clone', '-q', ROOT, clone], { env, extendEnv: false })
  const port = await freePort()
  const pips = [['pip'], await newPip(folder, glibc, env)]

  let output = ''
  let started = 0
  const child = execa('sh', ['-c', `npm install && echo starting && exec npm start -- --port ${port} --upstream ${relay.url} --python ${glibc}`], {
    cwd: clone, env, extendEnv: false, all: true, reject: false, buffer: false, stdin: 'ignore', detached: true,
  })
  child.all?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (started === 0 && output.includes('starting')) started = Date.now()
  })
  lab.onClose(async () => {
    end()
    await child
  })
  const end = () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGTERM')
    } catch {
      // It has ended.
    }
  }

  await check('npm start chooses the embedded engine and says why', async () => {
    await until(`the server listens:\n${output}`, () => (/listening on (\S+)/.test(output) ? true : undefined), 180)
    const line = /^builder\s.*$/m.exec(output)?.[0] ?? output
    console.log(`       | ${line}`)
    assert.match(line, /embedded/)
    assert.match(line, /docker.*podman/)
    assert.match(line, /CPython.*3\.11.*3\.13/)
  })

  const index = (target: string) => `http://127.0.0.1:${port}/target/${target}/simple/`
  const into = async (name: string) => {
    const to = join(folder, name)
    await mkdir(to)
    return to
  }
  /** The line of the README. Throws with all that pip said. */
  const download = async (pip: string[], minor: string, projects: typeof ALL, to: string) => {
    const target = `cp${minor.replace('.', '')}-musllinux_1_2_x86_64`
    const run = await execa(pip[0] ?? '', [...pip.slice(1), 'download', '--no-deps', '--only-binary=:all:', '--platform', 'musllinux_1_2_x86_64', '--python-version', minor, '--implementation', 'cp',
      '--no-cache-dir', '-i', index(target), '-d', to, ...projects.map(({ project, version }) => `${project}==${version}`)], { env, extendEnv: false, reject: false, all: true, timeout: 600_000 })
    assert.equal(run.exitCode, 0, `${run.all}\nthe server said last:\n${output.slice(-1500)}`)
  }

  const one = await into('one-by-one')
  const limits = [...C.map(() => SECONDS.laterC), SECONDS.firstCplusplus, undefined]
  for (const [at, project] of ALL.entries()) {
    const [first, limit] = [at === 0, limits[at]]
    await check(first ? `the first wheel is there within ${SECONDS.first} s of npm start` : `${project.project} is there${limit === undefined ? '' : ` within ${limit} s`}`, async () => {
      const began = first ? started : Date.now()
      await download(pips[0] ?? [], '3.11', [project], one)
      const took = Number(seconds(began))
      console.log(`       ${project.project} ${project.version} for 3.11: ${took} s`)
      if (first) assert.ok(took < SECONDS.first, `${took} s`)
      else if (limit !== undefined) assert.ok(took < limit, `${took} s`)
    })
  }

  for (const [name, pip] of [['the machine\'s own pip', pips[0]], ['a new pip', pips[1]]] as const) {
    await check(`${name} gets six wheels for cp311, small, and of nothing but musl`, async () => {
      console.log(`       ${(await execa(pip?.[0] ?? '', [...(pip ?? []).slice(1), '--version'], { env, extendEnv: false })).stdout.replace(/ from .*/, '')}`)
      const to = await into(`all-${name.replaceAll(/\W/g, '-')}`)
      await download(pip ?? [], '3.11', ALL, to)
      await assertWheels(to, 'cp311-cp311-musllinux_1_2_x86_64')
    })
  }

  await check('the same six for cp313, by a glibc CPython 3.13, are imported by the musl CPython 3.13', async () => {
    const to = await into('cp313')
    const began = Date.now()
    await download(pips[1] ?? [], '3.13', ALL, to)
    console.log(`       six wheels for 3.13: ${seconds(began)} s`)
    await assertWheels(to, 'cp313-cp313-musllinux_1_2_x86_64')
    const site = await into('site')
    for (const name of await readdir(to)) await execa(glibc, ['-I', '-m', 'zipfile', '-e', join(to, name), site])
    const code = `import importlib, os, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nimport greenlet, ujson, msgpack\nassert ujson.loads(ujson.dumps({"a": [1]})) == {"a": [1]} and msgpack.unpackb(msgpack.packb([1])) == [1]\n` +
      'assert greenlet.greenlet(lambda: 5).switch() == 5\nprint(sys.version_info[:2], "musl" in open("/proc/self/maps").read())'
    const run = await execa(join(musl, 'lib/ld-musl-x86_64.so.1'), [join(musl, 'usr/local/bin/python3'), '-c', code, ...ALL.map(({ module }) => module)], { env: { ...env, PYTHONPATH: site }, extendEnv: false, reject: false, all: true })
    assert.equal(run.all, '(3, 13) True')
  })

  await check('each was one job, built at the first attempt', async () => {
    const rows = jobsOf(join(clone, 'data'))
    console.log(rows.map(({ project, target, seconds: took }) => `       ${project} ${target.slice(0, 5)} ${took.toFixed(1)} s`).join('\n'))
    assert.deepEqual(rows.filter(({ state, attempts }) => state !== 'built' || attempts !== 1), [])
    const wanted = ['cp311', 'cp313'].flatMap((python) => ALL.map(({ project }) => `${project} ${python}`))
    assert.deepEqual(rows.map(({ project, target }) => `${project} ${target.slice(0, 5)}`).sort(), wanted.sort())
  })

  await check('it ends in time, and nothing of it goes on', async () => {
    end()
    await child
    assert.deepEqual(await processesIn(clone), [])
    assert.deepEqual(await readdir(join(clone, 'data/embedded/runs')).catch(() => []), [])
  })
}

async function lastLine(script: string): Promise<string> {
  const { stdout } = await execa('bash', [join(ROOT, script)], { env: cleanEnv(), extendEnv: false, stderr: 'inherit' })
  return stdout.trimEnd().split('\n').pop() ?? ''
}

async function newPip(folder: string, python: string, env: Record<string, string>): Promise<string[]> {
  const venv = join(folder, 'venv')
  const run = (...words: string[]) => execa(words[0] ?? '', words.slice(1), { env, extendEnv: false })
  await run(python, '-m', 'venv', '--without-pip', venv)
  await run('pip', '--disable-pip-version-check', 'download', '-q', '--no-deps', '--no-cache-dir', '--only-binary=:all:', '-d', venv, 'pip>=26')
  const wheel = (await readdir(venv)).find((name) => name.endsWith('.whl')) ?? ''
  await run(join(venv, 'bin/python'), join(venv, wheel, 'pip'), 'install', '-q', '--no-index', join(venv, wheel))
  return [join(venv, 'bin/pip')]
}

async function assertWheels(folder: string, tail: string): Promise<void> {
  const names = (await readdir(folder)).sort()
  assert.deepEqual(names.map((name) => name.split('-')[0]?.toLowerCase()), ALL.map(({ project }) => project).sort(), names.join(' '))
  for (const name of names) {
    assert.ok(name.endsWith(`-1-${tail}.whl`), name)
    const { size } = await stat(join(folder, name))
    assert.ok(size < LARGEST, `${name} has ${size} bytes`)
    let needed: string[] = []
    for (const member of await readWheel(join(folder, name))) {
      const bytes = await member.read()
      if (isElf(bytes)) needed = [...needed, ...readElf(bytes).needed]
    }
    assert.deepEqual([...new Set(needed)], ['libc.so'], name)
    console.log(`       ${name} ${(size / 1000).toFixed(0)} kB`)
  }
}

function jobsOf(data: string): { project: string; target: string; state: string; attempts: number; seconds: number }[] {
  const database = new Database(join(data, 'muslin.db'), { readonly: true })
  try {
    return database.prepare('SELECT project, target, state, attempts, (finished_at - started_at) / 1000.0 AS seconds FROM jobs WHERE kind = \'build\' ORDER BY id').all() as ReturnType<typeof jobsOf>
  } finally {
    database.close()
  }
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1)
}
