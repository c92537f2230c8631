/** The CPythons of this machine, as the embedded engine needs to know them. */
import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'

export interface Interpreter {
  /** Its real path. */
  executable: string
  /** `3.13.0` */
  version: string
  /** `3.13` */
  minor: string
  /** Its real prefix: the folder that holds its standard library. */
  prefix: string
  /** Every folder that it lives in; more than the prefix where it was split. */
  prefixes: string[]
  libc: 'glibc' | 'musl'
  /** Folders with its headers, the one with Python.h first. */
  include: string[]
  /** Python.h and pyconfig.h are there. */
  headers: boolean
  /** It can run pip in an environment of its own. */
  complete: boolean
  /** One line, cause and remedy, where it cannot build; undefined where it can. */
  missing?: string
}

/** What pip of our toolchain runs on. */
const OLDEST_MINOR = 10
const ASK_MS = 20_000
export const EMBEDDED = fileURLToPath(new URL('../../../builders/embedded/', import.meta.url))

/** What a trusted Python of the machine is run with, whatever stands in our own environment. */
export const TRUSTED_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8' }

/**
 * The CPythons 3 that are named, on the PATH, or pyenv's, in that order; one for each prefix and minor. Each is asked by running it,
 * once. Those of 32 bits, with other ABIs (free-threaded, debug), or that do not answer are left out.
 */
export async function findInterpreters({ env, home, named }: { env: NodeJS.ProcessEnv; home: string; named: string[] }): Promise<Interpreter[]> {
  const looked = [...await onPath(env['PATH'] ?? ''), ...await ofPyenv(env['PYENV_ROOT'] ?? join(home, '.pyenv'))]
  const real = [...await realPaths(named), ...(await realPaths(looked)).filter((path) => basename(dirname(path)) !== 'shims')]
  const answers = await Promise.all([...new Set(real)].map(ask))
  const found = answers.flatMap((answer) => answer === undefined ? [] : interpreterOf(answer, home) ?? [])
  return found.filter((one, at) => found.findIndex(({ prefix, minor }) => prefix === one.prefix && minor === one.minor) === at)
}

const ANSWER = z.object({
  implementation: z.string(), version: z.string().regex(/^\d+\.\d+\.\d+/), executable: z.string(), prefixes: z.array(z.string()).min(1), include: z.array(z.string()),
  headers: z.boolean(), lacks: z.array(z.string()), libc: z.enum(['glibc', 'musl']).nullable(), bits: z.number(), special: z.array(z.string()),
})

type Answer = z.infer<typeof ANSWER>

/** What an interpreter's own answer makes of it; undefined for one that is of no use. `home` is that of who runs Muslin. Pure. */
export function interpreterOf(answer: Answer, home: string): Interpreter | undefined {
  const { version, executable, prefixes, include, headers, lacks, libc, special } = answer
  if (answer.implementation !== 'CPython' || libc === null || special.length > 0 || answer.bits !== 64 || !version.startsWith('3.')) return undefined
  const minor = version.split('.').slice(0, 2).join('.')
  const old = Number(minor.slice(2)) < OLDEST_MINOR
  const shared = prefixes.find((prefix) => isShared(prefix, home))
  const missing = old ? `it is older than 3.${OLDEST_MINOR}, which pip needs: install a newer one`
    : shared !== undefined ? `its folder ${shared} holds more than a Python, and builds would read all of it: install one in a folder of its own, as pyenv does`
      : whatIsMissing({ prefix: prefixes[0] ?? '', minor, headers, lacks })
  return {
    executable, version, minor, prefix: prefixes[0] ?? '', prefixes, libc, include, headers, complete: lacks.length === 0 && !old && shared === undefined, ...(missing === undefined ? {} : { missing }),
  }
}

/** A box shows the folders of its interpreter whole: none may be somebody's home, or hold one. */
function isShared(prefix: string, home: string): boolean {
  const folder = prefix.replace(/\/+$/, '')
  return folder === '' || ['/home', '/root', '/opt', '/srv', '/var', '/tmp', join(home, '.local')].includes(folder) || `${home}/`.startsWith(`${folder}/`)
}

function whatIsMissing({ prefix, minor, headers, lacks }: { prefix: string; minor: string; headers: boolean; lacks: string[] }): string | undefined {
  const system = prefix === '/usr'
  if (lacks.length > 0) return `its standard library lacks ${lacks.join(', ')}: ${system ? `apt-get install python3-venv python${minor}-venv` : 'install it anew, as a whole'}`
  if (!headers) return `its headers (Python.h) are not installed: ${system ? `apt-get install python3-dev, or python${minor}-dev where it is not Debian's default` : 'install it anew, with its headers'}`
  return undefined
}

/** Links followed. A shim is none of the Pythons: it starts whichever one a folder or a setting chooses, found in a place of its own. */
async function realPaths(paths: string[]): Promise<string[]> {
  return Promise.all(paths.map(async (path) => realpath(path).catch(() => path)))
}

async function onPath(path: string): Promise<string[]> {
  const folders = [...new Set(path.split(':'))].filter((folder) => folder.startsWith('/'))
  return (await Promise.all(folders.map(pythonsIn))).flat()
}

async function ofPyenv(root: string): Promise<string[]> {
  const versions = await readdir(join(root, 'versions')).catch(() => [])
  const newestFirst = versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return (await Promise.all(newestFirst.map((version) => pythonsIn(join(root, 'versions', version, 'bin'))))).flat()
}

async function pythonsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => /^python(3(\.\d+)?)?$/.test(name)).sort().map((name) => join(folder, name))
}

async function ask(executable: string): Promise<Answer | undefined> {
  // Isolated: neither the current folder, nor the environment, nor the user's own modules decide what it says.
  const { stdout } = await execa(executable, ['-I', `${EMBEDDED}interpreter.py`], {
    env: TRUSTED_ENV, extendEnv: false, reject: false, stdin: 'ignore', stderr: 'ignore', timeout: ASK_MS, maxBuffer: 1 << 20, cwd: dirname(EMBEDDED),
  })
  try {
    return ANSWER.parse(JSON.parse(stdout ?? ''))
  } catch {
    return undefined
  }
}
