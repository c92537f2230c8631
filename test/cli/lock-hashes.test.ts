/** The command on the real server over real storage; the worker is the test. */
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/context.ts'
import { encodeText } from '../../src/domain/decode.ts'
import type { ClaimedJob } from '../../src/domain/job.ts'
import { ADMIN_TOKEN, makeRig, type Rig, TARGET } from '../http/rig.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { sha256 } from '../synthetic-upstream.ts'
import { claimOn, startOn } from './on-rig.ts'

let rig: Rig
let cwd: string
let remove: () => Promise<void>
beforeEach(async () => {
  rig = await makeRig()
  for (const project of ['alpha', 'beta']) rig.upstream.project(project, [{ filename: `${project}-1.0.tar.gz`, bytes: Buffer.from(project) }])
  rig.upstream.project('windows', [{ filename: 'windows-1.0-cp313-cp313-win_amd64.whl', bytes: Buffer.from('windows') }])
  await rig.ready()
  ;({ folder: cwd, remove } = await temporaryFolder())
})
afterEach(async () => { await rig.close(); await remove() })

const start = (words: string[], parts: Partial<Context> = {}) => startOn(rig, ['lock-hashes', ...words], { cwd, ...parts })
const claim = () => claimOn(rig)

async function muslin(words: string[], parts: Partial<Context> = {}) {
  const { out, err, exit } = start(words, parts)
  return { exit: await exit, out, err }
}

const publish = (job: ClaimedJob) => rig.publish(job, Buffer.from(`wheel of ${job.project}`), `Metadata-Version: 2.1\nName: ${job.project}\nVersion: 1.0\n`)

async function have(project: string): Promise<void> {
  const body = JSON.stringify({ project })
  await fetch(new URL('/api/v1/jobs', rig.url), { method: 'POST', body, headers: { 'content-type': 'application/json', 'authorization': `Bearer ${ADMIN_TOKEN}` } })
  await publish(await claim())
}

const pin = (project: string, ...more: string[]) => `${project}==1.0 \\\n${[...more, sha256(project)].map((hash) => `    --hash=sha256:${hash}`).join(' \\\n')}\n`
/** A new hash comes before the one that is there: so its line stays as it is. */
const LOCK = `# locked\n${pin('alpha')}${pin('beta')}`
const DONE = `# locked\n${pin('alpha', sha256('wheel of alpha'))}${pin('beta', sha256('wheel of beta'))}`
const wheel = (project: string) => `${project}-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl`

async function file(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(cwd, name), content)
  return join(cwd, name)
}

/** Changes whenever the file is written or replaced. */
async function written(path: string): Promise<{ mtimeMs: number; ino: number }> {
  const { mtimeMs, ino } = await stat(path)
  return { mtimeMs, ino }
}

test('builds what is missing, and adds the hashes; then there is nothing to do', async () => {
  const path = await file('requirements.txt', LOCK)
  await chmod(path, 0o640)
  const { out, err, exit } = start(['requirements.txt'])
  for (let builds = 0; builds < 2; builds += 1) await publish(await claim())
  expect(await exit).toBe(0)
  expect(await readFile(path, 'utf8')).toBe(DONE)
  expect((await stat(path)).mode & 0o7777).toBe(0o640)
  expect(await readdir(cwd)).toEqual(['requirements.txt'])
  expect(out[0]).toBe('prebuild 1 of requirements.txt: 2 to build, 0 there already')
  expect(out.slice(-3)).toEqual(['requirements.txt: 2 hashes added', `  added  alpha  1.0  ${TARGET}  ${wheel('alpha')} (line 2)`, `  added  beta   1.0  ${TARGET}  ${wheel('beta')} (line 4)`])
  expect(err.filter((line) => line.startsWith('built'))).toHaveLength(2)

  const before = await written(path)
  expect(await muslin(['requirements.txt'], { env: { MUSLIN_SERVER: rig.url } }), 'without a token').toEqual({ exit: 0, err: [], out: ['requirements.txt: no hash was missing'] })
  expect(await written(path)).toEqual(before)
})

test('what was built is added although another build failed', async () => {
  const path = await file('requirements.txt', LOCK)
  const { out, exit } = start(['requirements.txt'])
  const first = await claim()
  await publish(first)
  await rig.fail(await claim(), { class: 'missing-header', key: 'ffi.h' })
  expect(await exit).toBe(2)
  expect(await readFile(path, 'utf8')).toContain(sha256(`wheel of ${first.project}`))
  expect(out.join('\n')).toMatch(/requirements\.txt: 1 hash added\n {2}added .*\n {2}cannot .*needs header ffi\.h/)
})

