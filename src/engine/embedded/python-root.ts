/** An interpreter of the machine, set apart from all that is installed for it, with a pip of our own. */
import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { EMBEDDED, type Interpreter } from './interpreters.ts'
import { pipWheel } from './pins.ts'
import { publishFolder } from './publish.ts'
import { correctSysconfig, SYSCONFIG_MODULE, sysconfigModule, type BuildVariables } from './sysconfig.ts'
import { runTrusted } from './trusted.ts'
import { unpackPinned, type OpenWheel } from './unpack.ts'

/**
 * In a new folder at `path`: `bin` with python3, `lib` with pip, as a virtual environment; `sysconfig` with the corrected module, and
 * `headers` with those that Python.h looks for beside the compiler's own.
 */
export async function makePythonRoot(path: string, given: { interpreter: Interpreter; cpu: string; wheel: OpenWheel; log: Logger }): Promise<void> {
  const { interpreter, cpu, wheel, log } = given
  await publishFolder(path, async (folder) => {
    const { executable, minor, version } = interpreter
    log.info(`preparing CPython ${version} (${executable})`)
    const packages = join(folder, 'lib', `python${minor}`, 'site-packages')
    for (const one of [packages, join(folder, 'bin'), join(folder, 'sysconfig'), join(folder, 'headers')]) await mkdir(one, { recursive: true })
    await writeFile(join(folder, 'pyvenv.cfg'), `home = ${dirname(executable)}\ninclude-system-site-packages = false\nversion = ${version}\n`)
    await symlink(executable, join(folder, 'bin', `python${minor}`))
    // A link of this name would take the folder's own python3 for what it was made from, which may be of another version.
    for (const name of ['python3', 'python']) await writeFile(join(folder, 'bin', name), `#!/bin/sh\nexec "\${0%/*}/python${minor}" "$@"\n`, { mode: 0o755 })
    await unpackPinned(pipWheel(), { python: executable, folder: packages, wheel })
    const told = JSON.parse(await runTrusted(executable, ['-I', `${EMBEDDED}interpreter.py`, '--config'])) as BuildVariables
    await writeFile(join(folder, 'sysconfig', `${SYSCONFIG_MODULE}.py`), sysconfigModule(correctSysconfig(told, { minor, cpu })))
    await copyHeaders(interpreter, join(folder, 'headers'))
    // Read-only later: without byte code each start of pip would take seconds.
    await runTrusted(executable, ['-I', '-m', 'compileall', '-q', '-j', '2', '--invalidation-mode', 'unchecked-hash', packages, join(folder, 'sysconfig')])
  })
}

/** Debian's pyconfig.h includes one in a folder of /usr/include, of which builds see nothing else. */
async function copyHeaders({ include }: Interpreter, to: string): Promise<void> {
  for (const from of include.slice(1)) {
    const folder = join(to, basename(dirname(from)), basename(from))
    await mkdir(folder, { recursive: true })
    for (const name of (await readdir(from)).filter((one) => one.endsWith('.h'))) await copyFile(join(from, name), join(folder, name))
  }
}
