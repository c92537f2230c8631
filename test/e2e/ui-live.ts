/** What live pages do when their connections are refused, cut, or give the same again. */
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { visit } from './browser.ts'
import { order } from './ui-sizes.ts'
import type { Muslin } from './lab.ts'

const STREAM = { status: 200, contentType: 'text/event-stream' }

/** `uiendless` is left running. */
export async function connections(muslin: Muslin, browser: Browser, token: string): Promise<void> {
  const id = await order(muslin, token, 'uiendless', 'running')
  // Somebody else's complaints are not asked for: a browser tells each refusal.
  const { context, page } = await visit(browser)
  let [logs, refreshes] = [0, 0]
  await context.route(/\/ui\/builds\/\d+\/log/, async (route) => {
    logs += 1
    if (logs === 1) return route.fulfill({ status: 503 })
    if (logs === 2) return route.fulfill({ ...STREAM, body: 'retry: 200\n\nevent: lines\ndata: <li class="line" data-n="1">given again</li>\n\n' })
    return route.continue()
  })
  // Nothing is ever told here: what changed is learnt by looking after each cut.
  await context.route('**/api/v1/events', (route) => route.fulfill({ ...STREAM, body: 'retry: 200\n\n' }))
  page.on('request', (request) => { if (request.headers()['prefer'] === 'return=minimal') refreshes += 1 })
  await page.goto(`${muslin.url}/ui/jobs/${id}`)
  await muslin.until('the log is asked for again after a refusal and a cut', () => (logs >= 3 ? true : undefined), 30)
  await muslin.until('the page is taken anew after a cut', () => (refreshes >= 1 ? true : undefined), 30)
  const numbers = await page.$$eval('.log .line', (lines) => lines.map((line) => Number(line.getAttribute('data-n'))))
  assert.ok(numbers.length > 0)
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1), 'each line once, in its order')
  assert.equal(await page.locator('.log .line', { hasText: 'given again' }).count(), 0)
  await context.close()
}

/** Whoever scrolled up in the live log at `address` keeps the lines under his eyes, and the page its bound, until he follows again. */
export async function reader(browser: Browser, address: string): Promise<void> {
  const { context, page } = await visit(browser)
  const lines = (first: number, count: number): string => [...Array(count).keys()].map((at) => `data: <li class="line" data-n="${first + at}">line ${first + at}</li>\n`).join('')
  const up = Promise.withResolvers<void>()
  let logs = 0
  await context.route(/\/ui\/builds\/\d+\/log/, async (route) => {
    logs += 1
    if (logs > 1) await up.promise
    const body = logs === 1 ? lines(1001, 200) : logs === 2 ? lines(1201, 4000) : lines(9001, 100)
    await route.fulfill({ ...STREAM, body: `retry: 200\n\nevent: lines\n${body}\n` })
  })
  await page.goto(address)
  const first = (): Promise<string | null> => page.evaluate(() => {
    const top = document.querySelector('.log-scroll')?.getBoundingClientRect().top ?? 0
    return [...document.querySelectorAll('.log .line')].find((line) => line.getBoundingClientRect().bottom > top + 5)?.getAttribute('data-n') ?? null
  })
  await page.waitForSelector('.log [data-n="1200"]')
  await page.evaluate(() => document.querySelector('.log-scroll')?.scrollBy(0, -1500))
  await page.waitForSelector('#follow[aria-pressed=false]')
  const before = await first()
  up.resolve()
  await page.waitForSelector('.log [data-n="5200"]', { state: 'attached' })
  assert.equal(await first(), before)
  assert.match(await page.innerText('#log-state'), /5,200 lines by now, more once you follow the end/)
  assert.ok(await page.locator('.log .line').count() < 5000)
  await page.click('#follow')
  await page.waitForSelector('.log [data-n="9100"]')
  assert.equal(await page.locator('.log [data-n="5200"]').count(), 0, 'what is left out lies between the beginning and the new end')
  await context.close()
}
