/** Whole installs of the sixty locked projects by pip and by uv, as their users run them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { lockOf } from '../../test/recording/folder.ts'
import { discard, scratch } from '../lib/folders.ts'
import { interleaved, type Sample } from '../lib/interleave.ts'
import { run } from '../lib/process.ts'
import type { Server } from '../rows/row.ts'
import { venv } from '../rows/venv.ts'
import type { Scenario } from './scenario.ts'

const CLIENTS = ['uv', 'pip'] as const
const PINS = ['pip==26.3', 'uv==0.13.9']

export const installs: Scenario = {
  name: 'installs', about: 'sixty pinned projects by uv and by pip, the client\'s caches empty each time: seconds, cold once and hot',
  async run(bench) {
    if (bench.upstream.recording === undefined) throw new Error('installs need the recording')
    const bin = await venv('clients', PINS)
    const folder = scratch('lock')
    const pinned = lockedProjects(bench.upstream.recording)
    const requirements = join(folder, 'requirements.txt')
    writeFileSync(requirements, `${pinned.join('\n')}\n`)
    const projects = pinned.map((pin) => pin.split('==')[0]!)
    return interleaved(bench, `Installs of ${pinned.length} pinned projects, seconds (client caches empty, into memory)`, [
      { key: 'uv cold', label: 'uv cold', shows: 'middle' }, { key: 'uv', label: 'uv hot', shows: 'middle' }, { key: 'pip', label: 'pip hot', shows: 'middle' }, { key: 'fetches', label: 'upstream requests, hot', shows: 'most' },
    ], { projects }, async (server) => {
      const cold = await install(bin, 'uv', server, requirements, pinned.length)
      let first = true
      return [...CLIENTS.map((client): Sample => async () => {
        await bench.upstream.forget()
        const seconds = await install(bin, client, server, requirements, pinned.length)
        const asked = [...(await bench.upstream.asked()).values()].reduce((sum, times) => sum + times, 0)
        const figures = { [client]: seconds, fetches: asked, ...first && { 'uv cold': cold } }
        first = false
        return figures
      })]
    })
  },
}

/** Seconds from the client's start to its end. Throws unless all is there afterwards. */
async function install(bin: string, client: typeof CLIENTS[number], server: Server, requirements: string, count: number): Promise<number> {
  const folder = scratch('install', true)
  const [target, cache] = [join(folder, 'target'), join(folder, 'cache')]
  const env = { HOME: folder, TMPDIR: folder, PIP_CONFIG_FILE: '/dev/null', UV_NO_CONFIG: '1', UV_PYTHON_DOWNLOADS: 'never' }
  const words = client === 'uv'
    ? ['pip', 'install', '--quiet', '--python', join(bin, 'python'), '--default-index', server.index, '--only-binary', ':all:', '--cache-dir', cache, '--target', target, '-r', requirements]
    : ['install', '--quiet', '--disable-pip-version-check', '--no-compile', '--index-url', server.index, '--only-binary', ':all:', '--cache-dir', cache, '--target', target, '-r', requirements]
  const began = performance.now()
  await run(join(bin, client), words, { env })
  const seconds = (performance.now() - began) / 1000
  const installed = (await readdir(target)).filter((name) => name.endsWith('.dist-info')).length
  discard(folder)
  if (installed !== count) throw new Error(`${client} installed ${installed} of ${count}`)
  return seconds
}

function lockedProjects(recording: string): string[] {
  return [...readFileSync(lockOf(recording), 'utf8').matchAll(/^([a-z0-9-]+==[^\s\\;]+)/gm)].map(([, pin = '']) => pin)
}
