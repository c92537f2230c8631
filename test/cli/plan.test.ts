import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/context.ts'
import { run } from '../../src/main.ts'
import { temporaryFolder } from '../storage/folder.ts'
import { testContext } from './context.ts'
import { plan, planLine, prebuild, prebuildLine, TARGET } from './samples.ts'
import { events, type ScriptedServer, scriptedServer } from './scripted-server.ts'

let server: ScriptedServer
let cwd: string
let remove: () => Promise<void>
beforeEach(async () => {
  server = await scriptedServer()
  ;({ folder: cwd, remove } = await temporaryFolder())
  await writeFile(join(cwd, 'requirements.txt'), 'lxml==5.3.0\n')
})
afterEach(async () => { await server.close(); await remove() })

async function muslin(words: string[], parts: Partial<Context> = {}) {
  const context = testContext({ cwd, ...parts })
  const exit = await run([...words, '--server', server.url], context)
  return { exit, out: context.printed, err: context.warned }
}

const CANNOT = planLine({ project: 'nope', verdict: 'cannot', why: 'has no sdist', remedy: 'ask the project', estimateSeconds: null, sdist: null, line: 4 })

describe('plan', () => {
  test('is a table by verdict, what needs a look last', async () => {
    server.on('POST /api/v1/plan', { json: plan([
      planLine(), CANNOT, planLine({ project: 'numpy', version: '2.0', verdict: 'upstream-wheel', filename: 'numpy-2.0.whl' }), planLine({ project: 'cffi', verdict: 'built', filename: 'cffi.whl' }),
    ]) })
    expect(await muslin(['plan', 'requirements.txt'])).toEqual({ exit: 0, err: [], out: [
      'requirements.txt: 4 pins (requirements)', `1 target: ${TARGET}`,
      '', 'upstream wheel: 1', `  numpy  2.0    ${TARGET}         numpy-2.0.whl`,
      '', 'built: 1', `  cffi   5.3.0  ${TARGET}         cffi.whl`,
      '', 'would build: 1, about 2 min 5 s in all', `  lxml   5.3.0  ${TARGET}  ~40 s  lxml-5.3.0.tar.gz`,
      '', 'cannot: 1', `  nope   5.3.0  ${TARGET}         has no sdist — ask the project (requirements.txt, line 4)`,
    ] })
  })

  test('--check ends with 2 where something cannot be had, and says why', async () => {
    server.on('POST /api/v1/plan', { json: plan([planLine(), CANNOT, CANNOT]) }, { json: plan([planLine(), CANNOT]) }, { json: plan([planLine()]) })
    expect(await muslin(['plan', 'requirements.txt', '--check'])).toMatchObject({ exit: 2, err: ['muslin: 1 cannot be had: has no sdist'], out: expect.arrayContaining(['cannot: 2']) })
    const asJson = await muslin(['plan', 'requirements.txt', '--check', '--json'])
    expect([asJson.exit, JSON.parse(asJson.out.join('\n'))]).toEqual([2, plan([planLine(), CANNOT])])
    expect(await muslin(['plan', 'requirements.txt', '--check'])).toMatchObject({ exit: 0, err: [] })
  })

  test('--runtime-apks ends with a line for a shell that holds names of apks alone', async () => {
    server.on('POST /api/v1/plan', { json: plan([planLine({ verdict: 'built', runtimeApks: ['zlib', '$(reboot)', 'a b', 'libstdc++'] }), planLine({ verdict: 'built', project: 'odd', runtimeApks: ['; id'] })]) })
    const { out } = await muslin(['plan', 'requirements.txt', '--runtime-apks'])
    expect(out.slice(-4)).toEqual(['needed where it runs: 2 apks', `  lxml  5.3.0  ${TARGET}  zlib libstdc++`, '', 'apk add libstdc++ zlib'])
  })

  test('sends files, standard input under its name, and what the flags say', async () => {
    server.on('POST /api/v1/plan', { json: plan([]) })
    const words = ['plan', 'requirements.txt', '-', '--name', 'sub/uv.lock', '--target', TARGET, '--extra', 'a', '--extra', 'b', '--group', 'dev', '--json']
    const { exit, out } = await muslin(words, { read: async () => Buffer.from('version = 1\n') })
    expect(exit).toBe(0)
    expect(JSON.parse(out.join('\n'))).toEqual(plan([]))
    expect(JSON.parse(server.asked[0]!.body)).toEqual({
      files: [{ name: 'requirements.txt', text: 'lxml==5.3.0\n' }, { name: 'uv.lock', text: 'version = 1\n' }], targets: [TARGET], extras: ['a', 'b'], groups: ['dev'],
    })
  })

  test('reads UTF-16, and names files of several folders by their paths', async () => {
    server.on('POST /api/v1/plan', { json: plan([]) })
    for (const folder of ['a', 'b']) await mkdir(join(cwd, folder))
    await writeFile(join(cwd, 'a/requirements.txt'), Buffer.from('\ufefflxml==5.3.0\r\n', 'utf16le'))
    await writeFile(join(cwd, 'b/requirements.txt'), '-r ../a/requirements.txt\n')
    const read = async () => Buffer.from('\ufeffcffi==1\r\n', 'utf16le')
    expect(await muslin(['plan', 'requirements.txt', '../b/requirements.txt', '../a/requirements.txt', '-'], { cwd: join(cwd, 'a'), read })).toMatchObject({ exit: 0 })
    expect(JSON.parse(server.asked[0]!.body)).toEqual({ files: [
      { name: 'requirements.txt', text: 'lxml==5.3.0\r\n' }, { name: '../b/requirements.txt', text: '-r ../a/requirements.txt\n' }, { name: 'requirements.txt', text: 'cffi==1\r\n' },
    ] })
  })

  test('what is no text is refused here', async () => {
    await writeFile(join(cwd, 'a.whl'), Buffer.from([0x50, 0x4b, 3, 4, 0xff]))
    expect(await muslin(['plan', 'a.whl'])).toMatchObject({ exit: 3, err: [expect.stringContaining('a.whl is no text in UTF-8 or UTF-16')] })
  })

  test.each([
    [['plan'], /missing required argument 'FILE'/],
    [['plan', 'absent.txt'], /The lock file cannot be used: absent\.txt cannot be read \(ENOENT\); check the path/],
  ])('%j is a usage error', async (words, said) => {
    expect(await muslin(words)).toMatchObject({ exit: 3, out: [], err: [expect.stringMatching(said)] })
    expect(server.asked).toEqual([])
  })
})

