/** Tiny sdists made in the test: real archives that real pips build. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'

export interface Sdist { filename: string; bytes: Buffer; sha256: string; project: string; version: string }

const EXTENSION = `#include <Python.h>
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, "NAME", 0, -1, 0 };
PyMODINIT_FUNC PyInit_NAME(void) { return PyModule_Create(&def); }
`

/**
 * A project with one C extension. `prelude` is Python put at the head of setup.py, run at each hook; `inBuild` runs inside the
 * compile step only. With `staticMetadata` its PKG-INFO is 2.2, so that no metadata step is needed.
 */
export async function makeSdist(options: { project: string; version?: string; prelude?: string; inBuild?: string; c?: string; requires?: string[]; staticMetadata?: boolean; files?: Record<string, string> }): Promise<Sdist> {
  const { project } = options
  const version = options.version ?? '1.0'
  const module = `_${project.replaceAll('-', '_')}`
  const requires = options.requires ?? ['setuptools']
  const files: Record<string, string> = {
    'PKG-INFO': `Metadata-Version: ${options.staticMetadata === false ? '2.1' : '2.2'}\nName: ${project}\nVersion: ${version}\n`,
    'pyproject.toml': `[build-system]\nrequires = ${JSON.stringify(requires)}\nbuild-backend = "setuptools.build_meta"\n`,
    [`${module}.c`]: options.c ?? EXTENSION.replaceAll('NAME', module),
    'setup.py': `${options.prelude ?? ''}
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

class Build(build_ext):
    def run(self):
${(options.inBuild ?? 'pass').split('\n').map((line) => `        ${line}`).join('\n')}
        super().run()

setup(name=${JSON.stringify(project)}, version=${JSON.stringify(version)}, ext_modules=[Extension(${JSON.stringify(module)}, [${JSON.stringify(`${module}.c`)}])], cmdclass={"build_ext": Build})
`,
    ...options.files,
  }
  return packSdist(project, version, files)
}

/** An sdist that holds these files, by their paths in its folder. */
export async function packSdist(project: string, version: string, files: Record<string, string>): Promise<Sdist> {
  const folder = `${project}-${version}`
  const pack = tar.pack()
  for (const [name, text] of Object.entries(files)) pack.entry({ name: `${folder}/${name}`, mtime: new Date(1_700_000_000_000) }, text)
  pack.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of pack) chunks.push(chunk as Buffer)
  return sdistOf({ project, version, filename: `${folder}.tar.gz`, bytes: gzipSync(Buffer.concat(chunks)) })
}

/** With the hash that its page tells. */
export function sdistOf(given: Omit<Sdist, 'sha256'>): Sdist {
  return { ...given, sha256: createHash('sha256').update(given.bytes).digest('hex') }
}
