// @ts-check
/**
 * Makes `old` like `next` and keeps what is the same: focus, selection, what is checked or typed, and open `<details>` stay as they are.
 * Children with an id are found by it wherever they are now, others by their place.
 * @param {Element} old
 * @param {Element} next
 */
export function morph(old, next) {
  attributes(old, next)
  const named = new Map([...old.children].filter(({ id }) => id !== '').map((child) => [child.id, child]))
  /** @type {ChildNode | null} */
  let place = old.firstChild
  for (const wanted of [...next.childNodes]) {
    const id = wanted instanceof Element ? wanted.id : ''
    const found = id === '' ? place : named.get(id)
    if (found && alike(found, wanted)) {
      if (found === place) place = place.nextSibling
      else old.insertBefore(found, place)
      if (found instanceof Element && wanted instanceof Element) morph(found, wanted)
      else if (found.nodeValue !== wanted.nodeValue) found.nodeValue = wanted.nodeValue
    } else {
      old.insertBefore(document.importNode(wanted, true), place)
    }
  }
  while (place) {
    const rest = place.nextSibling
    place.remove()
    place = rest
  }
}

/**
 * @param {Node} old
 * @param {Node} next
 */
function alike(old, next) {
  if (old.nodeName !== next.nodeName) return false
  return !(old instanceof Element && next instanceof Element) || old.id === next.id
}

/**
 * @param {Element} old
 * @param {Element} next
 */
function attributes(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name) && !isReaders(old, name)) old.removeAttribute(name)
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value && !isReaders(old, name)) old.setAttribute(name, value)
}

/**
 * What the reader opened or closed is theirs.
 * @param {Element} element
 * @param {string} name
 */
function isReaders(element, name) {
  return name === 'open' && element instanceof HTMLDetailsElement
}
