/** What a box shows of an interpreter and its compilers. Pure. */
import type { Interpreter } from './interpreters.ts'
import type { Root } from './roots.ts'
import { SYSCONFIG_MODULE } from './sysconfig.ts'

/** Where it lies in a box: fixed, so that no build learns where it does on this machine. */
const PLACE = '/opt/muslin'
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Every box has these anyway, but not the headers below them. */
const SHOWN = /^\/(usr|bin|sbin|lib(32|64|x32)?)(\/|$)/
const HEADERS = /^\/usr\/(local\/)?include(\/|$)/

/** `folders` are what was made ready for it; without a compiler it is the interpreter alone. */
export function rootOf({ prefixes, include }: Pick<Interpreter, 'prefixes' | 'include'>, folders: { python: string; compiler?: string; cache?: string }): Root {
  const { python, compiler, cache } = folders
  const own = [
    ...prefixes.filter((path) => !SHOWN.test(path)),
    ...include.filter((path) => HEADERS.test(path) || !(SHOWN.test(path) || prefixes.some((prefix) => path.startsWith(`${prefix}/`)))),
  ]
  const binds = [...own.map((path) => ({ from: path, to: path })), { from: python, to: `${PLACE}/python` }]
  if (compiler === undefined || cache === undefined) return { binds, env: { PATH: `${PLACE}/python/bin:${PATH}` } }
  return {
    binds: [...binds, { from: compiler, to: `${PLACE}/compiler` }, { from: cache, to: `${PLACE}/cache` }],
    env: {
      PATH: `${PLACE}/compiler/bin:${PLACE}/python/bin:${PATH}`,
      PYTHONPATH: `${PLACE}/python/sysconfig`,
      _PYTHON_SYSCONFIGDATA_NAME: SYSCONFIG_MODULE,
      MUSLIN_CACHE: `${PLACE}/cache`,
      MUSLIN_HEADERS: `${PLACE}/python/headers`,
      // What pkg-config would find is the machine's own.
      PKG_CONFIG_LIBDIR: `${PLACE}/none`,
    },
  }
}