test('what cannot be had ends with 2, unless that is allowed', async () => {
  await have('alpha')
  await file('requirements.txt', pin('alpha') + pin('windows'))
  const { exit, out } = await muslin(['requirements.txt', '--allow-missing'])
  expect([exit, out[0]]).toEqual([0, 'requirements.txt: 1 hash added'])
  expect(await muslin(['requirements.txt'])).toMatchObject({ exit: 2, out: ['requirements.txt: no hash was missing', expect.stringMatching(/^ {2}cannot {2}windows {2}1\.0 /)] })
})

describe('--check', () => {
  test('tells each hash that is missing, and builds and writes nothing', async () => {
    await have('alpha')
    const path = await file('requirements.txt', LOCK)
    const before = await written(path)
    const { exit, out, err } = await muslin(['requirements.txt', '--check'])
    expect({ exit, out, err }).toEqual({
      exit: 2,
      out: ['requirements.txt: 2 hashes are missing', `  missing    alpha  1.0  ${TARGET}  ${wheel('alpha')} (line 2)`, `  not built  beta   1.0  ${TARGET}  ${wheel('beta')} (line 4)`],
      err: ['muslin: 2 hashes are missing; muslin lock-hashes requirements.txt adds them'],
    })
    expect(await written(path)).toEqual(before)
    expect(await rig.store.jobs.count('queued')).toBe(0)
  })

  test('counts by file, and names a command that does it', async () => {
    await have('alpha')
    await file('my lock.txt', LOCK)
    await file('other.txt', LOCK)
    const { exit, out, err } = await muslin(['my lock.txt', 'other.txt', '--check', '--target', TARGET, '--extra', 'x', '--group', 'dev'])
    expect([exit, out.filter((line) => !line.startsWith(' '))]).toEqual([2, ['my lock.txt: 2 hashes are missing', 'other.txt: 2 hashes are missing']])
    expect(err).toEqual([`muslin: 4 hashes are missing; muslin lock-hashes --target ${TARGET} --extra x --group dev 'my lock.txt' other.txt adds them`])
  })

  test('names no command for standard input, which has no file', async () => {
    await have('alpha')
    const read = async () => Buffer.from(LOCK)
    expect(await muslin(['-', '--check'], { read })).toMatchObject({ exit: 2, err: ['muslin: 2 hashes are missing'] })
    await file('other.txt', LOCK)
    expect(await muslin(['-', 'other.txt', '--check'], { read })).toMatchObject({ exit: 2, err: ['muslin: 4 hashes are missing; muslin lock-hashes other.txt adds them'] })
  })

  test('ends with 0 where none is, whatever cannot be had', async () => {
    await have('alpha')
    await file('requirements.txt', pin('alpha', sha256('wheel of alpha')) + pin('windows'))
    const { exit, out, err } = await muslin(['requirements.txt', '--check'])
    expect([exit, err, out]).toEqual([0, [], ['requirements.txt: no hash is missing', expect.stringContaining('cannot  windows')]])
  })

  test('--json is one document', async () => {
    await have('alpha')
    await file('requirements.txt', pin('alpha'))
    const { exit, out } = await muslin(['requirements.txt', '--check', '--json'])
    expect([exit, JSON.parse(out.join('\n'))]).toEqual([2, {
      targets: [TARGET], files: [{ name: 'requirements.txt', kind: 'requirements', added: 1, roots: [], note: null, written: null }],
      lines: [expect.objectContaining({ project: 'alpha', state: 'added', sha256: sha256('wheel of alpha') })],
    }])
  })
})

test('a file without hashes among others is told, and keeps nothing from them', async () => {
  await have('alpha')
  await file('plain.txt', 'alpha==1.0\nbeta==1.0\n')
  const path = await file('requirements.txt', pin('alpha'))
  const plain = 'plain.txt: it has no hashes, so none is missing: by it installers take our wheels as they are'
  expect((await muslin(['plain.txt', 'requirements.txt', '--check']))).toMatchObject({ exit: 2, err: [expect.stringMatching(/^muslin: 1 hash is missing/)], out: [plain, 'requirements.txt: 1 hash is missing', expect.anything()] })
  const { exit, out } = await muslin(['plain.txt', 'requirements.txt'])
  expect([exit, out[0], await readFile(path, 'utf8')]).toEqual([0, plain, pin('alpha', sha256('wheel of alpha'))])
  expect(await readFile(join(cwd, 'plain.txt'), 'utf8')).toBe('alpha==1.0\nbeta==1.0\n')
  expect(await rig.store.jobs.count('queued')).toBe(0)
})

