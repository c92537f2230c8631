/** What scenarios with apks share: a repository on loopback, sdists that lack libraries, and what is left on the engine. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeRepository } from '../standin/apk/repository.ts'
import type { StandinAlpine } from '../standin/apk/standin.ts'
import { CLEAN, docker, LABEL, type Lab } from './lab.ts'

const BRANCH = '/alpine/v3.19/main/'

/** The repository that the stand-in's images name. `spoil` is a file whose bytes it changes. */
export async function serveRepository(lab: Lab, { apks, key }: Pick<StandinAlpine, 'apks' | 'key'>) {
  let files = await makeRepository(apks, key)
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    const found = path.startsWith(BRANCH) ? files.get(path.slice(BRANCH.length)) : undefined
    if (!found) return void response.writeHead(404).end()
    const bytes = Buffer.from(found)
    if (repository.spoil !== undefined && path.endsWith(`/${repository.spoil}`)) bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const repository = {
    mirror: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alpine`,
    requests,
    spoil: undefined as string | undefined,
    /** From now on it has these apks. */
    async publish(others: StandinAlpine['apks']) { files = await makeRepository(others, key) },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  lab.onClose(() => repository.close())
  return repository
}

/** The same apks by somebody else, who calls the key as the image does. */
export function stranger({ apks }: StandinAlpine): Pick<StandinAlpine, 'apks' | 'key'> {
  const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { apks, key: { name: 'standin.rsa.pub', privateKey } }
}

/** An extension that calls a library without its header. */
export function calling(project: string, library: string, prelude = '', include = '') {
  const module = `_${project.replaceAll('-', '_')}`
  const call = library === 'z' ? 'zlibVersion() != 0' : `${library}_turns()`
  return {
    prelude,
    c: `${include}#include <Python.h>
${library === 'z' ? 'extern const char *zlibVersion(void);' : `extern int ${library}_turns(void);`}
static PyObject *turns(PyObject *self, PyObject *none) { return PyLong_FromLong(${call}); }
static PyMethodDef methods[] = {{"turns", turns, METH_NOARGS, 0}, {0}};
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, "${module}", 0, -1, methods };
PyMODINIT_FUNC PyInit_${module}(void) { return PyModule_Create(&def); }
`,
    inBuild: `for extension in self.extensions: extension.libraries.append("${library}")`,
  }
}

/** The address of another container on an engine's network, which takes connections on port 8000. */
export async function neighbour(lab: Lab, network: string): Promise<string> {
  const id = (await docker(['run', '--detach', '--rm', '--label', LABEL, '--network', network, CLEAN, 'python', '-m', 'http.server', '8000'])).trim()
  lab.onClose(async () => void await docker(['rm', '--force', id]))
  return (await docker(['inspect', '--format', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, id])).trim()
}

/** Those that apks were added to. */
export async function removeImages(instance: string): Promise<number> {
  const images = new Set((await docker(['image', 'ls', '--quiet', '--filter', `label=muslin.instance=${instance}`, '--filter', 'label=muslin.key'])).split('\n').filter(Boolean))
  if (images.size > 0) await docker(['image', 'rm', '--force', ...images])
  return images.size
}
