/**
 * `npm run record`: keeps what pip and uv get from the machine's own index while they install the sixty projects of `sixty.txt`, and the pages
 * of what the end-to-end suites install, under ~/.cache/muslin-recording (MUSLIN_RECORDING names another folder), without the names of its hosts.
 * `-- NAME…` keeps the pages of these projects alone; `-- --run COMMAND…` runs a command that takes its index from PIP_INDEX_URL and UV_DEFAULT_INDEX, and
 * keeps what it gets (`npm run record -- --run npm run test:e2e -- waiting`). Nothing of it is ever committed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { lockedProjects, lockOf, put, RECORDING } from './folder.ts'
import { cleanEnvironment, startRecorder, type Recorder } from './recorder.ts'
import { suiteProjects } from './suites.ts'

const SIXTY = new URL('./sixty.txt', import.meta.url)
const [first, ...rest] = process.argv.slice(2)

const recorder = await startRecorder(RECORDING)
try {
  if (first === '--run') await run(rest[0] ?? '', rest.slice(1), { ...process.env, PIP_INDEX_URL: recorder.url, UV_DEFAULT_INDEX: recorder.url })
  else if (first !== undefined) await pages([first, ...rest])
  else {
    await sixty(recorder)
    await pages(await suiteProjects())
  }
} finally {
  await recorder.close()
}

/** Resolved by uv, then installed by both. */
async function sixty({ url }: Recorder): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'muslin-record-'))
  const venv = join(folder, 'venv')
  const [python, uv] = [join(venv, 'bin/python'), join(venv, 'bin/uv')]
  const env = { ...cleanEnvironment(), UV_CACHE_DIR: join(folder, 'uv'), VIRTUAL_ENV: venv }
  try {
    await run('python3', ['-m', 'venv', venv], env)
    await run(python, ['-m', 'pip', 'install', '--quiet', '--upgrade', 'pip', 'uv'], env)
    const lock = join(folder, 'sixty.lock')
    await run(uv, ['pip', 'compile', '--quiet', '--python', python, '--default-index', url, '--only-binary', ':all:', '--generate-hashes', '--no-header', '--no-annotate',
      '--no-emit-index-url', '--output-file', lock, SIXTY.pathname], env)
    await put(lockOf(RECORDING), await readFile(lock))
    await run(uv, ['pip', 'install', '--quiet', '--default-index', url, '--only-binary', ':all:', '--require-hashes', '--target', join(folder, 'by-uv'), '-r', lock], env)
    await run(python, ['-m', 'pip', 'install', '--quiet', '--index-url', url, '--only-binary', ':all:', '--no-cache-dir', '--require-hashes', '--target', join(folder, 'by-pip'), '-r', lock], env)
    console.log(`${(await lockedProjects(RECORDING)).size} projects are locked and recorded in ${RECORDING}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function pages(projects: string[]): Promise<void> {
  const waiting = [...projects]
  let kept = 0
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) if (await recorder.page(project).catch(() => false)) kept += 1
  }))
  console.log(`${kept} of ${projects.length} pages are recorded in ${RECORDING}`)
}

async function run(command: string, words: string[], env: Record<string, string | undefined>): Promise<void> {
  await execa(command, words, { env, extendEnv: false, stdio: 'inherit' })
}
