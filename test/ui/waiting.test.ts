import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WaitingInstall } from '../../src/services/waiting-installs.ts'
import { textOf as htmlOf, html } from '../../src/ui/html.ts'
import { waitingLine } from '../../src/ui/jobs/waiting-line.ts'
import { AGENTS, makeRig, type Rig } from '../http/rig.ts'
import { JSON_V1 } from '../synthetic-upstream.ts'
import { checkPage, HOSTILE, pageOf, seen } from './pages.ts'

let rig: Rig
beforeEach(async () => {
  rig = await makeRig({ ui: true })
  rig.upstream.project('cffi', [{ filename: 'cffi-1.17.tar.gz', bytes: Buffer.from('an sdist') }])
  await rig.ready()
})
afterEach(() => rig.close())

const NOW = Date.parse('2026-11-21T12:10:00Z')

function install(seconds: number, parts: Partial<WaitingInstall> = {}): WaitingInstall {
  return { id: 'x', tool: 'pip', version: '26.3', address: '10.0.0.7', project: 'cffi', filename: 'cffi.whl', job: 1, began: NOW - seconds * 1000, ended: undefined, ...parts }
}

function line(...installs: WaitingInstall[]): string {
  const text = htmlOf(html`${waitingLine(installs, NOW)}`)
  checkPage(text)
  return seen(text).trim()
}

test('the line names who waits, three at most, and is left out where nobody does', () => {
  expect(line()).toBe('')
  expect(line(install(9, { ended: { how: 'built', at: NOW } }))).toBe('')
  expect(line(install(80))).toBe('1 install waits: pip 26.3 at 10.0.0.7 for 1 min 20 s .')
  expect(line(install(80), install(12, { tool: 'other', version: '9' }), install(5, { version: HOSTILE }), install(1))).toBe(`4 installs wait: pip 26.3 at 10.0.0.7 for 1 min 20 s , a client at 10.0.0.7 for 12 s , pip ${HOSTILE} at 10.0.0.7 for 5 s and 1 more.`)
})

test('the pages of the job and of the project have it, live, while an install waits', async () => {
  const uv = { 'user-agent': AGENTS.uv }
  const page = JSON.parse((await rig.get('/simple/cffi/', { ...uv, accept: JSON_V1 })).body.toString()) as { files: { url: string }[] }
  const path = new URL(page.files.find(({ url }) => url.includes('/promise/'))!.url, 'http://h/simple/cffi/').pathname
  expect(seen(await pageOf(rig, '/ui/projects/cffi'))).not.toContain('install waits')
  const held = rig.get(path, uv)
  await rig.clock.began(25_000)
  await rig.clock.advance(12_000)
  const job = await rig.claim()
  for (const at of [`/ui/jobs/${job.id}`, '/ui/projects/cffi']) {
    const text = await pageOf(rig, at)
    expect(seen(text)).toContain('1 install waits: uv 0.13.9 at 127.0.0.1 for 12 s')
    expect(text).toContain('<noscript><meta http-equiv="refresh"')
    expect(text).toMatch(/<div id="(?:job|waiting-now)" data-live[^]*id="installs"[^]*data-since="2026-11-21T12:00:00.000Z"/)
  }
  await rig.fail(job, { class: 'missing-header', key: 'ffi.h' })
  expect((await held).status).toBe(424)
  for (const at of [`/ui/jobs/${job.id}`, '/ui/projects/cffi']) expect(seen(await pageOf(rig, at))).not.toContain('install waits')
})
