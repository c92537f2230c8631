/** The compilers of the embedded engine: zig with our wrappers, and what every build would else compile anew. */
import { chmod, copyFile, cp, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { EMBEDDED } from './interpreters.ts'
import { zigWheel } from './pins.ts'
import { publishFolder } from './publish.ts'
import { runTrusted } from './trusted.ts'
import { unpackPinned, type OpenWheel } from './unpack.ts'

/** Names by which builds call our wrappers. */
const WRAPPERS = {
  compile: ['cc', 'gcc', 'clang', 'c89', 'c99', 'c++', 'g++', 'clang++'],
  archive: ['ar', 'ranlib', 'gcc-ar', 'gcc-ranlib'],
  strip: ['strip'],
}

/** Headers and libraries of other systems and processors: more than half of the files. */
function foreign(cpu: string): string {
  const family = cpu === 'x86_64' ? 'x86(_64)?' : '(arm|aarch64)'
  return `ziglang/lib/(docs/|libtsan/|libc/(mingw|wasi|darwin|freebsd|netbsd|openbsd|glibc)/|libc/include/(?!generic-musl/|any-linux-any/|${family}-linux-(any|musl)/))`
}

/** `zig` and `bin` in a new folder at `path`. `python` unpacks it. */
export async function makeCompiler(path: string, given: { cpu: string; python: string; wheel: OpenWheel; log: Logger }): Promise<void> {
  await publishFolder(path, async (folder) => {
    const pinned = zigWheel(given.cpu)
    given.log.info(`fetching zig ${pinned.version}, the compiler of the embedded engine, ${Math.round(pinned.size / 1e6)} MB`)
    const began = Date.now()
    await unpackPinned(pinned, { ...given, folder, unwanted: foreign(given.cpu) })
    await rename(join(folder, 'ziglang'), join(folder, 'zig'))
    await chmod(join(folder, 'zig', 'zig'), 0o755)
    await mkdir(join(folder, 'bin'))
    for (const [wrapper, names] of Object.entries(WRAPPERS)) {
      await copyFile(`${EMBEDDED}bin/${wrapper}`, join(folder, 'bin', wrapper))
      await chmod(join(folder, 'bin', wrapper), 0o755)
      for (const name of names.filter((one) => one !== wrapper)) await symlink(wrapper, join(folder, 'bin', name))
    }
    given.log.info(`zig ${pinned.version} is there after ${seconds(began)} s`)
  })
}

/** What is compiled before any build, in this order; each holds the ones before it, and is far more work than they are. */
export const WARMTHS = ['c', 'c++', 'programs'] as const

export type Warmth = typeof WARMTHS[number]

/**
 * Linked by way of the wrappers themselves, so that builds find just these libraries. An extension in C takes next to nothing, one in C++ takes
 * its library, and a program, as configure scripts make them, all of musl.
 */
const STAGES: Record<Warmth, { what: string; links: string[][] }> = {
  'c': { what: 'what links C for musl', links: [['cc', '-shared', 'extension.c']] },
  'c++': { what: 'the library of C++ for musl', links: [['c++', '-shared', 'both.cpp']] },
  'programs': { what: 'musl itself, for programs that builds run', links: [['cc', 'program.c'], ['c++', 'both.cpp']] },
}

/** A warm cache at `path`, for the compilers in `compiler`, from the one `before` it. `idle`: nobody waits for it yet. */
export async function makeCache(path: string, given: { compiler: string; warmth: Warmth; before: string | undefined; idle: boolean; log: Logger }): Promise<void> {
  await publishFolder(path, async (folder) => {
    const { what, links } = STAGES[given.warmth]
    const began = Date.now()
    given.log.info(`compiling ${what}${given.warmth === 'c' ? '' : ', a minute of work'}`)
    const work = join(folder, 'work')
    await cp(`${EMBEDDED}warm`, work, { recursive: true })
    const env = { TMPDIR: work, HOME: work, ...(given.before === undefined ? {} : { MUSLIN_CACHE: given.before }) }
    for (const [wrapper = '', ...words] of links) {
      await runTrusted(join(given.compiler, 'bin', wrapper), ['-O2', '-fPIC', ...words, '-o', 'out'], { cwd: work, idle: given.idle, env })
    }
    // What came from the one before is linked to.
    for (const part of ['b', 'h', 'o']) await cp(join(work, 'muslin-zig', part), join(folder, part), { recursive: true, dereference: true })
    await rm(work, { recursive: true })
    given.log.info(`compiled ${what}: ${seconds(began)} s`)
  })
}

function seconds(began: number): string {
  return ((Date.now() - began) / 1000).toFixed(1)
}
