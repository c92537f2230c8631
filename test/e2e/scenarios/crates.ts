/** Crates of a hand-made registry through Muslin: proxied, checked, kept, fetched on the closed network, and built from by a real cargo. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { pino } from 'pino'
import { fetchCrates, needCargo, placeCrates } from '../../../src/builder/crates.ts'
import type { Carried } from '../../../src/builder/carry.ts'
import { script } from '../../../src/builder/scripts.ts'
import { createSession, PLACE, type Session } from '../../../src/builder/session.ts'
import { systemClock } from '../../../src/clock.ts'
import type { CargoLock } from '../../../src/domain/cargo-lock.ts'
import { NO_RECIPE } from '../../../src/domain/recipe.ts'
import { createDockerEngine } from '../../../src/engine/docker.ts'
import type { BuildWork } from '../../../src/services/ports.ts'
import { extractTar } from '../../../src/services/tar.ts'
import { makeCrate, makeLock, registryListener, type MadeCrate } from '../../fixtures/registry.ts'
import { startServer } from '../../upstream/index-server.ts'
import { bridgeAddress, BUILDER, CLEAN, cleanEnv, docker, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const greeting = makeCrate({ name: 'greeting', version: '1.2.0', lib: 'pub fn hello() -> String { "hello".to_string() }\n' })
const shout = makeCrate({ name: 'shout', version: '0.3.1', lib: 'pub fn shout() -> String { greeting::hello().to_uppercase() }\n', requires: { greeting: '1.2' } })
const lied = makeCrate({ name: 'lied' })
const PROJECT = {
  'Cargo.toml': '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nshout = "0.3"\n',
  'Cargo.lock': makeLock({ name: 'demo', requires: ['shout'] }, [greeting, shout]),
  'src/main.rs': 'fn main() { println!("{}", shout::shout()) }\n',
}

export default async function crates(check: Check, lab: Lab): Promise<void> {
  const registry = await startServer(registryListener([greeting, shout, lied], { 'lied 1.0.0': Buffer.from('something else') }))
  lab.onClose(() => registry.close())
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  relay.add(
    await makeSdist({ project: 'rusty', files: { 'pyproject.toml': '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n', ...PROJECT } }),
    await makeSdist({ project: 'unlocked', files: { 'pyproject.toml': '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n', 'Cargo.toml': PROJECT['Cargo.toml'] } }),
  )
  const muslin = await lab.muslin({ upstream: relay.url, args: ['--crates-index', `${registry.origin}/index/`] })
  const download = (crate: MadeCrate) => fetch(`${muslin.url}/crates/dl/${crate.name}/${crate.version}/download`)

  await check('the registry is proxied: its index, with downloads from here, and its crates', async () => {
    assert.deepEqual(await (await fetch(`${muslin.url}/crates/index/config.json`)).json(), { dl: `${muslin.url}/crates/dl` })
    assert.match(await (await fetch(`${muslin.url}/crates/index/gr/ee/greeting`)).text(), new RegExp(`"cksum":"${greeting.checksum}"`))
    for (const crate of [greeting, shout]) assert.ok(Buffer.from(await (await download(crate)).arrayBuffer()).equals(crate.bytes))
  })
  await check('a crate of other bytes than the index says is refused, twice: nothing of it is kept', async () => {
    for (let time = 0; time < 2; time++) {
      const answer = await download(lied)
      assert.equal(answer.status, 502)
      assert.match(await answer.text(), /digest-mismatch/)
    }
  })
  await registry.close()
  await check('the registry is gone: what was served is served, what was not is refused', async () => {
    for (const crate of [greeting, shout]) assert.ok(Buffer.from(await (await download(crate)).arrayBuffer()).equals(crate.bytes))
    assert.match(await (await fetch(`${muslin.url}/crates/index/sh/ou/shout`)).text(), /"vers":"0.3.1"/)
    assert.ok([502, 504].includes((await download(lied)).status))
  })

  const { session, indexUrl } = await openSession(lab, muslin.port)
  const lock: CargoLock = [greeting, shout].map(({ name, version, checksum }) => ({ name, version, checksum }))
  let fetched: Carried[] = []
  await check('the fetch container gets the crates of a lock from Muslin, each what the lock says', async () => {
    fetched = await fetchCrates(session, { image: BUILDER, indexUrl }, lock)
    assert.deepEqual(fetched.map(({ filename, sha256 }) => [filename, sha256]), [['greeting-1.2.0.crate', greeting.checksum], ['shout-0.3.1.crate', shout.checksum]])
    const wrong = fetchCrates(session, { image: BUILDER, indexUrl }, [{ ...lock[0]!, checksum: 'f'.repeat(64) }])
    await assert.rejects(wrong, { message: /bad-sdist: the crate greeting 1.2.0 of its Cargo.lock/ })
  })
  await check('and reaches nothing else', () => reachesMuslinAlone(session, indexUrl))
  await check('the build container has them where cargo looks for them, and an image without cargo is told', async () => {
    const folder = await lab.folder()
    await session.within({ image: BUILDER, network: 'none' }, async (box) => {
      await placeCrates(box, lock, fetched)
      for await (const file of extractTar(await box.get(['vendor', 'cargo'], 1 << 24), { maxBytes: 1 << 24, maxEntries: 1000 })) {
        await mkdir(dirname(join(folder, file.name)), { recursive: true })
        await pipeline(file.body, createWriteStream(join(folder, file.name)))
      }
      await assert.rejects(needCargo(box), { message: 'missing-command: cargo' })
    })
    await buildOffline(folder)
  })

  await check('a job: an image without cargo, and a project without a lock', async () => {
    for (const project of ['rusty', 'unlocked']) await lab.run(CLEAN, ['pip', 'download', '-q', '--no-deps', '-d', '/tmp/w', project], { env: lab.index(muslin), seconds: 240 })
    const failures = Object.fromEntries(muslin.jobs().filter(({ kind }) => kind === 'build').map(({ project, failure }) => [project, [failure?.class, failure?.key]]))
    assert.deepEqual(failures, {
      rusty: ['missing-command', 'cargo'],
      unlocked: ['bad-sdist', 'it brings no Cargo.lock for Cargo.toml, and cargo cannot choose crates without a network'],
    })
  })
}

/** A session of the builder on an engine of its own, which leaves nothing behind. */
async function openSession(lab: Lab, port: number): Promise<{ session: Session; indexUrl: string }> {
  const instance = `crates-${randomBytes(6).toString('hex')}`
  const engine = createDockerEngine({ instance, log: pino({ level: 'silent' }) })
  const work: BuildWork = {
    job: { id: 1, project: 'demo', version: '1.0', target: 'none', sdist: { sha256: '', filename: 'demo-1.0.tar.gz' } },
    number: 1, sourceDate: 0, recipe: NO_RECIPE, result: undefined, known: undefined, limits: { cpu: 1, memory: 1 << 30, disk: 1 << 28, time: 300 },
    sdist: () => { throw new Error('there is none') }, onMetadata: async () => undefined, onStep: async () => undefined,
    log: { write: () => undefined, close: async () => undefined }, signal: new AbortController().signal, scratch: await lab.folder(),
  }
  const session = createSession({ engine, clock: systemClock, work })
  const { name, host } = await engine.network()
  lab.onClose(async () => {
    await session.end()
    await engine.sweep()
    await docker(['network', 'rm', name])
  })
  return { session, indexUrl: `http://${host}:${port}/` }
}

