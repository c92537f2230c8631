/** What it means that an import failed on the clean image. */

/** As `builders/scripts/try.py` tells it. */
export interface Tried {
  module: string
  outcome: 'ok' | 'signal' | 'timeout' | 'error'
  type?: string | undefined
  name?: string | null | undefined
  message?: string | undefined
}

/** Words of musl's and glibc's dynamic linkers and of CPython's loader. */
const LOADER = /Error relocating|Error loading shared library|symbol not found|undefined symbol|cannot open shared object|does not define module export function|Dynamic linking|initial-exec TLS|invalid ELF|Exec format/i

/**
 * Why the wheel is not published, or undefined: a module that is missing outside the wheel, or a refusal by the module's own code (no
 * settings, no display), is the user's matter and only noted. `own` are the wheel's top-level names.
 */
export function triedFailure({ module, outcome, type, name, message = '' }: Tried, own: string[]): string | undefined {
  if (outcome === 'signal') return `import ${module} ends with ${message}`
  if (outcome !== 'error') return undefined
  const words = `import ${module}: ${message.split('\n')[0] ?? ''}`
  if (type === 'ImportError' || type === 'OSError') {
    if (LOADER.test(message)) return words
    return type === 'ImportError' && isOwn(name, own) ? words : undefined
  }
  return type === 'ModuleNotFoundError' && isOwn(name, own) ? words : undefined
}

function isOwn(name: string | null | undefined, own: string[]): boolean {
  return name !== null && name !== undefined && own.some((top) => name === top || name.startsWith(`${top}.`))
}
