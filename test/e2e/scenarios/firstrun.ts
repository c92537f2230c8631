/** What a first user does: clone, install, start, test; on a Node too old for us, with PATH and HOME alone. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { ROOT, until, type Check, type Lab } from '../lab.ts'

export default async function firstrun(check: Check, lab: Lab): Promise<void> {
  const folder = await lab.folder()
  const clone = join(folder, 'muslin')
  const path = (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.includes('node_modules')).join(':')
  const env = { PATH: path, HOME: process.env['HOME'] ?? '' }
  await execa('git', ['clone', '-q', ROOT, clone], { env, extendEnv: false })

  await check('the machine has an older Node than ours', async () => {
    const { stdout } = await execa('node', ['--version'], { env, extendEnv: false })
    console.log(`       node ${stdout}`)
    assert.ok(Number(/^v(\d+)/.exec(stdout)?.[1]) < 24, stdout)
  })

  await check('npm install && npm start serves within 2 minutes and says where its upstream and engine come from', async () => {
    const start = Date.now()
    let output = ''
    const child = execa('sh', ['-c', 'npm install && exec npm start'], { cwd: clone, env, extendEnv: false, all: true, reject: false, buffer: false, stdin: 'ignore', detached: true })
    child.all?.on('data', (chunk: Buffer) => { output += chunk.toString() })
    let runs = true
    const ended = child.then(({ exitCode }) => { runs = false; return exitCode })
    try {
      const url = await Promise.race([
        until('the server listens', () => /listening on (\S+)/.exec(output)?.[1], 120),
        ended.then((code) => { throw new Error(`it ended with ${code}:\n${output.slice(-3000)}`) }),
      ])
      const seconds = (Date.now() - start) / 1000
      console.log(`       listening after ${seconds.toFixed(1)} s`)
      console.log(output.split('\n').filter((line) => line && !line.startsWith('npm ') && !line.startsWith('{')).map((line) => `       | ${line.replace(/(token\s+)\S+/i, '$1…').replace(/(https?:\/\/)(?!localhost|127)[^/\s]+/g, '$1…')}`).join('\n'))
      const port = new URL(url).port
      const page = await fetch(`http://127.0.0.1:${port}/simple/six/`)
      assert.equal(page.status, 200)
      assert.ok((Date.now() - start) / 1000 < 120)
      assert.match(output, /upstream .*from .*pip/i)
      assert.match(output, /(builder|engine).*docker/i)
    } finally {
      // Where it ended by itself that is the failure to tell of, not that it cannot be ended again.
      if (runs) process.kill(-(child.pid ?? 0), 'SIGTERM')
      await ended
    }
  })

  await check('npm test passes in under 3 minutes without network and without docker, and leaves nothing', async () => {
    const bin = await pathWithout(['docker'], path, folder)
    const before = await temporary()
    const start = Date.now()
    const run = await execa('unshare', ['-n', 'sh', '-c', 'ip link set lo up && ! command -v docker && npm test'], { cwd: clone, env: { ...env, PATH: bin }, extendEnv: false, all: true, reject: false })
    const seconds = (Date.now() - start) / 1000
    assert.equal(run.exitCode, 0, run.all.slice(-4000))
    const last = run.all.trimEnd().split('\n').pop() ?? ''
    console.log(`       ${last} in ${seconds.toFixed(0)} s`)
    assert.match(last, /^[1-9]\d* passed, 0 failed$/)
    assert.ok(seconds < 180)
    assert.deepEqual((await temporary()).filter((name) => !before.includes(name)), [], 'temporary files are left')
    assert.deepEqual(await processesIn(clone), [], 'processes are left')
  })
}

/** A folder of links to every program on the PATH but those whose name begins with one of these. */
export async function pathWithout(prefixes: string[], path: string, folder: string): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  for (const from of path.split(':')) {
    for (const name of await readdir(from).catch(() => [])) {
      if (!prefixes.some((prefix) => name.startsWith(prefix))) await symlink(join(from, name), join(bin, name)).catch(() => undefined)
    }
  }
  return bin
}

async function temporary(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('muslin'))
}

export async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(folder)) found.push(`${pid} ${line.replaceAll('\0', ' ')}`)
  }
  return found
}
