/** The embedded engine in each kind of box, as root and as a plain user: the port's contract, the hostile setup.py, and bombs. */
import assert from 'node:assert/strict'
import { access, chmod, chown, constants, mkdir, readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { FORKS, marked, printTable, SECRET, type Row } from '../hostile/attempts.ts'
import { cleanEnv, NODE, ROOT, until, type Check, type Lab } from '../lab.ts'

/** Nobody's on any machine. */
const PLAIN = 54321
const OUTSIDE = ['/etc', '/usr/local/lib', '/root', '/']

/** As some terminals and service managers leave them: open in the server, beyond a gap. */
const OPEN = [20, 200]
/** Starts a program with a key in its session, and with open files that lead to the machine's root. */
const LEAKY = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
join, add = (250, 248) if os.uname().machine == "x86_64" else (219, 217)
libc.syscall(ctypes.c_long(join), ctypes.c_long(1), None)
secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
libc.syscall(ctypes.c_long(add), b"user", b"login-of-the-server", secret, ctypes.c_long(len(secret)), ctypes.c_long(-3))
root = os.open("/", os.O_RDONLY)
for number in map(int, sys.argv[1].split(",")):
    os.dup2(root, number)
os.execvp(sys.argv[2], sys.argv[2:])
`

interface Who { name: string; uid: number | undefined; folder: string; python: string }

export default async function embedded(check: Check, lab: Lab): Promise<void> {
  const gate = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => gate.listen(0, '0.0.0.0', resolve))
  lab.onClose(() => new Promise((resolve) => gate.close(() => resolve())))
  const address = gate.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const own = Object.values(networkInterfaces()).flat().filter((face) => face?.family === 'IPv4').map((face) => face?.address ?? '')
  const gates = own.slice(0, 2).map((host) => [host, port])
  const folder = await lab.folder()
  await chmod(folder, 0o755)
  const rows: Row[] = []

  for (const who of await users(folder)) {
    for (const how of ['bubblewrap', 'unshare']) {
      const mark = `muslin_hostile_${process.pid}_${how}_${who.name.replace(' ', '_')}`
      const plan = { mark, secret: SECRET, gates, outside: [...OUTSIDE, who.folder], forks: FORKS, sleep: 600, open: OPEN }
      await relay(check, rows, who, how, 'contract')
      await relay(check, rows, who, how, 'hostile', JSON.stringify(plan))
      await relay(check, rows, who, how, 'limits', JSON.stringify({ ...plan, mark: `${mark}_limits` }))
      await check(`${how} as ${who.name}: nothing outlives a server that is killed, and the next one removes its folder`, () => killed(who, how, `${mark}_killed`))
    }
    // Only root can do all that the setup.py tries.
    if (who.uid !== undefined || process.getuid?.() !== 0) continue
    await relay(check, rows, who, 'none', 'hostile', JSON.stringify({ mark: `muslin_hostile_${process.pid}_none`, secret: SECRET, gates, outside: OUTSIDE, forks: FORKS, sleep: 2, open: OPEN }))
  }
  await check('no folder of a run remains', async () => {
    for (const name of await readdir(folder)) {
      const left = await readdir(join(folder, name, 'runs')).catch(() => [])
      if (left.length > 0) throw new Error(`${name}: ${left.join(' ')}`)
    }
  })
  printTable(rows)
}

/** Whoever runs the test; where that is root, a plain user as well. Each with a folder and a Python that it may read. */
async function users(folder: string): Promise<Who[]> {
  const root = process.getuid?.() === 0
  const found: Who[] = [{ name: root ? 'root' : 'plain user', uid: undefined, folder: join(folder, 'own'), python: await pythonOf('python3') }]
  if (root) found.push({ name: 'plain user', uid: PLAIN, folder: join(folder, 'plain'), python: '/usr/bin/python3' })
  for (const who of found) {
    await mkdir(join(who.folder, 'runs'), { recursive: true })
    if (who.uid === undefined) continue
    for (const path of [who.folder, join(who.folder, 'runs')]) await chown(path, who.uid, who.uid)
    await access(who.python, constants.X_OK).catch(() => { throw new Error('the plain user needs a Python that it may read. On Debian: apt-get install python3') })
  }
  return found
}

/** The real program behind a name, where a shim stands in its place. */
async function pythonOf(name: string): Promise<string> {
  const { stdout } = await execa(name, ['-c', 'import os, sys; print(os.path.realpath(sys.executable))'], { env: cleanEnv(), extendEnv: false })
  return stdout
}

function program(who: Who, what: string, how: string): string[] {
  const command = [who.python, '-c', LEAKY, OPEN.join(','), NODE, join(ROOT, 'test/e2e/embedded/as-user.ts'), what, how, join(who.folder, 'runs'), who.python]
  return who.uid === undefined ? command : ['setpriv', `--reuid=${who.uid}`, `--regid=${who.uid}`, '--clear-groups', '--', ...command]
}

/** What a build must not read is in the server's own environment. The input is no argument: by its mark it would be found as what remains. */
function start(who: Who, what: string, how: string, input: string) {
  const [file = '', ...args] = program(who, what, how)
  const env = { ...cleanEnv({ AWS_SECRET_ACCESS_KEY: SECRET, DATABASE_PASSWORD: SECRET }), HOME: who.folder }
  return execa(file, args, { env, extendEnv: false, reject: false, cwd: '/', timeout: 200_000, input })
}

async function killed(who: Who, how: string, mark: string): Promise<void> {
  const server = start(who, 'run', how, mark)
  let said = ''
  server.stdout.on('data', (chunk: Buffer) => { said += chunk.toString() })
  await until('the run is up', () => (said.includes('"up"') ? true : undefined), 20)
  assert.ok((await marked(mark)).length >= 2)
  const groups = await groupsIn(join(who.folder, 'runs'))
  server.kill('SIGKILL')
  await server
  await until('nothing runs on', async () => ((await marked(mark)).length === 0 ? true : undefined), 5)
  assert.match((await start(who, 'sweep', how, '')).stdout, /"swept":1\b/)
  assert.deepEqual(await readdir(join(who.folder, 'runs')), [])
  for (const group of groups) await assert.rejects(access(group), { code: 'ENOENT' })
}

/** Control groups of the runs in a folder, as far as they have some. */
async function groupsIn(runs: string): Promise<string[]> {
  const found = await Promise.all((await readdir(runs)).map(async (run) => JSON.parse(await readFile(join(runs, run, 'group.json'), 'utf8').catch(() => '[]')) as string[]))
  for (const group of found.flat()) await access(group)
  return found.flat()
}

async function relay(check: Check, rows: Row[], who: Who, how: string, what: string, plan = '{}'): Promise<void> {
  const { stdout, stderr, exitCode } = await start(who, what, how, plan)
  const name = `${how} as ${who.name}`
  let checks = 0
  for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
    const told = JSON.parse(line) as { check?: string; error?: string; seconds?: number; row?: Row }
    if (told.row) rows.push([told.row[0], told.row[1], `${name}: ${told.row[2]}`])
    if (told.check === undefined) continue
    checks++
    await check(`${name}: ${told.check} (${told.seconds} s)`, async () => { if (told.error !== undefined) throw new Error(told.error) })
  }
  await check(`${name}: the ${what} ran to its end`, async () => { if (exitCode !== 0 || checks === 0) throw new Error(`exit code ${exitCode}\n${stderr}\n${stdout.slice(-2000)}`) })
}
