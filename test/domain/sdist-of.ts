import type { SdistContents } from '../../src/domain/plan.ts'
import { isScript } from '../../src/domain/plan-contents.ts'

/** An sdist in short: texts by the names that they are known by, or by any path; files that count by their names or endings. */
export interface Given {
  folder?: string
  pkgInfo?: string
  pyproject?: string
  setupPy?: string
  setupCfg?: string
  mesonBuild?: string
  cmakeLists?: string
  texts?: Record<string, string>
  /** Endings, each of one file of 1000 bytes. */
  sources?: string[]
  scripts?: string[]
}

export function sdistOf({ folder = 'demo-1.0', texts = {}, sources = [], scripts = [], ...named }: Given): SdistContents {
  const paths = { pkgInfo: 'PKG-INFO', pyproject: 'pyproject.toml', setupPy: 'setup.py', setupCfg: 'setup.cfg', mesonBuild: 'meson.build', cmakeLists: 'CMakeLists.txt' }
  const given = Object.entries(named).map(([name, text]) => [paths[name as keyof typeof paths], text] as const)
  return {
    folder, entries: 1, bytes: 1, texts: new Map([...given, ...Object.entries(texts)]),
    sources: sources.map((ending) => ({ ending, files: 1, bytes: 1000 })),
    scripts: scripts.filter(isScript),
  }
}
