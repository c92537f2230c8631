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

export type Warmth = 'c' | 'c++'

/**
 * Linked by way of the wrappers themselves, so that builds find just these libraries: an extension takes next to none of them, a program all of
 * musl.
 */
const LINKS: Record<Warmth, string[][]> = {
  'c': [['cc', '-shared', 'extension.c']],
  'c++': [['cc', '-shared', 'extension.c'], ['cc', 'program.c'], ['c++', '-shared', 'both.cpp'], ['c++', 'both.cpp']],
}

/**
 * A warm cache at `path`, for the compilers in `compiler`: for C what links extensions (seconds), for C++ its library and what links programs too (a
 * minute or more). `idle`: nobody waits for it yet.
 */
export async function makeCache(path: string, given: { compiler: string; warmth: Warmth; idle: boolean; log: Logger }): Promise<void> {
  await publishFolder(path, async (folder) => {
    const began = Date.now()
    given.log.info(given.warmth === 'c' ? 'compiling what links C for musl' : 'compiling the library of C++ for musl: it takes a minute or more, once')
    const work = join(folder, 'work')
    await cp(`${EMBEDDED}warm`, work, { recursive: true })
    for (const [wrapper = '', ...words] of LINKS[given.warmth]) {
      const program = join(given.compiler, 'bin', wrapper)
      await runTrusted(program, ['-O2', '-fPIC', ...words, '-o', 'out'], { cwd: work, idle: given.idle, env: { TMPDIR: work, HOME: work } })
    }
    for (const part of ['b', 'h', 'o']) await rename(join(work, 'muslin-zig', part), join(folder, part))
    await rm(work, { recursive: true })
    given.log.info(`${given.warmth === 'c' ? 'C' : 'C++'} for musl is ready after ${seconds(began)} s`)
  })
}

function seconds(began: number): string {
  return ((Date.now() - began) / 1000).toFixed(1)
}
