/** The rules of `docs/ARCHITECTURE.md` about which file may import which, checked on the text of `src/`. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Source text by its path below `src/`. */
export type Sources = Record<string, string>

export const LONGEST_FILE = 250

// What a part may import besides itself: other parts (`domain`), or single files of them (`services/ports.ts`).
const ADAPTER = ['domain', 'errors.ts', 'log.ts', 'services/ports.ts', 'services/tar.ts']
// It looks at what a server would be put together from.
const DOCTOR = ['config', 'cli', 'domain', 'services', 'storage', 'upstream', 'builder', 'engine', 'errors.ts', 'log.ts']
const COMPOSE = ['config', 'cli', 'domain', 'services', 'storage', 'upstream', 'builder', 'engine', 'http', 'ui', 'errors.ts', 'log.ts', 'clock.ts']
const MAY_IMPORT: Record<string, string[]> = {
  'errors.ts': ['domain'],
  'log.ts': [],
  'clock.ts': ['services/ports.ts'],
  domain: ['errors.ts'],
  services: ['domain', 'errors.ts', 'log.ts'],
  storage: ADAPTER,
  upstream: ADAPTER,
  builder: ADAPTER,
  engine: ADAPTER,
  http: ['domain', 'services', 'errors.ts', 'log.ts'],
  ui: ['domain', 'services', 'errors.ts', 'log.ts'],
  config: ['domain', 'errors.ts', 'log.ts'],
  // One wording of times for the pages, their scripts and the command line.
  cli: ['ui/assets/words.js', 'config', 'domain', 'services', 'errors.ts', 'log.ts'],
  'compose.ts': ['compose', ...COMPOSE],
  compose: COMPOSE,
  'doctor.ts': ['doctor', ...DOCTOR],
  doctor: DOCTOR,
  'main.ts': ['compose.ts', 'doctor.ts', 'cli', 'config', 'errors.ts', 'log.ts', 'clock.ts'],
}

// The domain is pure: nothing in it may differ between two calls, or between two machines.
const PURE_PACKAGES = ['smol-toml']
const IMPURE = /(?<![.\w$-])(?:Date\.now|new Date\(\)|Date\(\)|Math\.random|(?:process|Buffer|performance|crypto|globalThis)\.|(?:fetch|require|setTimeout|setInterval|setImmediate)\()/

// An import, unless of types alone, reads all that the module exports.
const HEAVY = /^\s*(?:import|export)\s(?!type\s)(?:[^'"]*?\sfrom\s)?\s*'(?:node:https?|@koa\/router)'|\bimport\(\s*'node:https?'/m

/** Every violation, one line each: `src/http/app.ts imports storage/…, but …`. */
export function violations(sources: Sources): string[] {
  const files = Object.entries(sources)
  return [
    ...files.flatMap(([file, text]) => imports(text).flatMap((target) => refusal(file, target) ?? [])),
    ...files.filter(([file]) => partOf(file) === 'domain').flatMap(([file, text]) => impurity(file, text) ?? []),
    ...files.filter(([, text]) => HEAVY.test(code(text))).map(([file]) => `src/${file} imports node:http or @koa/router, and WebSocket with it: process.getBuiltinModule and http/router.ts give them without, 16 MB less`),
    ...files.filter(([, text]) => text.trimEnd().split('\n').length > LONGEST_FILE)
      .map(([file]) => `src/${file} is longer than ${LONGEST_FILE} lines: split it by its ideas`),
    ...cycles(sources).map((cycle) => `these files import each other: ${cycle.map((file) => `src/${file}`).join(' → ')}`),
  ]
}

/** All TypeScript files below a folder. */
export function readSources(folder: string): Sources {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  return Object.fromEntries(files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [relative(folder, path), readFileSync(path, 'utf8')]))
}

function imports(text: string): string[] {
  return [...code(text).matchAll(/^\s*(?:import|export)\s(?:[^'"]*?\sfrom\s)?\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm)].map((match) => match[1] ?? match[2] ?? '')
}

function refusal(file: string, target: string): string | undefined {
  const part = partOf(file)
  const allowed = MAY_IMPORT[part]
  if (!allowed) return `src/${file} stands in no part that the rules know: name it in tools/structure.ts`
  if (!target.startsWith('.')) return part === 'domain' && !PURE_PACKAGES.includes(target) ? `src/${file} imports ${target}, but the domain is pure` : undefined
  const path = resolved(file, target)
  // Data beside `src/`, such as package.json and builders/targets.json.
  if (path.startsWith('..')) return path.endsWith('.json') ? undefined : `src/${file} imports ${target}, which lies outside of src`
  if (partOf(path) === part || allowed.includes(partOf(path)) || allowed.includes(path)) return undefined
  return `src/${file} imports src/${path}, but ${part} may import only ${[part, ...allowed].join(', ')}`
}

function impurity(file: string, text: string): string | undefined {
  const line = code(text).split('\n').find((candidate) => IMPURE.test(withoutStrings(candidate)))
  return line === undefined ? undefined : `src/${file} is not pure: ${line.trim()}`
}

/** Each cycle once, as the files in their order and the first again. */
function cycles(sources: Sources): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const walk = (file: string, path: string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) return void found.push([...path.slice(at), file])
    if (done.has(file)) return
    for (const target of imports(sources[file] ?? '')) if (target.startsWith('.')) walk(resolved(file, target), [...path, file])
    done.add(file)
  }
  for (const file of Object.keys(sources)) walk(file, [])
  return found
}

function partOf(file: string): string {
  return file.split('/')[0] ?? file
}

function resolved(file: string, target: string): string {
  return join(dirname(file), target)
}

/** The text without its comments. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

function withoutStrings(line: string): string {
  return line.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\/(?:[^/\\\n]|\\.)+\/[a-z]*/g, "''")
}

if (import.meta.main) {
  const found = violations(readSources(join(import.meta.dirname, '../src')))
  for (const line of found) console.error(line)
  process.exit(found.length > 0 ? 1 : 0)
}
