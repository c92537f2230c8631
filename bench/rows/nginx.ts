import { writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fetchBody, pageHeaders } from '../lib/client.ts'
import { run } from '../lib/process.ts'
import { BIG, HUGE } from '../upstream/made.ts'
import { fill, filesOf } from '../upstream/listing.ts'
import { serve, type Place, type Row, type Server } from './row.ts'

const TYPES = 'types { application/vnd.pypi.simple.v1+json json; text/html html; } default_type application/octet-stream;'

/** What a server can do that has nothing to do: pages that lie there compressed, and files. The limit. */
export const nginxStatic: Row = {
  name: 'nginx-static', peer: false, caches: false, metadata: true,
  prepare: nginxVersion,
  async start(place) {
    const root = await readyPages(place)
    const recorded = place.upstream.recording ?? '/nonexistent'
    return nginx({
      folder: place.folder, path: '/simple/',
      http: `map $http_accept $format { default html; ~json json; }
  map $http_accept $vary { default Accept; }`,
      server: `root ${root}; ${TYPES} gzip_static on; open_file_cache max=10000 inactive=10m;
    location ~ ^/simple/[^/]+/$ { add_header Cache-Control max-age=600; try_files $uri/index.$format =404; }
    location /files/ { gzip_static off; try_files $uri @recorded; }
    location @recorded { gzip_static off; root ${recorded}; }`,
    })
  },
}

/** What twenty lines of configuration give a team that has no product: it must change where files are, for the real upstream has them on another host. */
export const nginxCache: Row = {
  name: 'nginx-cache', peer: false, caches: true, metadata: true,
  prepare: nginxVersion,
  async start({ folder, upstream, freshFor = 600 }) {
    const origin = new URL(upstream.index).host
    return nginx({
      folder, path: '/simple/',
      http: `map $http_accept $format { default html; ~json json; }
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=c:50m max_size=20g inactive=30d use_temp_path=off;
  upstream index { server ${origin}; keepalive 16; }`,
      server: `proxy_cache c; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Accept-Encoding ""; proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;
    proxy_read_timeout 30s; proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504; proxy_cache_background_update on; proxy_ignore_headers Cache-Control Expires Vary;
    location /simple/ { proxy_pass http://index; proxy_cache_key $format$uri; proxy_cache_valid 200 ${freshFor}s; sub_filter '../../files/' '/files/'; sub_filter_once off; sub_filter_types *;
      gzip on; gzip_proxied any; gzip_comp_level 1; gzip_types application/vnd.pypi.simple.v1+json; }
    location /files/ { proxy_pass http://index; proxy_cache_key $uri; proxy_cache_valid 200 365d; }`,
    })
  },
}

/** Starts an nginx with one worker; its directives for http and for the server come from the row. */
export async function nginx({ folder, path, http, server }: { folder: string; path: string; http: string; server: string }): Promise<Server> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const configure = (port: number): string => `daemon off; ${user} worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log; worker_rlimit_nofile 20000;
events { worker_connections 8000; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 600; keepalive_requests 1000000000; ${temporary}
  ${http}
  server { listen 127.0.0.1:${port} backlog=4096;
    ${server}
  }
}
`
  return serve('nginx', (port) => {
    writeFileSync(file, configure(port))
    return ['-c', file, '-p', folder]
  }, path, { folder })
}

async function nginxVersion(): Promise<string> {
  return (await run('nginx', ['-v'])).trim().replace('nginx version: nginx/', '')
}

/** A folder of ready pages, of each project of `place`. */
export async function readyPages(place: Place): Promise<string> {
  const root = join(place.folder, 'root')
  for (const project of place.projects) await putProject(root, place, project)
  return root
}

/** A project's pages as ready files, and its made files that may be asked for; recorded ones lie where they were recorded. */
async function putProject(root: string, { upstream }: Place, project: string): Promise<void> {
  const folder = join(root, 'simple', project)
  await mkdir(folder, { recursive: true })
  for (const format of ['json', 'html'] as const) {
    const { body } = await fetchBody(`${upstream.index}${project}/`, pageHeaders(format))
    await writeFile(join(folder, `index.${format}`), body)
    await writeFile(join(folder, `index.${format}.gz`), gzipSync(body, { level: 6 }))
  }
  if (project !== BIG.project && project !== HUGE.project && upstream.recording !== undefined) return
  const listed = await filesOf(upstream.index, project)
  // Scenarios ask for the first or the newest of a project.
  for (const file of new Set([listed[0]!, listed.at(-1)!])) await fill(join(root, 'files', file.sha256), file)
}
