/** A real browser for the scenarios: what it complains of, what axe finds, and pictures of every page. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'
import { HOST, ROOT, type Lab } from './lab.ts'

const CHROMIUM = process.env['MUSLIN_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
/** Kept by CI, for whoever wants to see the pages. */
const SCREENSHOTS = join(ROOT, 'test-results/screenshots')

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 375, height: 812 } }
const SCHEMES = ['light', 'dark'] as const

export interface Visitor {
  context: BrowserContext
  page: Page
  /** Another tab of the same browser. */
  tab(): Promise<Page>
  /** What its tabs complained of so far: errors on the console, exceptions, and what the CSP refused. */
  complaints: string[]
}

export async function openBrowser(lab: Lab): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM}: install Debian's chromium, or name another one by MUSLIN_TEST_CHROMIUM`)
  // Root has no sandbox of its own; it asks nothing of the world, and knows the name that containers use.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run', `--host-resolver-rules=MAP ${HOST} 127.0.0.1`] })
  lab.onClose(() => browser.close())
  return browser
}

/** Somebody new: no cookies, one tab. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext(options)
  const complaints: string[] = []
  const refusals = new Set<string>()
  context.on('response', (response) => { if (response.status() >= 400 && response.request().isNavigationRequest()) refusals.add(response.url()) })
  context.on('console', (message) => {
    // That a page was answered with 401 or 404 is what some checks are about: the browser says so too.
    const told = message.type() === 'error' && !(message.text().startsWith('Failed to load resource') && refusals.has(message.location().url))
    if (told) complaints.push(`${message.location().url}: ${message.text()}`)
  })
  context.on('weberror', (error) => { complaints.push(String(error.error())) })
  context.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? ''
    // A page that is left ends its own live streams.
    if (why !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${why}`)
  })
  const tab = (): Promise<Page> => context.newPage()
  return { context, page: await tab(), tab, complaints }
}

/** The page as it is, wide and as on a phone, light and dark: pictures are taken, axe looks at each, and none is wider than its window. */
export async function inspect(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true })
  const problems: string[] = []
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${size}-${colorScheme}.png`), fullPage: true })
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (over > 0) problems.push(`${size}: ${over} px wider than the window`)
      problems.push(...(await axe(page)).map((found) => `${size}, ${colorScheme}: ${found}`))
    }
  }
  await page.setViewportSize(SIZES.wide)
  assert.deepEqual(problems, [], `${name} (${page.url()})`)
}

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation { id: string; impact: string | null; nodes: { html: string }[] }

/** What axe finds serious or critical. It is brought in by the debugger, which no CSP stops. */
async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const violations = await page.evaluate(async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run()).violations)
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).slice(0, 3).join(' ')}`)
}
