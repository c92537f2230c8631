/** Locks with hashes that real tools made against the plain upstream: clients compile by them, until our wheels' hashes are added. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { assertAdded, NO_COMPILER, type Wheel } from '../added-lines.ts'
import { bridgeAddress, CLEAN, cleanEnv, docker, LABEL, NODE, ROOT, TARGET, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'

/** Two sdists that do not install without a compiler, and a wheel for all. */
const DIRECT = ['xxhash==1.4.4', 'mmh3==2.5.1', 'idna==3.10']
const PROJECT = `[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.13,<3.14"
dependencies = [${DIRECT.map((text) => `"${text}"`).join(', ')}]
[tool.uv]
package = false
`
const LOCKS = [
  { file: 'compiled.txt', tool: 'pip-compile', install: 'python3 -m venv --without-pip /env && pip --python /env/bin/python install --require-hashes -r compiled.txt' },
  { file: 'pylock.toml', tool: 'pip lock', install: 'python3 -m venv --without-pip /env && /tools/bin/pip --python /env/bin/python install -r pylock.toml' },
  { file: 'uv.lock', tool: 'uv', install: 'UV_PROJECT_ENVIRONMENT=/env uv sync --frozen' },
]

export default async function lockHashes(check: Check, lab: Lab): Promise<void> {
  const host = await bridgeAddress()
  const relay = await startRelay({ host })
  lab.onClose(() => relay.close())
  const muslin = await lab.muslin({ upstream: relay.url })
  const url = `http://${host}:${muslin.port}`
  const folder = await lab.folder()
  const box = await startBox(lab, host)
  const upstream = (command: string) => box(`export PIP_INDEX_URL=${relay.url} UV_DEFAULT_INDEX=${relay.url}; ${command}`)
  const ours = (command: string) => box(`export PIP_INDEX_URL=${url}/simple/ UV_DEFAULT_INDEX=${url}/simple/; ${command}`)
  const builds = () => muslin.jobs().filter(({ kind }) => kind === 'build').map(({ project, state, attempts }) => `${project} ${state} ${attempts}`).sort()
  const before = new Map<string, string>()

  await check('real tools lock against the upstream', async () => {
    await sound(upstream('python3 -m venv --without-pip /tools && pip --python /tools/bin/python install -q --no-cache-dir --no-compile pip pip-tools setuptools uv'))
    await sound(upstream(`cat > pyproject.toml <<'EOF'\n${PROJECT}EOF\nprintf '%s\\n' ${DIRECT.map((text) => `'${text}'`).join(' ')} > requirements.in`))
    await sound(upstream('pip-compile -q --no-build-isolation --generate-hashes --no-emit-index-url -o compiled.txt requirements.in && /tools/bin/pip lock -q --no-build-isolation -r requirements.in -o pylock.toml && uv lock -q --no-build-isolation --python /tools/bin/python'))
    for (const { file } of LOCKS) before.set(file, await sound(box(`cat ${file}`)))
  })
  for (const { file, tool, install } of LOCKS) {
    await check(`${file} of ${tool}: without a compiler nothing is installed by it, from the upstream or from here`, async () => {
      for (const from of [upstream, ours]) {
        const { code, output } = await from(`rm -rf /env && ${install}`)
        assert.notEqual(code, 0, output)
        assert.match(output, /xxhash|mmh3/)
        assert.match(output, NO_COMPILER, output.slice(-3000))
      }
    })
  }
  for (const { file, install } of LOCKS) {
    await check(`muslin lock-hashes ${file}: only lines come, it installs what they name, and a second run adds nothing`, async () => {
      const path = join(folder, file)
      await writeFile(path, before.get(file)!)
      assert.equal((await muslinCommand(muslin.data, url, ['lock-hashes', '--check', path])).exitCode, 2)
      const first = await muslinCommand(muslin.data, url, ['lock-hashes', path])
      assert.equal(first.exitCode, 0, first.all)
      const after = await readFile(path, 'utf8')
      const wheels = await Promise.all(['xxhash-1.4.4', 'mmh3-2.5.1'].map((release) => wheelOf(url, release)))
      for (const line of assertAdded(path, before.get(file)!, after, wheels, url)) console.log(`       + ${line.trim().slice(0, 110)}`)
      assert.equal((await muslinCommand(muslin.data, url, ['lock-hashes', '--check', path])).exitCode, 0)
      assert.equal((await muslinCommand(muslin.data, url, ['lock-hashes', path])).exitCode, 0)
      assert.equal(await readFile(path, 'utf8'), after)
      await sound(box(`cat > ${file}`, after))
      const jobs = builds()
      await sound(ours(`rm -rf /env && ${install} && /env/bin/python -c 'import xxhash, mmh3; print(xxhash.xxh64(b"x").hexdigest(), mmh3.hash("x"))'`))
      assert.deepEqual(builds(), jobs)
    })
  }
  await check('each was built once, for all of them', async () => assert.deepEqual(builds(), ['mmh3 built 1', 'xxhash built 1']))
}

async function muslinCommand(data: string, url: string, args: string[]) {
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim()
  return execa(NODE, [join(ROOT, 'src/main.ts'), ...args, '--target', TARGET, '--server', url, '--token', token], { env: cleanEnv(), extendEnv: false, reject: false, all: true, stdin: 'ignore' })
}

/** The first wheel that was built of a release. */
async function wheelOf(url: string, release: string): Promise<Wheel> {
  const page = (await (await fetch(`${url}/finished/simple/${release.split('-')[0]}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })).json()) as { files: { filename: string; hashes: { sha256: string } }[] }
  const ours = page.files.find(({ filename }) => filename.startsWith(`${release}-1-`))
  assert.ok(ours, `nothing was built of ${release}`)
  return { filename: ours.filename, sha256: ours.hashes.sha256 }
}

interface Ran { code: number; output: string }

/** What a command that must work printed. */
async function sound(ran: Promise<Ran>): Promise<string> {
  const { code, output } = await ran
  assert.equal(code, 0, output.slice(-3000))
  return output
}

/** A musl container without a compiler. */
async function startBox(lab: Lab, host: string): Promise<(command: string, input?: string) => Promise<Ran>> {
  const env = {
    PATH: '/tools/bin:/usr/local/bin:/usr/bin:/bin', PIP_TRUSTED_HOST: host, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore', PIP_NO_CACHE_DIR: '1',
    UV_PYTHON_DOWNLOADS: 'never', UV_LINK_MODE: 'copy', UV_NO_CACHE: '1',
  }
  const flags = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const id = await docker(['run', '-d', '--init', '--label', LABEL, ...flags, '--workdir', '/project', CLEAN, 'sleep', '3600'])
  lab.onClose(async () => { await docker(['rm', '-f', id]) })
  return async (command, input) => {
    const { exitCode, all } = await execa('docker', ['exec', ...(input === undefined ? [] : ['-i']), id, 'sh', '-c', command], {
      env: cleanEnv(), extendEnv: false, reject: false, all: true, timeout: 300_000, ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    })
    return { code: exitCode ?? -1, output: all }
  }
}
