/** The compilers of the embedded engine: zig with our wrappers, and what every build would else compile anew. */
import { chmod, copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
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

/** Compiled by way of the wrappers themselves, so that builds find just these libraries. A program takes all of musl, an extension next to nothing. */
const SOURCES: Record<Warmth, { name: string; text: string; links: string[][] }[]> = {
  'c': [{ name: 'a.c', text: '#include <stdlib.h>\nvoid *f(int n) { return malloc(n); }\n', links: [['cc', '-shared']] }],
  'c++': [
    { name: 'a.c', text: '#include <stdlib.h>\nvoid *f(int n) { return malloc(n); }\n', links: [['cc', '-shared']] },
    { name: 'b.c', text: 'int main(void) { return 0; }\n', links: [['cc']] },
    { name: 'c.cpp', text: '#include <stdexcept>\n#include <string>\n#include <vector>\nint g(int n) { try { std::vector<std::string> v(n, "x"); if (n > 5) throw std::runtime_error("e"); return v.size(); } catch (std::exception &) { return -1; } }\nint main() { return g(1); }\n', links: [['c++', '-shared'], ['c++']] },
  ],
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
    await mkdir(work)
    for (const { name, text, links } of SOURCES[given.warmth]) {
      await writeFile(join(work, name), text)
      for (const [wrapper = '', ...flags] of links) {
        await runTrusted(join(given.compiler, 'bin', wrapper), ['-O2', '-fPIC', ...flags, name, '-o', 'out'], { cwd: work, idle: given.idle, env: { TMPDIR: work, HOME: work } })
      }
    }
    for (const part of ['b', 'h', 'o']) await rename(join(work, 'muslin-zig', part), join(folder, part))
    await rm(work, { recursive: true })
    given.log.info(`${given.warmth === 'c' ? 'C' : 'C++'} for musl is ready after ${seconds(began)} s, ${(await readdir(join(folder, 'o'))).length} objects`)
  })
}

function seconds(began: number): string {
  return ((Date.now() - began) / 1000).toFixed(1)
}
