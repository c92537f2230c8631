/** The options behind a requirement of a requirements file. */
import { MOST_FILES } from './collect.ts'

/** How a release is built, where it is: they change no plan. Each has a value. */
const PASSED_OVER = ['--config-settings', '--config-setting', '-C', '--global-option', '--install-option']

/** The hashes among the options; a text says what is wrong with them. pip takes these three algorithms. */
export function readHashes(options: string): string[] | string {
  const words = wordsOf(options)
  if (!words) return 'a quote among the options of a requirement does not end'
  const hashes: string[] = []
  for (let at = 0; at < words.length; at += 1) {
    const [, option = '', joined] = /^(--[^=]*|-[^-])(?:=?(.+))?$/s.exec(words[at]!) ?? []
    const isHash = option === '--hash'
    if (!isHash && !PASSED_OVER.includes(option)) return `${shown(option || words[at]!)} is no option of a requirement`
    // A value of its own may begin with a dash: `--global-option --no-cython`.
    if (joined === undefined) at += 1
    const value = joined ?? words[at] ?? ''
    if (!isHash) continue
    if (!/^(?:sha256|sha384|sha512):[0-9a-f]+$/i.test(value)) return `${shown(value)} is no hash, such as sha256:…`
    if (hashes.push(value.toLowerCase()) > MOST_FILES) return `a requirement with more than ${MOST_FILES} hashes`
  }
  return hashes
}

/** As a shell splits them, and so pip: quotes hold a word together. Undefined where one does not end. */
function wordsOf(options: string): string[] | undefined {
  const words: string[] = []
  let goesOn = false
  for (const [piece] of options.matchAll(/\s+|"[^"]*"|'[^']*'|[^\s"']+|["']/g)) {
    if (piece === '"' || piece === '\'') return undefined
    const isBlank = /^\s/.test(piece)
    const part = /^["']/.test(piece) ? piece.slice(1, -1) : piece
    if (!isBlank) words.push(goesOn ? words.pop()! + part : part)
    goesOn = !isBlank
  }
  return words
}

/** The begin of what may be long. */
export function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
