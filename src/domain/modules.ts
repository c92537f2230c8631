/** What can be imported of a wheel, by the names of its members. */

export interface WheelModules {
  /** Modules and packages that a user would import, packages of a namespace by their full name. */
  top: string[]
  /** Extension modules by their full name. */
  extensions: string[]
}

const IDENTIFIER = /^[A-Za-z_]\w*$/
const EXTENSION = /^([A-Za-z_]\w*)(?:\.cpython-3\d+[\w-]*|\.abi3)?\.so$/

/** `isModule` tells whether a shared library is an extension module: it has an init function (PEP 3121), which a library beside it lacks. */
export function modulesOf(names: string[], isModule: (name: string, module: string) => boolean): WheelModules {
  const paths = names.flatMap((name) => importable(name) ?? [])
  const packages = new Set(paths.filter(({ file }) => file === '__init__.py' || file.startsWith('__init__.')).map(({ folders }) => folders.join('.')))
  const top = new Set<string>()
  const extensions = new Set<string>()
  for (const { name, folders, file } of paths) {
    const extension = EXTENSION.exec(file)?.[1]
    const module = extension ?? (file.endsWith('.py') ? file.slice(0, -3) : undefined)
    if (module === undefined || !IDENTIFIER.test(module)) continue
    if (extension !== undefined && !isModule(name, module)) continue
    const whole = module === '__init__' ? folders : [...folders, module]
    if (whole.length === 0) continue
    if (extension !== undefined) extensions.add(whole.join('.'))
    if (module === '__main__' || module === 'setup' && folders.length === 0) continue
    const first = whole.findIndex((_, index) => packages.has(whole.slice(0, index + 1).join('.')))
    // A file below a folder that is no package may be anything, a script or a template: only a namespace's packages count.
    if (first >= 0) top.add(whole.slice(0, first + 1).join('.'))
    else if (whole.length === 1) top.add(whole[0]!)
  }
  return { top: [...top].sort(), extensions: [...extensions].filter((name) => !top.has(name)).sort() }
}

/** The member as installed below site-packages; undefined for what is not. PEP 427 "The .data directory". */
function importable(name: string): { name: string; folders: string[]; file: string } | undefined {
  const parts = name.split('/')
  if (parts[0]?.endsWith('.dist-info')) return undefined
  if (parts[0]?.endsWith('.data')) {
    if (parts[1] !== 'purelib' && parts[1] !== 'platlib') return undefined
    parts.splice(0, 2)
  }
  const file = parts.pop()
  return file !== undefined && file !== '' && parts.every((part) => IDENTIFIER.test(part)) ? { name, folders: parts, file } : undefined
}
