import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, freePort, until, type Lab, type Muslin } from './lab.ts'

export interface Guard {
  /** PEM files of a certificate and its key: TLS ends here. */
  tls?: { cert: string; key: string }
  /** Who alone may come, by basic authentication. */
  user?: { name: string; password: string }
}

/** A proxy of a test's own, nginx as configured by default but for the Host header: it speaks HTTP/1.0 to us, so no 100 may be sent. Gives its port. */
export async function nginx(lab: Lab, web: Muslin, { tls, user }: Guard = {}): Promise<number> {
  const folder = await lab.folder()
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const listen = tls ? `listen ${port} ssl; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : `listen ${port};`
  await writeFile(file, `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { ${listen} ${user ? `auth_basic index; auth_basic_user_file ${folder}/users;` : ''} location / { proxy_pass http://127.0.0.1:${web.port}; proxy_set_header Host $http_host; } } }
`)
  if (user) await writeFile(join(folder, 'users'), `${user.name}:{PLAIN}${user.password}\n`, { mode: 0o644 })
  // Its workers are a plain user. Who may not write long answers to disk cuts them off.
  await chmod(folder, 0o755)
  const child = execa('nginx', ['-c', file, '-p', folder], { env: cleanEnv({ PATH: `${process.env['PATH']}:/usr/sbin` }), extendEnv: false, reject: false, all: true })
  lab.onClose(async () => { child.kill('SIGTERM'); await child })
  await until('nginx answers', () => listens(port), 20)
  return port
}

async function listens(port: number): Promise<true | undefined> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(undefined))
  })
}
