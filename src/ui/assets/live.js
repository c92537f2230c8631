// @ts-check
/**
 * Keeps a page true while it is looked at: what bears `data-live` and an id is taken anew from the server whenever a job changed,
 * and times go on. Without this script every page works the same, as it was when it was loaded.
 */
import { morph } from './morph.js'
import { distance, duration } from './words.js'

const REFRESH_MS = 1000
const RECONNECT_MS = 5000

/** @type {EventSource | undefined} */
let events
let opened = false
let lastRefresh = 0
let refreshing = false
let waiting = false

for (const button of document.querySelectorAll('[data-copy]')) button.removeAttribute('hidden')
document.addEventListener('click', (event) => { void copy(event) })
setInterval(tick, 1000)
document.addEventListener('visibilitychange', () => document.hidden ? leave() : come())
document.addEventListener('muslin:changed', () => { void refresh() })
if (!document.hidden) listen()

function come() {
  tick()
  if (isLive()) void refresh()
  listen()
}

// A browser grants a server few connections: tabs that nobody looks at hold none.
function leave() {
  events?.close()
  events = undefined
}

function listen() {
  if (events || !isLive() || document.hidden) return
  const source = new EventSource(new URL(`${document.body.dataset['root'] ?? ''}api/v1/events`, location.href))
  events = source
  // What changed while nobody listened is told by nobody.
  source.addEventListener('open', () => {
    if (opened) void refresh()
    opened = true
  })
  source.addEventListener('changed', () => { void refresh() })
  // A browser comes back by itself after a cut, but not after a refusal.
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED || events !== source) return
    events = undefined
    setTimeout(come, RECONNECT_MS)
  })
}

/** Takes the live parts of this page anew; changes that come close together are one. */
async function refresh() {
  waiting = true
  if (refreshing || document.hidden) return
  refreshing = true
  while (waiting) {
    const rest = lastRefresh + REFRESH_MS - Date.now()
    if (rest > 0) await new Promise((resolve) => { setTimeout(resolve, rest) })
    waiting = false
    lastRefresh = Date.now()
    await replace().catch(() => undefined)
  }
  refreshing = false
}

async function replace() {
  // RFC 7240: what is not live, such as a log, need not come again.
  const answer = await fetch(location.href, { headers: { accept: 'text/html', prefer: 'return=minimal' } })
  if (!answer.ok) return
  const news = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-live][id]')) {
    const next = news.getElementById(part.id)
    // The page shows something else now, such as another run: not only its live parts are old.
    if (next && part.getAttribute('data-page') !== next.getAttribute('data-page')) return location.reload()
    if (next) morph(part, next)
  }
  document.title = news.title
  for (const button of document.querySelectorAll('[data-live] [data-copy]')) button.removeAttribute('hidden')
  tick()
}

function isLive() {
  return document.querySelector('[data-live][id]') !== null
}

/** Times that are told by their distance, and those of what still runs. */
function tick() {
  const now = Date.now()
  for (const time of document.querySelectorAll('time[datetime]')) write(time, distance(Date.parse(time.getAttribute('datetime') ?? ''), now))
  for (const running of document.querySelectorAll('[data-since]')) write(running, duration(Math.max(0, now - Date.parse(running.getAttribute('data-since') ?? '')) / 1000))
}

/**
 * @param {Element} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** @param {MouseEvent} event */
async function copy(event) {
  const button = event.target instanceof Element ? event.target.closest('[data-copy]') : null
  const source = button?.parentElement?.querySelector('pre')
  if (!button || !source) return
  const done = await toClipboard(source)
  button.classList.toggle('copied', done)
  setTimeout(() => button.classList.remove('copied'), 2000)
}

/**
 * @param {HTMLElement} source
 * @returns {Promise<boolean>} false where the browser refuses: the text is selected then, ready to be copied
 */
async function toClipboard(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '')
    return true
  } catch {
    // Plain http under a name has no clipboard.
    getSelection()?.selectAllChildren(source)
    return document.execCommand('copy')
  }
}
