// @ts-check
/**
 * A log that goes on while it is looked at. The page comes with what was written so far; this adds the rest, follows the end until the
 * reader scrolls up, and keeps beginning and end in the page, never all of a long log.
 */

const TAIL = 3000

const box = document.getElementById('log-box')
const list = document.getElementById('log')
if (box && list) show(box, list)

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} list
 */
function show(box, list) {
  const scroll = /** @type {HTMLElement} */ (list.parentElement)
  const gap = /** @type {HTMLElement} */ (list.querySelector('.gap'))
  const state = document.getElementById('log-state')
  const follow = document.getElementById('follow')
  const headLines = Number(list.dataset['head'])
  let place = box.dataset['from']
  let running = box.dataset['running'] !== undefined
  let following = running
  if (box.dataset['atEnd'] !== undefined) scroll.scrollTop = scroll.scrollHeight
  let [inHead, inTail] = [before(), list.children.length - before() - 1]
  /** @type {EventSource | undefined} */
  let events

  if (running) follow?.removeAttribute('hidden')
  follow?.addEventListener('click', () => setFollowing(!following))
  scroll.addEventListener('scroll', () => {
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40
    if (running && atEnd !== following) setFollowing(atEnd)
  }, { passive: true })
  document.addEventListener('visibilitychange', () => document.hidden ? leave() : listen())
  if (!document.hidden) listen()

  function listen() {
    if (events || !running) return
    events = new EventSource(`${box.dataset['log']}${place === undefined ? '' : `?from=${encodeURIComponent(place)}`}`)
    events.addEventListener('lines', (event) => {
      if (event.lastEventId !== '') place = event.lastEventId
      if (event.data !== '') add(event.data)
    })
    events.addEventListener('gap', (event) => leaveOut(Number(event.data)))
    events.addEventListener('end', () => {
      running = false
      following = false
      follow?.setAttribute('hidden', '')
      leave()
      tell()
      document.dispatchEvent(new Event('muslin:changed'))
    })
  }

  function leave() {
    events?.close()
    events = undefined
  }

  /** @param {string} html lines as the server wrote them, their text escaped */
  function add(html) {
    const template = document.createElement('template')
    template.innerHTML = html
    const lines = [...template.content.children]
    const toHead = gap.hidden ? lines.splice(0, Math.max(0, headLines - inHead)) : []
    gap.before(...toHead)
    list.append(...lines)
    inHead += toHead.length
    inTail += lines.length
    if (inTail > TAIL) dropFirst(inTail - TAIL)
    tell()
    toEnd()
  }

  /** @param {number} lines that the server left out before the next ones */
  function leaveOut(lines) {
    dropFirst(inTail)
    showGap(lines)
  }

  /** @param {number} lines */
  function dropFirst(lines) {
    for (let at = 0; at < lines; at += 1) gap.nextElementSibling?.remove()
    inTail -= lines
    showGap(lines)
  }

  /** @param {number} more */
  function showGap(more) {
    const left = Number(gap.dataset['left']) + more
    gap.dataset['left'] = String(left)
    gap.hidden = left === 0
    const text = gap.querySelector('[data-count]')
    if (text) text.textContent = counted(left)
  }

  function tell() {
    const last = /** @type {HTMLElement | null} */ (list.lastElementChild === gap ? gap.previousElementSibling : list.lastElementChild)
    if (state) state.textContent = last ? `${counted(Number(last.dataset['n']))}${running ? ' so far' : ''}` : ''
  }

  /** @param {boolean} value */
  function setFollowing(value) {
    following = value
    follow?.setAttribute('aria-pressed', String(value))
    toEnd()
  }

  function toEnd() {
    if (following) scroll.scrollTop = scroll.scrollHeight
  }

  function before() {
    return [...list.children].indexOf(gap)
  }
}

/** @param {number} lines */
function counted(lines) {
  return `${lines.toLocaleString('en')} ${lines === 1 ? 'line' : 'lines'}`
}
