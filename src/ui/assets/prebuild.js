// @ts-check
/** Makes pasting, choosing and picking comfortable. Without this script the same forms work by their fields alone. */

const form = document.querySelector('#plan')
const input = form?.querySelector('input[type=file]')
const drop = form?.querySelector('[data-drop]')
const hint = form?.querySelector('#files-hint')
const lines = document.querySelector('#plan-lines')

if (form && drop && input instanceof HTMLInputElement) takeFiles(form, drop, input)
if (lines) pick(lines)

/**
 * A file may be dropped anywhere on the form.
 * @param {Element} form
 * @param {Element} drop
 * @param {HTMLInputElement} input
 */
function takeFiles(form, drop, input) {
  for (const name of ['dragenter', 'dragover']) {
    form.addEventListener(name, (event) => {
      if (!(event instanceof DragEvent) || !event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      drop.classList.add('over')
    })
  }
  for (const name of ['dragleave', 'drop']) form.addEventListener(name, () => drop.classList.remove('over'))
  form.addEventListener('drop', (event) => {
    if (!(event instanceof DragEvent) || !event.dataTransfer?.files.length) return
    event.preventDefault()
    input.files = event.dataTransfer.files
    name(input)
  })
  input.addEventListener('change', () => name(input))
  name(input)
}

/** @param {HTMLInputElement} input */
function name(input) {
  const names = [...input.files ?? []].map((file) => file.name)
  if (hint) hint.textContent = names.length === 0 ? 'Choose some, or drop them here.' : names.join(', ')
}

/**
 * The button says how much it will have built.
 * @param {Element} lines
 */
function pick(lines) {
  const boxes = [...lines.querySelectorAll('input[name=only]')].filter((box) => box instanceof HTMLInputElement)
  const button = document.querySelector('#build')
  const told = button?.querySelector('[data-picked]')
  const count = () => {
    const picked = boxes.filter((box) => box.checked).length
    if (told) told.textContent = picked === 1 ? '1 wheel' : `${picked} wheels`
    if (button instanceof HTMLButtonElement) button.disabled = picked === 0
  }
  for (const picks of document.querySelectorAll('[data-picks]')) picks.toggleAttribute('hidden', boxes.length < 2)
  for (const choice of document.querySelectorAll('[data-pick]')) {
    choice.addEventListener('click', () => {
      // What a filter hides is left as it is.
      for (const box of boxes) if (box.offsetParent !== null) box.checked = choice.getAttribute('data-pick') === 'all'
      count()
    })
  }
  lines.addEventListener('change', count)
  // A page that the browser brings back has the boxes as they were left.
  addEventListener('pageshow', count)
  count()
}
