/** The client matrix: how its table is read, that it is whole and agrees with the function behind docs/waiting.md, and how what came of a cell is judged. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { nameOf, projectOf, readCells, shortcomings, type Cell } from './e2e/clients/cells.ts'
import { commandOf } from './e2e/clients/commands.ts'
import { createGate } from './e2e/clients/gate.ts'
import { judge, type Seen } from './e2e/clients/judge.ts'
import { table } from './e2e/clients/table.ts'
import { differences, live } from './e2e/clients/told.ts'

const cells = readCells(await readFile(new URL('./e2e/clients.toml', import.meta.url), 'utf8'))
const cell = (name: string): Cell => cells.find((one) => nameOf(one) === name)!

test('the table is whole', () => expect(shortcomings(cells)).toEqual([]))
test('it says what docs/waiting.md says', () => expect(differences(cells)).toEqual([]))

describe('reading', () => {
  const ROW = '{ client = "uv", build = "fails", way = "direct", view = "/simple/", ends = "nothing", exit = 2, says = "cause", builds = 1, moves = ["307"], held = 25, requests = [1, 3] }'
  const read = (...rows: string[]) => readCells(`cells = [${rows.join(', ')}]`)

  test('what a row does not say is its usual value', () => expect(read(ROW)[0]).toMatchObject({ maybe: [], requests: [1, 3] }))
  test.each([
    ['a client that is none', ROW.replace('"uv"', '"conda"'), /client/],
    ['a move that is never made', ROW.replace('"307"', '"301"'), /moves/],
    ['an unknown key', ROW.replace('held', 'colour = 1, held'), /colour/],
    ['success that installs nothing', ROW.replace('exit = 2', 'exit = 0'), /ends with 0 and nothing/],
    ['a held client on the finished view', ROW.replace('/simple/', '/finished/simple/'), /the finished view/],
    ['a client that nobody holds on another view', ROW.replace('[1, 3]', '[0, 0]'), /the finished view/],
    ['a failure without a word and without a why', ROW.replace('"cause"', '"nothing"'), /must say why/],
    ['a row that stands twice', `${ROW}, ${ROW}`, /stands twice/],
  ])('%s is refused', (_, rows, why) => expect(() => read(rows)).toThrow(why))

  test('a table that lacks something says what', () => {
    const lacks = shortcomings(cells.filter(({ client }) => client !== 'pdm'))
    expect(lacks).toContain('no pdm 150 s nginx-1.1')
    expect(lacks).toContain('no pdm in the slice')
  })

  test('nobody who never waits stands for a build or a way in the slice', () => {
    const slice = cells.filter((one) => one.slice)
    const shortSliced = (...dropped: string[]) => shortcomings(cells.map((one) => (dropped.includes(nameOf(one)) ? { ...one, slice: undefined } : one)))
    expect(slice.map(nameOf)).toEqual(expect.arrayContaining(['pipenv 3 s direct', 'uv 3 s nginx']))
    expect(shortSliced('uv 3 s nginx')).toEqual(['nobody waits for 3 s in the slice'])
    expect(shortSliced(...slice.map(nameOf).filter((name) => name.endsWith(' nginx-1.1')))).toContain('nobody waits by nginx-1.1 in the slice')
  })

  test('no two cells share a project', () => expect(new Set(cells.map(projectOf)).size).toBe(cells.length))
})

describe('the page\'s word', () => {
  test.each<[string, Partial<Cell>, RegExp]>([
    ['uv 45 s nginx', { held: 12 }, /held is 12, docs\/waiting\.md says 25/],
    ['pip 45 s direct', { moves: ['307'] }, /moves is \["307"\], docs\/waiting\.md says \["100s"\]/],
    ['uv 150 s direct', { moves: ['307'], maybe: ['503'] }, /moves is/],
    ['pip outlasts nginx', { requests: [1, 1] }, /requests is \[1,1\], docs\/waiting\.md says \[8,8\]/],
    ['pip fails direct', { says: 'nothing' }, /^pip fails direct: says is "nothing", docs\/waiting\.md says "cause"$/],
    ['pip-23.2 outlasts nginx', { says: 'cause' }, /^pip-23\.2 outlasts nginx: says is "cause", docs\/waiting\.md says "still"$/],
    ['uv fails nginx', { exit: 1 }, /^uv fails nginx: exit is 1, docs\/waiting\.md says 2$/],
    ['uv 45 s nginx', { says: 'still' }, /says is "still", docs\/waiting\.md says "nothing"/],
    ['poetry outlasts direct', { says: 'still', exit: 1 }, /says is "still".*\n.*exit is 1, docs\/waiting\.md says 0/],
    ['pdm fails direct', { says: 'cause' }, /says is "cause", docs\/waiting\.md says "nothing"/],
    ['pdm 45 s direct', { requests: [3, 9] }, /requests is \[3,9\]/],
    ['pipenv fails direct', { view: '/simple/' }, /view is "\/simple\/", docs\/waiting\.md says "\/finished\/simple\/"/],
  ])('%s with another %j is a difference', (name, changed, said) => expect(differences([{ ...cell(name), ...changed }]).join('\n')).toMatch(said))

  test('a client that is outlasted ends there, and one that asks again goes on', () => {
    expect(live(cell('pip outlasts direct'), 130, 1)).toEqual({ moves: ['100s'], requests: 1, end: 'still' })
    expect(live(cell('pdm outlasts direct'), 130, 1)).toEqual({ moves: ['100s'], requests: 2, end: 'settled' })
  })
})

describe('judging', () => {
  const AT = 1_700_000_000_000
  const build = { state: 'built', failure: null, began: AT, ended: AT + 52_000 }
  const ask = (from: number, seconds: number, status: number) => ({ at: AT + from * 1000, ms: seconds * 1000, status })
  const direct: Seen = { exit: 0, said: 'Successfully installed', seconds: 54, builds: [build], wentOn: false, interim: true, requests: [ask(0, 52, 200)], sdist: false }
  const uv: Seen = { ...direct, interim: false, requests: [ask(0, 25, 307), ask(25, 25, 503), ask(51, 1, 200)] }
  const failed: Seen = {
    ...direct, exit: 1, said: 'ERROR: 424 Client Error: Muslin: x 1.0 needs header\n muslin_absent.h, see http://host:1/b/7 for url', requests: [ask(0, 24, 424)],
    builds: [{ ...build, state: 'failed', failure: 'muslin_absent.h', ended: AT + 24_000 }],
  }
  const still: Seen = {
    ...direct, exit: 1, said: 'ERROR: 423 Client Error: Muslin: x 1.0 is still building, run again, see http://host:1/b/7 for url', requests: [ask(0, 100, 423)], wentOn: true,
    builds: [{ ...build, ended: AT + 118_000 }],
  }
  const compiled: Seen = { ...direct, builds: [], interim: false, requests: [], sdist: true }

  test.each<[string, Seen]>([
    ['pip 45 s direct', direct], ['uv 45 s direct', uv], ['pip fails direct', failed], ['pip outlasts direct', still], ['pipenv 45 s direct', compiled],
  ])('%s as it must be is right', (name, seen) => expect(judge(cell(name), seen)).toBeUndefined())

  test.each<[string, string, Seen, RegExp]>([
    ['another exit code', 'pip 45 s direct', { ...direct, exit: 1, said: 'No matching distribution' }, /expected exit 0, came 1: No matching/],
    ['a retry that the user sees', 'pip 45 s direct', { ...direct, said: 'WARNING: Retrying (Retry(total=4))' }, /was not to say Retrying/],
    ['a failure without its cause', 'pip fails direct', { ...failed, said: 'ERROR: 424 Client Error: Failed Dependency' }, /did not say why/],
    ['a failure without a link', 'pip fails direct', { ...failed, said: 'needs header muslin_absent.h' }, /did not say why/],
    ['a client that is not told to run again', 'pip outlasts direct', { ...still, said: 'HTTP error 423' }, /did not say that the build goes on/],
    ['more words than were known', 'pdm fails direct', { ...failed }, /says more/],
    ['two builds', 'pip 45 s direct', { ...direct, builds: [build, build] }, /expected 1 builds, came 2/],
    ['a build that failed', 'pip 45 s direct', { ...direct, builds: [{ ...build, state: 'failed' }] }, /is failed, not built/],
    ['another failure', 'pip fails direct', { ...failed, builds: [{ ...failed.builds[0]!, failure: 'Python.h' }] }, /lacks Python\.h/],
    ['a build that did not sleep', 'pip 45 s direct', { ...direct, builds: [{ ...build, ended: AT + 9_000 }] }, /did not sleep/],
    ['a build that was given up', 'pip outlasts direct', { ...still, wentOn: false }, /did not go on/],
    ['another way of holding', 'pip 45 s direct', { ...direct, interim: false }, /held by 100s, was by nothing/],
    ['a move that is never made here', 'pip 45 s direct', { ...direct, requests: [ask(0, 12, 307), ask(12, 40, 200)] }, /was by 100s and 307/],
    ['too many requests', 'pip 45 s direct', { ...direct, requests: [ask(0, 26, 200), ask(26, 26, 200)] }, /expected 1 to 1 requests, came 2/],
    ['silence', 'uv 45 s direct', { ...uv, requests: [ask(0, 31, 307), ask(31, 21, 200)] }, /held for 31 s, 25 at most/],
    ['a hop in haste', 'uv 45 s direct', { ...uv, requests: [ask(0, 3, 307), ask(3, 25, 503), ask(29, 23, 200)] }, /its 307 after 3 s/],
    ['an answer that came late', 'pip 45 s direct', { ...direct, requests: [ask(0, 60, 200)] }, /8 s after the build/],
    ['a hold that ended early', 'pip outlasts direct', { ...still, requests: [ask(0, 60, 423)] }, /held for 60 s, not 100/],
    ['a wheel from nowhere', 'pipenv 45 s direct', { ...compiled, sdist: false }, /did not fetch the sdist/],
  ])('%s is wrong', (_, name, seen, why) => expect(judge(cell(name), seen)).toMatch(why))

  test('the table of a run tells what came, and what is wrong about it', () => {
    const text = table([cell('pip 45 s direct'), cell('uv 45 s direct'), cell('uv 3 s direct')], ({ client, build: takes }) => (takes === '3 s' ? undefined : client === 'uv' ? { ...uv, exit: 2 } : direct))
    expect(text).toMatch(/pip +45 s +direct +\/simple\/ +installed +0 +54 +100s +1 +52\.0 s +1$/m)
    expect(text).toMatch(/uv +45 s +direct +\/simple\/ +installed +2 +54 +307 503 +3 +25\.0 s +1 +← expected exit 0, came 2/)
    expect(text).toMatch(/uv +3 s +direct +\/simple\/ +installed +not run$/m)
  })
})

test('a client is pointed to the view of its cell, and to nothing else', () => {
  const told = (name: string) => {
    const { script, env } = commandOf(cell(name), 'waits-x', 'http://index.example:1')
    return [...`${script} ${Object.values(env).join(' ')}`.matchAll(/http:\S+?(?=["\s]|$)/g)].map(([url]) => url)
  }
  expect(told('pip 3 s direct')).toEqual(['http://index.example:1/simple/'])
  expect(told('pdm 3 s direct')).toEqual(['http://index.example:1/target/cp313-musllinux_1_2_x86_64/simple/'])
  expect(told('pipenv 3 s direct')).toEqual(['http://index.example:1/finished/simple/'])
})

test('a gate lets in as many as it has places for, in their order, and each leaves once', async () => {
  const gate = createGate(1)
  const entered: string[] = []
  const first = await gate.enter()
  const others = ['second', 'third'].map((name) => gate.enter().then((leave) => { entered.push(name); return leave }))
  first()
  first()
  const second = await others[0]!
  expect(entered).toEqual(['second'])
  second()
  ;(await others[1]!)()
  expect(entered).toEqual(['second', 'third'])
})
