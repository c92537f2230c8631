import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseUserAgent } from '../../src/domain/client.ts'
import { viewRows } from '../../tools/promise-views.ts'
import { JSON_V1 } from '../synthetic-upstream.ts'
import { AGENTS, makeRig, type Rig, TARGET } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig()
  rig.upstream.project('cffi', [
    { filename: 'cffi-1.17.tar.gz', bytes: Buffer.from('the sdist') },
    { filename: 'cffi-1.17-cp313-cp313-manylinux_2_17_x86_64.whl', bytes: Buffer.from('glibc') },
  ])
  await rig.ready()
})
afterEach(() => rig.close())

const uv = (...subcommand: string[]) => AGENTS.uv.replace('["pip","install"]', JSON.stringify(subcommand))

/** Who may meet a promise, and where: the table of the design, written by hand. */
const TABLE: [who: string, agent: string, installs: boolean][] = [
  ['pip', AGENTS.pip, true],
  ['uv pip install', uv('pip', 'install'), true],
  ['uv tool install', uv('tool', 'install'), true],
  ['uv tool run', uv('tool', 'run'), true],
  ['uvx', uv('uvx'), true],
  ['uv run', uv('run'), true],
  ['uv lock', uv('lock'), false],
  ['uv sync', uv('sync'), false],
  ['uv add', uv('add'), false],
  ['uv remove', uv('remove'), false],
  ['uv export', uv('export'), false],
  ['uv tree', uv('tree'), false],
  ['uv build', uv('build'), false],
  ['uv venv', uv('venv'), false],
  ['uv pip compile', uv('pip', 'compile'), false],
  ['uv pip sync', uv('pip', 'sync'), false],
  ['uv of a version that does not tell', uv(), false],
  ['poetry', AGENTS.poetry, false],
  ['pdm', 'pdm/2.29.3 CPython/3.13.5 Linux/6.1', false],
  ['python-requests', 'python-requests/2.32.3', false],
  ['a browser', AGENTS.browser, false],
]

async function listed(view: string, agent: string): Promise<{ filename: string; url: string }[]> {
  return JSON.parse((await rig.get(`${view}/cffi/`, { 'user-agent': agent, 'accept': JSON_V1 })).body.toString()).files
}

test.each(TABLE)('%s', async (_, agent, installs) => {
  const promises = async (view: string) => (await listed(view, agent)).filter(({ url }) => url.includes('/promise/')).length
  expect(parseUserAgent(agent).installs).toBe(installs)
  expect(await promises('/simple')).toBe(installs ? 1 : 0)
  expect(await promises(`/target/${TARGET}/simple`)).toBe(1)
  expect(await promises('/finished/simple')).toBe(0)
  if (installs) return
  // What a locker writes down is what the upstream has, and our wheels once they are there.
  expect((await listed('/simple', agent)).map(({ filename }) => filename)).toEqual(['cffi-1.17.tar.gz', 'cffi-1.17-cp313-cp313-manylinux_2_17_x86_64.whl'])
  expect(await listed('/simple', agent)).toEqual((await listed('/finished/simple', agent)).map((file) => ({ ...file, url: file.url.replace('../../../', '../../') })))
})

test.each(TABLE.filter(([who, , installs]) => !installs && who !== 'poetry' && who !== 'pdm'))('%s starts no build on the view of a target either', async (_, agent) => {
  const [promise] = (await listed(`/target/${TARGET}/simple`, agent)).filter(({ url }) => url.includes('/promise/'))
  const answer = await rig.get(new URL(promise!.url, `http://h/target/${TARGET}/simple/cffi/`).pathname, { 'user-agent': agent, 'accept': '*/*' })
  expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([424, 'start-refused'])
})

test('docs/waiting.md says so of each', () => {
  const told = new Map(viewRows().flatMap((row) => {
    const [clients = '', ...views] = row.slice(2, -2).split(' | ')
    return clients.split(', ').map((who) => [who.replaceAll('`', ''), views] as const)
  }))
  const written = new Map(TABLE.map(([who, , installs]) => [who, installs]))
  expect([...told.keys()].filter((who) => !written.has(who))).toEqual(['anything else'])
  for (const [who, views] of told) {
    const [simple, target] = [written.get(who) === true, written.get(who) === true || who === 'poetry' || who === 'pdm']
    expect([who, ...views.map((view) => view.startsWith('waits'))]).toEqual([who, simple, target, false])
  }
})
