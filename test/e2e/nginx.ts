import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, freePort, until, type Lab, type Muslin } from './lab.ts'
import { listens } from './ports.ts'

export const HOST_HEADER = 'proxy_set_header Host $http_host;'

/**
 * A proxy of a test's own, nginx as configured by default but for these directives: unless they say otherwise it speaks HTTP/1.0 to us, so no 100 may
 * be sent. Of several servers each request goes to the next one. With `tls`, paths of a certificate and its key, it speaks https. `locations` stand
 * beside the one that is passed on; `user` is whose its workers are. Gives its port.
 */
export async function nginx(lab: Lab, web: Muslin | Muslin[], directives = HOST_HEADER, tls?: { cert: string; key: string }, more: { user?: string; locations?: string } = {}): Promise<number> {
  const folder = await lab.folder()
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const servers = [web].flat().map((one) => `127.0.0.1:${one.port}`)
  const [group, address] = servers.length === 1 ? ['', servers[0]] : [`upstream several { ${servers.map((server) => `server ${server};`).join(' ')} }`, 'several']
  const listen = tls ? `listen ${port} ssl; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : `listen ${port};`
  // Its workers are a plain user, and one that may not write a long answer to disk cuts it off.
  await chmod(folder, 0o755)
  await writeFile(file, `${more.user === undefined ? '' : `user ${more.user}; `}daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  ${group}
  server { ${listen} location / { proxy_pass http://${address}; ${directives} } ${more.locations ?? ''} } }
`)
  const child = execa('nginx', ['-c', file, '-p', folder], { env: cleanEnv({ PATH: `${process.env['PATH']}:/usr/sbin` }), extendEnv: false, reject: false, all: true })
  lab.onClose(async () => { child.kill('SIGTERM'); await child })
  await until('nginx answers', () => listens(port), 20)
  return port
}
