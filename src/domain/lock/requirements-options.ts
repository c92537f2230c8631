/** The lines of a requirements file that are options for pip itself. */
import { normalizeName } from '../names.ts'

/** What `--no-binary` and `--only-binary` leave of each project, read in the order of the file. */
export interface FormatControl {
  forbid(kind: 'wheels' | 'sdists', names: string): void
  only(project: string): 'wheels' | 'sdists' | undefined
}

export function createFormatControl(): FormatControl {
  const forbidden = { wheels: new Set<string>(), sdists: new Set<string>() }
  return {
    forbid(kind, names) {
      setFormats(names, forbidden[kind], forbidden[kind === 'wheels' ? 'sdists' : 'wheels'])
    },
    only(project) {
      for (const name of [project, ':all:']) {
        if (forbidden.sdists.has(name)) return 'wheels'
        if (forbidden.wheels.has(name)) return 'sdists'
      }
      return undefined
    },
  }
}

/** Where the index is, and how to install: the server has its own, or they change no plan. */
const PASSED_OVER = [
  '-i', '--index-url', '--pypi-url', '--extra-index-url', '--no-index', '-f', '--find-links', '--prefer-binary', '--require-hashes', '--pre',
  '--trusted-host', '--use-feature', '--all-releases', '--only-final', '--uploaded-prior-to', '--process-dependency-links', '-Z', '--always-unzip',
  // Constraints only narrow, and what is pinned cannot be narrowed.
  '-c', '--constraint',
]

/** Takes what the option says of formats; a text says why the line is refused. */
export function readGlobalOption(line: string, control: FormatControl, given: string[]): string | undefined {
  const [, option = '', value = ''] = /^(--[a-z-]+|-[a-zA-Z])[\s=]*(.*)$/s.exec(line) ?? []
  if (option === '--no-binary') control.forbid('wheels', value)
  if (option === '--only-binary') control.forbid('sdists', value)
  if (option === '--no-binary' || option === '--only-binary' || PASSED_OVER.includes(option)) return undefined
  if (option === '-r' || option === '--requirement') {
    if (given.some((name) => isSameFile(name, value))) return undefined
    return `it includes ${shown(value)}, which is not among the files: give that file too`
  }
  if (option === '-e' || option === '--editable') {
    // The project itself, as lockers export it: nothing of it comes from an index.
    if (/^(?:\.|\/|file:)/.test(value)) return undefined
    return `${shown(value)} comes from a repository and from no index: pin a release of it with ==`
  }
  return `${shown(line)} is no option that is known: leave it out`
}

/** As pip reads them: `:all:` and `:none:` undo what came before. */
function setFormats(value: string, target: Set<string>, other: Set<string>): void {
  for (const name of value.split(',').map((part) => part.trim()).filter(Boolean)) {
    if (name === ':none:') {
      target.clear()
    } else if (name === ':all:') {
      other.clear()
      target.clear()
      target.add(name)
    } else {
      other.delete(normalizeName(name))
      target.add(normalizeName(name))
    }
  }
}

/** Browsers tell no folders, so the last part of the path has to do. */
function isSameFile(given: string, included: string): boolean {
  const [a, b] = [given, included].map((path) => path.replaceAll('\\', '/').split('/').at(-1))
  return a === b
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