test('what keeps a hash from another place of the lock is told', async () => {
  await have('alpha')
  await file('requirements.txt', pin('alpha') + pin('alpha').replaceAll(sha256('alpha'), sha256('another')))
  const { exit, out } = await muslin(['requirements.txt'])
  expect([exit, out]).toEqual([0, ['requirements.txt: 1 hash added', expect.stringMatching(/ {2}added {2}alpha .*\(line 1\); not wherever the lock has it: the lock names no sdist that alpha-1\.0-1-.* was built from$/)]])
})

describe('every other byte stays', () => {
  beforeEach(() => have('alpha'))

  test.each(['utf-8', 'utf-8-marked', 'utf-16le', 'utf-16be'] as const)('in %s with line ends of Windows, tabs and colours', async (form) => {
    const odd = (text: string) => encodeText(`# \x1b[31mé\t\u{1f600}\r\n${text.replaceAll('\n', '\r\n')}`, form)
    const path = await file('requirements.txt', odd(pin('alpha')))
    expect((await muslin(['requirements.txt'])).exit).toBe(0)
    expect(await readFile(path)).toEqual(Buffer.from(odd(pin('alpha', sha256('wheel of alpha')))))
  })

  test('a link stays one', async () => {
    const path = await file('real.txt', pin('alpha'))
    await symlink('real.txt', join(cwd, 'requirements.txt'))
    expect((await muslin(['requirements.txt'])).exit).toBe(0)
    expect((await lstat(join(cwd, 'requirements.txt'))).isSymbolicLink()).toBe(true)
    expect(await readFile(path, 'utf8')).toBe(pin('alpha', sha256('wheel of alpha')))
  })
})

describe('--output', () => {
  beforeEach(() => have('alpha'))

  test('is written in the place of the lock', async () => {
    const path = await file('requirements.txt', pin('alpha'))
    const { exit, out } = await muslin(['requirements.txt', '--output', 'new.txt', '--json'])
    expect([exit, JSON.parse(out.join('\n')).files[0].written]).toEqual([0, join(cwd, 'new.txt')])
    expect(await readFile(path, 'utf8')).toBe(pin('alpha'))
    expect(await readFile(join(cwd, 'new.txt'), 'utf8')).toBe(pin('alpha', sha256('wheel of alpha')))
  })

  test('takes what standard input holds', async () => {
    const { exit } = await muslin(['-', '--output', 'new.txt'], { read: async () => Buffer.from(pin('alpha')) })
    expect([exit, await readFile(join(cwd, 'new.txt'), 'utf8')]).toEqual([0, pin('alpha', sha256('wheel of alpha'))])
  })

  test('that cannot be written is told, and nothing is left behind', async () => {
    await file('requirements.txt', pin('alpha'))
    expect(await muslin(['requirements.txt', '--output', 'absent/new.txt'])).toMatchObject({ exit: 3, err: [expect.stringMatching(/absent\/new\.txt cannot be written \(ENOENT\); check that its folder is there/)] })
    expect(await readdir(cwd)).toEqual(['requirements.txt'])
  })
})

test('URLs that no other machine reaches are told', async () => {
  await have('alpha')
  await file('uv.lock', `version = 1\n\n[[package]]\nname = "x"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [{ name = "alpha" }]\n\n[[package]]\nname = "alpha"\nversion = "1.0"\nsource = { registry = "https://upstream.example/simple" }\nsdist = { url = "https://upstream.example/alpha-1.0.tar.gz", hash = "sha256:${sha256('alpha')}" }\n`)
  const { exit, out, err } = await muslin(['uv.lock'])
  expect([exit, out[0]]).toEqual([0, `uv.lock: 1 hash added, with URLs under ${rig.url}/`])
  expect(err).toEqual([expect.stringMatching(/^muslin: the URLs that uv\.lock got are under http:\/\/127\.0\.0\.1:\d+\/, which no other machine reaches; .*publicUrl/)])
})

describe('is refused, and nothing is built or written', () => {
  test.each([
    [['plain.txt'], /plain\.txt: it has no hashes, so none is missing/],
    [['pyproject.toml'], /it is no lock/],
    [['new.lock'], /version 9 of its format/],
    [['absent.txt'], /absent\.txt cannot be read \(ENOENT\)/],
    [['plain.txt', 'new.lock', '--output', 'x'], /--output is for one lock/],
    [['-'], /name one by --output/],
  ])('%j', async (words, said) => {
    await file('plain.txt', 'alpha==1.0\n')
    await file('pyproject.toml', '')
    await file('new.lock', 'version = 9\n[[package]]\nname = "a"\n')
    const folder = await readdir(cwd)
    const { exit, out, err } = await muslin(words, { read: async () => Buffer.from(pin('alpha')) })
    expect([exit, out]).toEqual([3, []])
    expect(err.join('\n')).toMatch(said)
    expect(await rig.store.jobs.list()).toEqual([])
    expect(await readdir(cwd)).toEqual(folder)
  })
})
