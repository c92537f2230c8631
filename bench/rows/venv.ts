import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from '../lib/folders.ts'
import { run } from '../lib/process.ts'

/** A venv with these pinned distributions, made once; its `bin` folder. pip finds its index by the machine's own configuration. */
export async function venv(name: string, pins: string[]): Promise<string> {
  const folder = join(cached('venvs'), [name, ...pins].join('_').replaceAll('==', '-'))
  const done = join(folder, 'done')
  if (!existsSync(done)) {
    rmSync(folder, { recursive: true, force: true })
    console.error(`  installing ${pins.join(', ')}`)
    await run('python3', ['-m', 'venv', folder])
    await run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...pins])
    writeFileSync(done, '')
  }
  return join(folder, 'bin')
}
