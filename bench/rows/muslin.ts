import { cp, mkdir, symlink } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NODE, ROOT, scratch } from '../lib/folders.ts'
import { run } from '../lib/process.ts'
import { nginx } from './nginx.ts'
import { serve, type Place, type Row, type Server } from './row.ts'

let app: Promise<string> | undefined

/** Laid out as in the image, and started as there. */
export const muslin: Row = {
  name: 'muslin', peer: false, caches: true, metadata: true,
  async prepare() {
    await layOut()
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    return `${version} (${(await run('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])).trim()}), Node ${(await run(NODE, ['--version'])).trim()}`
  },
  start: (place) => startMuslin(place),
}

/** The same behind nginx, which sends the files that Muslin names. */
export const muslinNginx: Row = {
  ...muslin, name: 'muslin-nginx',
  async prepare() {
    const version = await muslin.prepare()
    if (!readFileSync(join(ROOT, 'src/config/options.ts'), 'utf8').includes('xAccel')) throw new Error('this Muslin has no setting xAccel')
    return version
  },
  async start(place) {
    const behind = await startMuslin(place, ['--x-accel', '/blobs/', '--trusted-proxies', '127.0.0.1'])
    const front = await nginx({
      folder: join(place.folder, 'nginx'), path: '/simple/',
      server: `location / { proxy_pass http://muslin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Sendfile-Type X-Accel-Redirect; }
    location /blobs/ { internal; alias ${place.folder}/data/blobs/; }`,
      http: `upstream muslin { server ${new URL(behind.index).host}; keepalive 64; keepalive_requests 1000000000; }`,
    })
    return { index: front.index, pids: [...front.pids, ...behind.pids], async stop() { await Promise.all([front.stop(), behind.stop()]) } }
  },
}

async function startMuslin({ folder, upstream, freshFor }: Place, more: string[] = []): Promise<Server> {
  const app = await layOut()
  const main = join(app, 'src/main.js')
  const { flags, env } = launcher()
  return serve(NODE, (port) => [...flags, main, 'serve', '--builder', 'none', '--host', '127.0.0.1', '--port', String(port), '--data', join(folder, 'data'), '--upstream', upstream.index,
    '--log-level', 'warn', ...freshFor === undefined ? [] : ['--page-freshness', `${freshFor}s`], ...more], '/simple/', { folder, env: () => ({ ...env, PATH: join(app, 'path') }) })
}

/** What the image gives to Node, and sets for it. */
function launcher(): { flags: string[]; env: Record<string, string> } {
  const script = readFileSync(join(ROOT, 'docker/muslin'), 'utf8')
  const [flags, exported] = [/^exec node (.*)\/opt\/muslin\/src\/main\.js/m, /^export (MALLOC_.*)$/m].map((line) => line.exec(script)?.[1])
  if (flags === undefined || exported === undefined) throw new Error('docker/muslin no longer says how Node is started')
  return { flags: words(flags), env: Object.fromEntries(words(exported).map((word) => word.split('=') as [string, string])) }
}

function words(text: string): string[] {
  return text.split(' ').filter(Boolean)
}

/** Compiled and laid out once a run. */
function layOut(): Promise<string> {
  app ??= (async () => {
    const folder = scratch('muslin')
    await run('npm', ['run', '--silent', 'build', '--', '--outDir', folder], { cwd: ROOT })
    for (const part of ['builders', 'package.json', 'src/ui/assets']) await cp(join(ROOT, part), join(folder, part), { recursive: true })
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    // The image has no pip that could be asked; what starts the row is all that is found.
    await mkdir(join(folder, 'path'))
    await symlink((await run('sh', ['-c', 'command -v taskset'])).trim(), join(folder, 'path/taskset'))
    return folder
  })()
  return app
}
