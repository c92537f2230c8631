// @ts-check
/**
 * A log that goes on while it is looked at. The page comes with what was written so far; this adds the rest, follows the end until the
 * reader scrolls up, and keeps beginning and end in the page, never all of a long log.
 */

/** So many lines of the end are kept while the end is followed. */
const TAIL = 3000
/** Whoever scrolled up loses no line under his eyes: from so many lines in the page on, the rest waits until he follows again. */
const MOST = 3900
const RECONNECT_MS = 5000

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
  let held = false
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
    if (events || held || !running || document.hidden) return
    const source = new EventSource(`${box.dataset['log']}${place === undefined ? '' : `?from=${encodeURIComponent(place)}`}`)
    events = source
    source.addEventListener('lines', (event) => {
      // Not even where an event of a closed source was on its way: what is held comes again.
      if (events === source && (event.data === '' || add(event.data)) && event.lastEventId !== '') place = event.lastEventId
    })
    source.addEventListener('end', () => {
      running = false
      following = false
      follow?.setAttribute('hidden', '')
      leave()
      tell()
      document.dispatchEvent(new Event('muslin:changed'))
    })
    // A browser comes back by itself after a cut, but not after a refusal.
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED || events !== source) return
      events = undefined
      setTimeout(listen, RECONNECT_MS)
    })
  }

  function leave() {
    events?.close()
    events = undefined
  }

  /**
   * @param {string} html lines as the server wrote them, their text escaped
   * @returns {boolean} whether they are shown now
   */
  function add(html) {
    const template = document.createElement('template')
    template.innerHTML = html
    // After a cut some may come again.
    const last = lastNumber()
    const lines = [...template.content.children].filter((line) => numberOf(line) > last)
    // The server left out what lies before them: the end that is shown gives way to them.
    const jump = lines[0] !== undefined && numberOf(lines[0]) > last + 1
    if (jump && !following && last > 0) return hold()
    if (jump) dropFirst(inTail())
    const toHead = !jump && inTail() === 0 ? lines.splice(0, Math.max(0, headLines - inHead())) : []
    gap.before(...toHead)
    list.append(...lines)
    trim()
    showGap()
    tell()
    toEnd()
    return true
  }

  function trim() {
    if (following) dropFirst(inTail() - TAIL)
    else if (list.children.length > MOST) hold()
  }

  /** Nothing more comes until the reader follows again. */
  function hold() {
    held = true
    leave()
    tell()
    return false
  }

  /** @param {number} lines */
  function dropFirst(lines) {
    for (let at = 0; at < lines; at += 1) gap.nextElementSibling?.remove()
  }

  /** The numbers of the lines around it tell how many are left out. */
  function showGap() {
    const [head, tail] = [gap.previousElementSibling, gap.nextElementSibling]
    const left = tail ? numberOf(tail) - (head ? numberOf(head) : 0) - 1 : 0
    gap.hidden = left === 0
    const text = gap.querySelector('[data-count]')
    if (text) text.textContent = counted(left)
  }

  function tell() {
    const last = lastNumber()
    if (state) state.textContent = last > 0 ? `${counted(last)}${held ? ' by now, more once you follow the end' : running ? ' so far' : ''}` : ''
  }

  /** @param {boolean} value */
  function setFollowing(value) {
    following = value
    follow?.setAttribute('aria-pressed', String(value))
    if (!value) return
    held = false
    trim()
    showGap()
    tell()
    toEnd()
    listen()
  }

  function toEnd() {
    if (following) scroll.scrollTop = scroll.scrollHeight
  }

  function inHead() {
    return [...list.children].indexOf(gap)
  }

  function inTail() {
    return list.children.length - inHead() - 1
  }

  function lastNumber() {
    const last = list.lastElementChild === gap ? gap.previousElementSibling : list.lastElementChild
    return last ? numberOf(last) : 0
  }
}

/** @param {Element} line */
function numberOf(line) {
  return Number(line.getAttribute('data-n'))
}

/** @param {number} lines */
function counted(lines) {
  return `${lines.toLocaleString('en')} ${lines === 1 ? 'line' : 'lines'}`
}
