/**
 * The version of projects whose build asks their repository for it: each such tool has an environment variable that answers instead. Tried
 * with all of these: sdists that they made themselves build without it, but a repository's archive, or an sdist without its PKG-INFO,
 * only with it.
 */
import { requiresProject, tableAt, type BuildSystem } from './plan-backend.ts'
import { withoutComments, type SdistContents } from './plan-contents.ts'
import { parseVersion } from './version.ts'

/** The project that asks, and the variable that answers it. What it asks by another tool is that tool's. */
const TOOLS: { project: string; variable: string; table?: string }[] = [
  { project: 'setuptools-scm', variable: 'SETUPTOOLS_SCM_PRETEND_VERSION', table: 'setuptools_scm' },
  { project: 'vcs-versioning', variable: 'SETUPTOOLS_SCM_PRETEND_VERSION' },
  { project: 'hatch-vcs', variable: 'SETUPTOOLS_SCM_PRETEND_VERSION' },
  { project: 'flit-scm', variable: 'SETUPTOOLS_SCM_PRETEND_VERSION' },
  { project: 'pbr', variable: 'PBR_VERSION' },
  { project: 'poetry-dynamic-versioning', variable: 'POETRY_DYNAMIC_VERSIONING_BYPASS' },
]

/** Variables that tell `version` to the tools that this project uses; none where there is no version by PEP 440. */
export function versionVariables(contents: SdistContents, { backend, requires }: BuildSystem, pyproject: Record<string, unknown>, version: string | undefined): Record<string, string> {
  if (version === undefined || !parseVersion(version)) return {}
  const setup = withoutComments(['setup.py', 'setup.cfg'].map((name) => contents.texts.get(name) ?? '').join('\n'))
  const used = TOOLS.filter(({ project, table }) => requiresProject(requires, project)
    || (table !== undefined && Object.hasOwn(tableAt(pyproject, 'tool'), table))
    || named(project).test(setup))
  const names = used.map(({ variable }) => variable)
  if (/^pdm\b/.test(backend) && tableAt(pyproject, 'tool', 'pdm', 'version')['source'] === 'scm') names.push('PDM_BUILD_SCM_VERSION')
  return Object.fromEntries([...new Set(names)].map((name) => [name, version]))
}

/** As setup.py names it in `setup_requires`, and as the keyword that switches it on: `use_scm_version`, `pbr=True`. */
function named(project: string): RegExp {
  if (project === 'pbr') return /["']pbr\b|\bpbr\s*=\s*True|^[ \t]*pbr\b/m
  const name = project.replace('-', '[-_.]')
  return new RegExp(`["']${name}\\b|^[ \\t]*${name}\\b${project === 'setuptools-scm' ? '|\\buse_scm_version\\b' : ''}`, 'm')
}
