import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, freePort, until, type Lab, type Muslin } from './lab.ts'

/**
 * A proxy of a test's own, nginx as configured by default but for these directives: unless they say otherwise it speaks HTTP/1.0 to us, so no 100 may
 * be sent. Of several servers each request goes to the next one. Gives its port.
 */
export async function nginx(lab: Lab, web: Muslin | Muslin[], directives = 'proxy_set_header Host $http_host;'): Promise<number> {
  const folder = await lab.folder()
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const servers = [web].flat().map((one) => `127.0.0.1:${one.port}`)
  const [group, address] = servers.length === 1 ? ['', servers[0]] : [`upstream several { ${servers.map((server) => `server ${server};`).join(' ')} }`, 'several']
  await writeFile(file, `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  ${group}
  server { listen ${port}; location / { proxy_pass http://${address}; ${directives} } } }
`)
  const child = execa('nginx', ['-c', file, '-p', folder], { env: cleanEnv({ PATH: `${process.env['PATH']}:/usr/sbin` }), extendEnv: false, reject: false, all: true })
  lab.onClose(async () => { child.kill('SIGTERM'); await child })
  await until('nginx answers', async () => ((await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok ? true : undefined), 20)
  return port
}