/** Other machines are beyond the network, and this machine's other doors beyond what the script may ask. */
async function reachesMuslinAlone(session: Session, indexUrl: string): Promise<void> {
  const gate = createServer((socket) => socket.end('open'))
  await new Promise<void>((resolve) => gate.listen(0, '0.0.0.0', resolve))
  const { port } = gate.address() as { port: number }
  const { hostname, port: own } = new URL(indexUrl)
  const muslin = `${hostname},${own}`
  const others = ['192.0.2.1,80', '1.1.1.1,443', '8.8.8.8,53', 'registry.example,443']
  const doors = [`${hostname},${port}`, `${await bridgeAddress()},${port}`, `127.0.0.1,${own}`]
  try {
    await session.within({ image: BUILDER, network: 'fetch' }, async (box) => {
      await box.put([await script('crates.py'), { name: 'knock.py', body: KNOCK }])
      const knock = async (...places: string[]) => (await box.exec(['python3', `${PLACE}/knock.py`, ...places])).text.trim().split('\n')
      assert.deepEqual(await knock('bare', muslin, ...others), ['open', 'closed', 'closed', 'closed', 'closed'])
      assert.deepEqual(await knock(muslin, muslin, ...others, ...doors), ['open', ...Array<string>(7).fill('nothing but Muslin is asked')])
    })
  } finally {
    await new Promise((resolve) => gate.close(resolve))
  }
}

/** Connects to each place, with the script's guard for the one that it may connect to. */
const KNOCK = `
import socket, sys
import crates
def place(text): return text.split(",")[0], int(text.split(",")[1])
if sys.argv[1] != "bare":
    sys.addaudithook(lambda event, arguments: crates.guard(event, arguments, place(sys.argv[1])))
for text in sys.argv[2:]:
    try:
        socket.create_connection(place(text), 3).close()
        print("open")
    except OSError:
        print("closed")
    except RuntimeError as refusal:
        print(str(refusal).partition(" while")[0])
`

/** `folder` holds what the build container had; this machine's cargo builds from it, if it has one, and a C compiler to link by. */
async function buildOffline(folder: string): Promise<void> {
  const config = `[source.crates-io]\nreplace-with = "muslin"\n[source.muslin]\ndirectory = "${folder}/vendor"\n`
  for (const [name, text] of Object.entries({ ...PROJECT, 'cargo-here/config.toml': config })) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const run = (command: string, args: string[], env: Record<string, string> = {}) => execa(command, args, { cwd: folder, env: cleanEnv(env), extendEnv: false, reject: false, all: true })
  const there = await Promise.all([run('cargo', ['--version']), run('cc', ['--version'])])
  if (there.every(({ exitCode }) => exitCode === 0)) {
    const built = await run('cargo', ['build', '--offline', '--locked'], { CARGO_HOME: join(folder, 'cargo-here'), RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(process.env['HOME'] ?? '', '.rustup') })
    assert.equal(built.exitCode, 0, built.all)
    const { stdout } = await run(join(folder, 'target/debug/demo'), [])
    assert.equal(stdout, 'HELLO')
    console.log(`       ${there[0]?.stdout} built it`)
    return
  }
  console.log('       no cargo here, or no cc: only what it would read is looked at')
  const program = 'import json, os, re\nfor name, version, checksum in re.findall(r\'name = "(\\S+)"\\nversion = "(\\S+)"\\nsource.*\\nchecksum = "(\\w+)"\', open("Cargo.lock").read()):\n'
    + '  crate = f"vendor/{name}-{version}"\n  assert json.load(open(crate + "/.cargo-checksum.json")) == {"files": {}, "package": checksum}\n  assert f\'name = "{name}"\' in open(crate + "/Cargo.toml").read() and os.path.exists(crate + "/src/lib.rs")\nprint("ok")'
  const looked = await run('python3', ['-c', program])
  assert.equal(looked.stdout, 'ok', looked.all)
}
