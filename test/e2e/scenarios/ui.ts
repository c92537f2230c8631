/** The pages in a real browser: paste, plan, build, watch, a failure with its cause, and again; with two tabs, without scripts, by axe's eyes. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { inspect, openBrowser, visit, type Visitor } from '../browser.ts'
import { CLEAN, HOST, UV, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay, type Relay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'
import { connections, reader } from '../ui-live.ts'
import { elsewhere, LONG_LINES, longLog, matrix, order } from '../ui-sizes.ts'

/** Says something in colour for a while, so that somebody can watch it. */
const CHATTY = `import time
for part in range(350):
    print(f"\\033[32mcompiling part {part}\\033[0m", flush=True)
    time.sleep(0.15)`

export default async function ui(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  await offer(relay)
  const muslin = await lab.muslin({ upstream: relay.url })
  const token = (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim()
  await order(muslin, token, 'uibuilt')
  const browser = await openBrowser(lab)
  const admin = await visit(browser)

  await check('a pasted file becomes a plan: to be built, built already, impossible, and the upstream\'s', () => paste(muslin, admin))
  await check('a wrong token is refused and nothing is lost; the right one builds what is checked', () => logIn(admin, token))
  await check('two tabs follow to the end without being loaded again, a reload in the middle shows the same, and the log runs live from its first line', () => follow(muslin, admin))
  await check('the failure says its cause and remedy, and is tried again at a button', () => retry(muslin, admin))
  await check('a live page outlasts refusals and cuts, and shows nothing twice', () => connections(muslin, browser, token))
  await check('whoever scrolled up in a live log loses no line under his eyes', async () => reader(browser, `${muslin.url}/ui/jobs/${await order(muslin, token, 'uiendless', 'running')}`))
  await check('a job that runs is cancelled at a button', () => cancel(muslin, admin, token))
  await check('all of it works without JavaScript', () => withoutScripts(muslin, browser, token))
  await check('a page refuses a script that somebody got into it', () => injected(muslin, browser))
  await check('every page passes axe, wide and as on a phone, light and dark; pictures are in test-results/screenshots', () => everyPage(muslin, browser, admin))
  await check(`a log of ${LONG_LINES} lines is shown in less than 1 s, 100 MB and 5,000 lines`, () => longLog(muslin, browser, token))
  await check('300 releases by 5 targets come in less than 300 ms', () => matrix(lab, relay, browser))
  await check('the lines of "Use it" are true', () => useLines(lab, muslin, browser))
  await check('the browser had nothing to complain of', async () => { assert.deepEqual(admin.complaints, []) })
}

async function offer(relay: Relay): Promise<void> {
  relay.add(
    await makeSdist({ project: 'uibuilt' }),
    await makeSdist({ project: 'uislow', inBuild: CHATTY }),
    await makeSdist({ project: 'uifails', c: '#include <Python.h>\n#include <no_such_header.h>\n' }),
    await makeSdist({ project: 'uiplain' }),
    await makeSdist({ project: 'uiendless', inBuild: 'import time; time.sleep(600)' }),
    await makeSdist({ project: 'uilong', inBuild: `for line in range(${LONG_LINES}): print(f"line {line} of a build that has much to say")` }),
    elsewhere('uiglibc'),
  )
}

const verdicts = (page: Page): Promise<Record<string, string>> => page.$$eval('#plan-lines tr[data-project]', (rows) => Object.fromEntries(rows.map((row) => [row.getAttribute('data-project') ?? '', row.getAttribute('data-verdict') ?? ''])))
const states = (page: Page): Promise<Record<string, string>> => page.$$eval('#prebuild [data-state]', (rows) => Object.fromEntries(rows.map((row) => [row.getAttribute('data-project') ?? '', row.getAttribute('data-state') ?? ''])))

async function paste(muslin: Muslin, { page }: Visitor): Promise<void> {
  await page.goto(`${muslin.url}/`)
  assert.equal(new URL(page.url()).pathname, '/ui/')
  await page.click('nav >> text=Prebuild')
  await page.fill('#plan textarea[name=text]', 'uislow==1.0\nuifails>=1.0\n')
  await page.click('#make-plan')
  assert.match(await page.innerText('#problem'), /line 2: uifails>=1\.0 is not pinned/)
  assert.equal(await page.inputValue('#plan textarea[name=text]'), 'uislow==1.0\nuifails>=1.0\n')
  await inspect(page, 'prebuild-refused')
  await page.fill('#plan textarea[name=text]', 'uislow==1.0\nuifails==1.0\nuibuilt==1.0\nuiglibc==1.0\n')
  const dataTransfer = await page.evaluateHandle(() => {
    const dropped = new DataTransfer()
    dropped.items.add(new File(['idna==3.10\n'], 'base.txt'))
    return dropped
  })
  await page.dispatchEvent('#plan textarea', 'drop', { dataTransfer })
  assert.equal(await page.innerText('#files-hint'), 'base.txt')
  await page.click('#make-plan')
  assert.deepEqual(await verdicts(page), { uislow: 'would-build', uifails: 'would-build', uibuilt: 'built', uiglibc: 'cannot', idna: 'upstream-wheel' })
  assert.match(await page.innerText('tr[data-project=uiglibc]'), /no sdist/)
  assert.deepEqual(muslin.jobs().filter((job) => job.kind === 'build').map((job) => job.project), ['uibuilt'])
}

async function logIn({ page }: Visitor, token: string): Promise<void> {
  assert.match(await page.innerText('#build'), /^Log in and build\s+2 wheels$/)
  await inspect(page, 'plan')
  await page.click('text=Check none')
  assert.equal(await page.isDisabled('#build'), true)
  await page.click('text=Check all')
  await page.fill('input[name=token]', 'a wrong token')
  await page.click('#build')
  assert.match(await page.innerText('#problem'), /not the admin's token/)
  assert.equal(await page.locator('input[name=only]:checked').count(), 2)
  await page.fill('input[name=token]', token)
  await page.click('#build')
  await page.waitForURL(/\/ui\/prebuilds\/1$/)
}

async function follow(muslin: Muslin, visitor: Visitor): Promise<void> {
  const { page } = visitor
  const second = await visitor.tab()
  await second.goto(page.url())
  for (const tab of [page, second]) await tab.evaluate(() => { document.documentElement.dataset['loaded'] = 'once' })
  await page.waitForSelector('tr[data-project=uislow][data-state=running]', { timeout: 120_000 })
  const log = await visitor.tab()
  await muslin.until('the build says something', async () => {
    await log.goto(`${muslin.url}/ui/jobs/${muslin.jobs().find((job) => job.project === 'uislow' && job.kind === 'build')?.id ?? 0}`)
    return await log.locator('.log .line', { hasText: 'compiling part' }).count() > 3 ? true : undefined
  }, 120)
  await log.evaluate(() => { document.documentElement.dataset['loaded'] = 'once' })
  assert.equal(await log.getAttribute('.log .line >> nth=0', 'data-n'), '1')
  const seen = await log.locator('.log .line').count()
  assert.equal(await log.locator('.log .line', { hasText: 'compiling part 0' }).first().locator('.f2').count(), 1, 'the colour of the build is shown')
  await inspect(page, 'prebuild-running')
  await inspect(log, 'job-running')
  assert.equal(await page.getAttribute('html', 'data-loaded'), 'once', 'the first tab was not loaded again')
  await page.reload()
  assert.equal((await states(page))['uislow'], 'running')
  await log.waitForFunction((before) => document.querySelectorAll('.log .line').length > before + 20, seen, { timeout: 60_000 })
  assert.equal((await states(second))['uislow'], (await states(page))['uislow'])
  for (const tab of [page, second]) await tab.waitForSelector('tr[data-project=uislow][data-state=built]', { timeout: 120_000 })
  for (const tab of [page, second]) await tab.waitForSelector('tr[data-project=uifails][data-state=failed]', { timeout: 120_000 })
  await log.waitForSelector('#job[data-state=built]', { timeout: 30_000 })
  assert.equal(await second.getAttribute('html', 'data-loaded'), 'once', 'the second tab was not loaded again')
  assert.equal(await log.getAttribute('html', 'data-loaded'), 'once', 'the log was not loaded again')
  assert.deepEqual(await states(second), { uislow: 'built', uifails: 'failed', uibuilt: 'had', uiglibc: 'cannot', idna: 'had' })
  assert.match(await second.innerText('#progress-told'), /1 of 2 builds succeeded/)
  await inspect(log, 'job-built')
  await second.close()
  await log.close()
}

async function retry(muslin: Muslin, { page }: Visitor): Promise<void> {
  assert.match(await page.innerText('tr[data-project=uifails]'), /no_such_header\.h/)
  await inspect(page, 'prebuild-finished')
  await page.click('tr[data-project=uifails] >> text=/^Job/')
  assert.match(await page.innerText('#cause'), /^Needs header no_such_header\.h/)
  assert.match(await page.innerText('#remedy'), /^Nothing of Alpine's is known to have it/)
  assert.match(await page.innerText('.log'), /no_such_header\.h/)
  await inspect(page, 'job-failed')
  const before = muslin.jobs().find((job) => job.project === 'uifails' && job.kind === 'build')?.build ?? 0
  await page.click('#retry')
  await page.waitForSelector('#job[data-state=running], #job[data-state=queued]')
  await page.waitForSelector('#job[data-state=failed]', { timeout: 120_000 })
  const after = muslin.jobs().find((job) => job.project === 'uifails' && job.kind === 'build')?.build ?? 0
  assert.ok(after > before, `it was tried again: run ${before}, then ${after}`)
  await page.goto(`${muslin.url}/ui/prebuilds/1`)
  await page.click('tr[data-project=uifails] >> button')
  await page.waitForURL(/\/ui\/prebuilds\/1$/)
  await page.waitForSelector('tr[data-project=uifails]:not([data-state=failed])')
  await page.waitForSelector('tr[data-project=uifails][data-state=failed]', { timeout: 120_000 })
}

async function cancel(muslin: Muslin, { page }: Visitor, token: string): Promise<void> {
  const id = await order(muslin, token, 'uiendless', 'running')
  await page.goto(`${muslin.url}/ui/jobs/${id}`)
  await page.click('#cancel')
  await page.waitForSelector('#job[data-state=cancelled]')
  assert.equal(muslin.jobs().find((job) => job.id === id)?.state, 'cancelled')
  await page.waitForSelector('#retry')
}

async function withoutScripts(muslin: Muslin, browser: Browser, token: string): Promise<void> {
  const { context, page, complaints } = await visit(browser, { javaScriptEnabled: false })
  await page.goto(`${muslin.url}/ui/prebuild`)
  await page.fill('#plan textarea[name=text]', 'uiplain==1.0\n')
  await page.setInputFiles('#plan input[name=files]', { name: 'more.txt', mimeType: 'text/plain', buffer: Buffer.from('uifails==1.0\n') })
  await page.click('#make-plan')
  // Playwright's own look into a page works without the page's scripts.
  assert.equal(await page.getAttribute('tr[data-project=uiplain]', 'data-verdict'), 'would-build')
  await page.check('.filter input[value=cannot]', { force: true })
  assert.equal(await page.isVisible('tr[data-project=uiplain]'), false)
  await page.check('.filter input[value=all]', { force: true })
  await page.fill('input[name=token]', token)
  await page.click('#build')
  await page.waitForURL(/\/ui\/prebuilds\/2$/)
  // The page loads itself again by its <meta>.
  await page.waitForSelector('tr[data-project=uiplain][data-state=built]', { timeout: 120_000 })
  await page.click('tr[data-project=uiplain] >> text=/^Job/')
  assert.ok(await page.locator('.log .line').count() > 5)
  await page.goto(`${muslin.url}/ui/projects/uiplain`)
  assert.match(await page.innerText('.matrix'), /built/)
  await page.click('text=Log out')
  assert.equal(await page.locator('text=Log in').count(), 1)
  await page.goto(`${muslin.url}/ui/login`)
  await page.fill('#login input[name=token]', 'a wrong token')
  await page.click('#login button')
  assert.match(await page.innerText('#problem'), /not the admin’s token/)
  assert.deepEqual(complaints, [])
  await context.close()
}

async function injected(muslin: Muslin, browser: Browser): Promise<void> {
  const { context, page, complaints } = await visit(browser)
  await page.goto(`${muslin.url}/ui/`)
  const ran = await page.evaluate(async () => {
    const refused = new Promise<string>((resolve) => { document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective)) })
    const script = document.createElement('script')
    script.textContent = 'globalThis.stolen = document.cookie'
    document.body.append(script)
    const image = document.createElement('img')
    image.setAttribute('onerror', 'globalThis.stolen = 1')
    image.src = 'https://upstream.example/x.png'
    document.body.append(image)
    return { refused: await refused, stolen: 'stolen' in globalThis, cookie: document.cookie }
  })
  assert.deepEqual(ran, { refused: 'script-src-elem', stolen: false, cookie: '' })
  assert.ok(complaints.length > 0, 'the browser says what it refused')
  await context.close()
}

async function everyPage(muslin: Muslin, browser: Browser, admin: Visitor): Promise<void> {
  const pages = { 'overview': '/ui/', 'jobs': '/ui/jobs', 'find': '/ui/projects', 'prebuild': '/ui/prebuild', 'project': '/ui/projects/uifails', 'project-unknown': '/ui/projects/never-asked-for', 'rebuild': '/ui/rebuild', 'recipes': '/ui/recipes', 'recipe': '/ui/recipes/pyyaml', 'use': '/ui/use', 'targets': '/ui/targets', 'not-found': '/ui/nothing' }
  for (const [name, path] of Object.entries(pages)) {
    await admin.page.goto(`${muslin.url}${path}`)
    await inspect(admin.page, name)
  }
  const stranger = await visit(browser)
  await stranger.page.goto(`${muslin.url}/ui/login`)
  await inspect(stranger.page, 'login')
  await stranger.page.fill('#login input[name=token]', 'a wrong token')
  await stranger.page.click('#login button')
  await inspect(stranger.page, 'login-refused')
  assert.deepEqual(stranger.complaints, [])
  await stranger.context.close()
}

/** As a person would copy them, by a browser that came under the name that containers use. */
async function useLines(lab: Lab, muslin: Muslin, browser: Browser): Promise<void> {
  const { context, page } = await visit(browser)
  await page.goto(`${muslin.inside}/ui/use`)
  // Under this name the browser gives no clipboard: the older way must do.
  await page.click('#pip [data-copy] >> nth=0')
  await page.waitForSelector('#pip .copied')
  const lines = await page.$$eval('.copy code', (blocks) => blocks.map((block) => block.textContent ?? ''))
  await context.close()
  const line = (start: string): string => (lines.find((text) => text.startsWith(start)) ?? '').replace('PROJECT', 'uiplain')
  assert.ok(line('pip install').includes(`http://${HOST}:${muslin.port}/simple/ --trusted-host ${HOST}`), lines.join('\n'))
  const pip = await lab.run(CLEAN, ['sh', '-c', `${line('pip install')} -q --no-deps`], { env: { PIP_ROOT_USER_ACTION: 'ignore' } })
  assert.equal(pip.code, 0, pip.output)
  const uv = await lab.run(UV, ['sh', '-c', `${line('uv pip install')} --system --break-system-packages --no-deps`])
  assert.equal(uv.code, 0, uv.output)
  const settings = await lab.run(CLEAN, ['sh', '-c', `mkdir -p /tmp/h/.config/pip && cat > /tmp/h/.config/pip/pip.conf && HOME=/tmp/h pip install -q --no-deps uiplain`], { input: line('[global]'), env: { PIP_ROOT_USER_ACTION: 'ignore' } })
  assert.equal(settings.code, 0, settings.output)
}