describe('prebuild', () => {
  const had = prebuildLine({ project: 'numpy', verdict: 'upstream-wheel', state: 'had' })
  const a = prebuildLine({ project: 'aaa', job: 1 })
  const b = prebuildLine({ project: 'bbb', job: 2 })
  const aBuilt = { ...a, state: 'built', seconds: 41, build: 5 } as const
  const bFailed = { ...b, state: 'failed', seconds: 4, build: 6, failure: { class: 'x', cause: 'needs header ffi.h', remedy: 'add it', apks: [] as string[], job: null } } as const

  test('tells what it queued, and where it is shown', async () => {
    server.on('POST /api/v1/prebuilds', { status: 201, json: prebuild([had, a, b, { ...CANNOT, state: 'cannot', build: null, failure: null, seconds: null }]) })
    expect(await muslin(['prebuild', 'requirements.txt'])).toEqual({ exit: 0, err: [], out: [
      'prebuild 3 of requirements.txt: 2 to build, 1 there already, 1 cannot be had:',
      `cannot  nope  5.3.0  ${TARGET}  has no sdist — ask the project`, `${server.url}/ui/prebuilds/3`,
      'prebuild 3: 2 builds queued, 1 cannot be had: has no sdist',
    ] })
  })

  function script(...states: ReturnType<typeof prebuild>[]) {
    server.on('GET /api/v1/events', events([]))
    server.on('POST /api/v1/prebuilds', { status: 201, json: states[0] })
    server.on('GET /api/v1/prebuilds/3', ...states.map((json) => ({ json })))
  }

  test('--wait tells each build that ended once, and ends with 2 where one failed', async () => {
    script(prebuild([had, a, b]), prebuild([had, aBuilt, { ...b, state: 'running' }]), prebuild([had, aBuilt, bFailed]))
    const { exit, out, err } = await muslin(['prebuild', 'requirements.txt', '--wait'])
    expect(exit).toBe(2)
    expect(err).toEqual([`built  aaa 5.3.0 for ${TARGET} in 41 s`, `failed  bbb 5.3.0 for ${TARGET} in 4 s: needs header ffi.h`])
    expect(out.slice(2)).toEqual([
      `failed  bbb 5.3.0 for ${TARGET} in 4 s: needs header ffi.h`, '  remedy  add it', `  log     ${server.url}/b/6`, '  again   muslin retry 2 --follow',
      'prebuild 3: 1 of 2 built, 1 failed',
    ])
  })

  test('--wait draws a bar on a terminal, and takes it away', async () => {
    script(prebuild([had, a, b]), prebuild([had, aBuilt, { ...b, state: 'running' }]), prebuild([had, aBuilt, { ...b, state: 'built' }]))
    let drawn = ''
    const { exit, err } = await muslin(['prebuild', 'requirements.txt', '--wait'], { draw: (text) => { drawn += text }, terminal: { output: true, error: true, columns: () => 60 } })
    expect(exit).toBe(0)
    expect(err).toEqual([])
    expect(drawn.split('\r\x1b[2K').slice(1, -1).filter((text) => text !== '')).toEqual([
      '[------------------------] 0/2, about 2 min 5 s left', '[############------------] 1/2, about 2 min 5 s left, no...', '[########################] 2/2',
    ])
    expect(drawn).toMatch(/\r\x1b\[2K$/)
  })

  test('--json is one document, the last state', async () => {
    script(prebuild([a]), prebuild([aBuilt]))
    const { out } = await muslin(['prebuild', 'requirements.txt', '--wait', '--json'])
    expect(JSON.parse(out.join('\n'))).toEqual(prebuild([aBuilt]))
  })

  describe('what cannot be had', () => {
    const cannot = (project: string, why: string) => prebuildLine({ project, verdict: 'cannot', state: 'cannot', why, remedy: 'r', job: null })
    const none = [cannot('a', 'no builder is ready'), cannot('b', 'has no sdist'), cannot('c', 'no builder is ready'), cannot('c', 'no builder is ready')]

    test.each([[['--wait'], 2], [[], 0], [['--wait', '--allow-missing'], 0]])('%j ends with %i, and says the causes', async (words, exit) => {
      script(prebuild(none))
      const ended = await muslin(['prebuild', 'requirements.txt', ...words])
      expect(ended).toMatchObject({ exit, err: [] })
      expect(ended.out.at(-1)).toBe('prebuild 3: nothing is built, 3 cannot be had: no builder is ready (2); has no sdist')
      expect(server.asked).toHaveLength(1)
    })

    test.each([[['--wait'], 2], [['--wait', '--allow-missing'], 0]])('beside what was built: %j ends with %i', async (words, exit) => {
      script(prebuild([a, ...none.slice(0, 1)]), prebuild([aBuilt, ...none.slice(0, 1)]))
      const ended = await muslin(['prebuild', 'requirements.txt', ...words])
      expect([ended.exit, ended.out.at(-1)]).toEqual([exit, 'prebuild 3: 1 of 1 built, 1 cannot be had: no builder is ready'])
    })

    test('does not hide a build that failed, now or before', async () => {
      script(prebuild([had, { ...cannot('d', 'its build failed before'), job: 7 }]))
      const { exit, out } = await muslin(['prebuild', 'requirements.txt', '--wait', '--allow-missing'])
      expect([exit, out[1]]).toEqual([2, `cannot  d  5.3.0  ${TARGET}  its build failed before — r; muslin retry 7 --follow tries it again`])
      script(prebuild([b, ...none]), prebuild([bFailed, ...none]))
      expect(await muslin(['prebuild', 'requirements.txt', '--wait', '--allow-missing'])).toMatchObject({ exit: 2 })
    })

    test('is told by three causes at most', async () => {
      script(prebuild(['1', '2', '3', '4', '5'].map((n) => cannot(n, `cause ${n}`))))
      expect((await muslin(['prebuild', 'requirements.txt'])).out.at(-1)).toMatch(/cause 1; cause 2; cause 3; and 2 other causes$/)
    })
  })

  test('with nothing to build waits for nothing', async () => {
    script(prebuild([had]))
    expect((await muslin(['prebuild', 'requirements.txt', '--wait'])).out.at(-1)).toBe('prebuild 3: there was nothing to build')
    expect(server.asked).toHaveLength(1)
  })
})
