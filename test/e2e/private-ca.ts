import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv } from './lab.ts'

/** A CA that no system knows, and a server's certificate for `host` that it signed: paths of both and of the key, and the CA's own PEM text. */
export async function makeCertificate(folder: string, host: string): Promise<{ cert: string; key: string; ca: string }> {
  const openssl = (...words: string[]) => execa('openssl', words, { cwd: folder, env: cleanEnv(), extendEnv: false })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Muslin test CA', '-addext', 'keyUsage=critical,keyCertSign')
  await openssl('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${host}`)
  // Newer Pythons and OpenSSLs refuse a certificate that does not name its issuer's key.
  await writeFile(join(folder, 'extensions'), `subjectAltName=DNS:${host}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n`)
  await openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions', '-out', 'server.pem')
  // nginx starts as root and reads it then.
  await chmod(join(folder, 'server.key'), 0o600)
  return { cert: join(folder, 'server.pem'), key: join(folder, 'server.key'), ca: await readFile(join(folder, 'ca.pem'), 'utf8') }
}
