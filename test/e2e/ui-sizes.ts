/** How much the pages bear: a long log, and a project with many releases. */
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { inspect, visit } from './browser.ts'
import { TARGET, type Lab, type Muslin } from './lab.ts'
import type { Relay } from './relay.ts'
import { makeSdist, type Sdist } from './sdists.ts'

export const LONG_LINES = 100_000

/** `uilong` says LONG_LINES lines while it is built. */
export async function longLog(muslin: Muslin, browser: Browser, token: string): Promise<void> {
  const id = await order(muslin, token, 'uilong', 'running')
  const { context, page, complaints } = await visit(browser)
  const session = await context.newCDPSession(page)
  const heap = async (): Promise<number> => (await session.send('Runtime.getHeapUsage')).usedSize
  const lines = page.locator('.log .line')
  await page.goto(`${muslin.url}/ui/jobs/${id}`)
  await page.waitForSelector('#job[data-state=built]', { timeout: 240_000 })
  const live = { lines: await lines.count(), heap: await heap() }
  console.log(`       looked at while it was written: ${Math.round(live.heap / 1e6)} MB of heap, ${live.lines} lines in the page`)
  assert.ok(live.lines > 500 && live.lines < 5000 && live.heap < 100e6)
  const paints: number[] = []
  for (let round = 0; round < 3; round += 1) {
    await page.goto(`${muslin.url}/ui/jobs/${id}`)
    const painted = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
    paints.push(await painted.jsonValue() ?? Infinity)
  }
  const later = { lines: await lines.count(), heap: await heap() }
  console.log(`       opened later: first paint after ${paints.map((ms) => Math.round(ms)).join(', ')} ms, ${Math.round(later.heap / 1e6)} MB of heap, ${later.lines} lines in the page`)
  assert.ok((paints.toSorted((a, b) => a - b)[1] ?? Infinity) < 1000)
  assert.ok(later.lines > 500 && later.lines < 5000 && later.heap < 100e6)
  assert.match(await page.innerText('.log .gap'), /lines left out here/)
  await inspect(page, 'job-long')
  const whole = await page.getAttribute('.log-foot a:has-text("Whole log")', 'href')
  const text = await (await fetch(new URL(whole ?? '', page.url()))).text()
  assert.equal(text.match(/of a build that has much to say/g)?.length, LONG_LINES)
  assert.deepEqual(complaints, [])
  await context.close()
}

/** A server of its own, which builds nothing: what it needs for a page is all that is measured. */
export async function matrix(lab: Lab, relay: Relay, browser: Browser): Promise<void> {
  const targets = ['cp310', 'cp311', 'cp312', 'cp313', 'cp314'].map((python) => `${python}-musllinux_1_2_x86_64`)
  const versions = [...Array(300).keys()].map((index) => `${Math.floor(index / 100)}.${Math.floor(index / 10) % 10}.${index % 10}`)
  const one = await makeSdist({ project: 'uimatrix' })
  relay.add(...versions.flatMap((version) => [
    { ...one, version, filename: `uimatrix-${version}.tar.gz` },
    ...['cp310', 'cp311', 'cp312', 'cp313'].map((python) => ({ ...elsewhere('uimatrix'), version, filename: `uimatrix-${version}-${python}-${python}-manylinux_2_17_x86_64.whl` })),
    { ...elsewhere('uimatrix'), version, filename: `uimatrix-${version}-cp310-cp310-musllinux_1_2_x86_64.whl` },
  ]))
  const web = await lab.muslin({ upstream: relay.url, args: ['--role', 'web', '--targets', targets.join(',')] })
  assert.equal((await fetch(`${web.url}/simple/uimatrix/`)).status, 200)
  const asked = relay.requests.length
  const took: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now()
    await (await fetch(`${web.url}/ui/projects/uimatrix`)).text()
    took.push(performance.now() - began)
  }
  console.log(`       ${took.map((ms) => Math.round(ms)).join(', ')} ms`)
  assert.ok((took.toSorted((a, b) => a - b)[2] ?? Infinity) < 300)
  const { context, page, complaints } = await visit(browser)
  await page.goto(`${web.url}/ui/projects/uimatrix`)
  assert.equal(await page.locator('.matrix tbody tr').count(), 300)
  assert.equal(await page.locator('.matrix tbody td').count(), 1500)
  await page.click('text=Missing a wheel')
  await inspect(page, 'project-large')
  assert.equal(relay.requests.length, asked, 'looking asks no upstream')
  assert.deepEqual(web.jobs(), [], 'looking starts nothing')
  assert.deepEqual(complaints, [])
  await context.close()
}

/** A wheel that no musl system can use, and no sdist. */
export function elsewhere(project: string): Sdist {
  return { project, version: '1.0', filename: `${project}-1.0-cp313-cp313-manylinux_2_17_x86_64.whl`, bytes: Buffer.from('a wheel'), sha256: '0'.repeat(64) }
}

/** Has a project built, and waits until it is, or until its build runs. Resolves with its job. */
export async function order(muslin: Muslin, token: string, project: string, until: 'built' | 'running' = 'built'): Promise<number> {
  const answer = await fetch(`${muslin.url}/api/v1/jobs`, {
    method: 'POST', headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ project, targets: [TARGET] }),
  })
  assert.equal(answer.status, 201, await answer.clone().text())
  const { jobs } = (await answer.json()) as { jobs: { id: number }[] }
  const id = jobs[0]?.id ?? 0
  const job = () => muslin.jobs().find((row) => row.id === id)
  await muslin.until(`${project} is ${until}`, () => ((until === 'built' ? job()?.state === 'built' : job()?.step === 'build') ? true : undefined), 240)
  return id
}
