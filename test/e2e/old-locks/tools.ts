/** How each tool locks what a project wants, and installs by its lock. */
import type { Box } from './box.ts'

export interface Tool {
  name: string
  lock: string
  /** The project's files, for an index of this URL. */
  files(wanted: string[], index: string): Record<string, string>
  /** Run in the project's folder. `INDEX` is the index for a tool whose files name none. */
  locks: string
  /** Into an environment that is new. */
  installs: string
  python: string
}

const project = (wanted: string[]) => `[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.13,<3.14"
dependencies = ${JSON.stringify(wanted)}
`

export const POETRY: Tool = {
  name: 'poetry', lock: 'poetry.lock',
  files: (wanted, index) => ({ 'pyproject.toml': `${project(wanted)}[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "own"\nurl = "${index}"\npriority = "primary"\n` }),
  locks: '/opt/poetry/bin/python -m poetry lock -n --no-ansi',
  installs: 'rm -rf .venv && /opt/poetry/bin/python -m poetry install -n --no-ansi', python: '.venv/bin/python',
}

export const PDM: Tool = {
  name: 'pdm', lock: 'pdm.lock',
  // Its own default source goes by the name that is given here: another one would stand beside it.
  files: (wanted, index) => ({ 'pyproject.toml': `${project(wanted)}[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = "pypi"\nurl = "${index}"\nverify_ssl = false\n` }),
  locks: '/opt/pdm/bin/python -m pdm lock',
  installs: 'rm -rf .venv .pdm-python && /opt/pdm/bin/python -m pdm sync --no-self', python: '.venv/bin/python',
}

export const PIPENV: Tool = {
  name: 'pipenv', lock: 'Pipfile.lock',
  // A variable, since the lock's own hash covers what stands here.
  files: (wanted) => ({ Pipfile: `[[source]]\nname = "own"\nurl = "\${INDEX}"\nverify_ssl = false\n\n[packages]\n${wanted.map((text) => { const [name, version] = text.split('=='); return `${name} = "==${version}"\n` }).join('')}` }),
  locks: '/opt/pipenv/bin/python -m pipenv lock',
  installs: 'rm -rf .venv && /opt/pipenv/bin/python -m pipenv install --deploy', python: '.venv/bin/python',
}

export const UV: Tool = {
  name: 'uv', lock: 'uv.lock',
  files: (wanted) => ({ 'pyproject.toml': `${project(wanted)}[tool.uv]\npackage = false\n` }),
  locks: 'UV_DEFAULT_INDEX=$INDEX /opt/uv/bin/uv lock',
  installs: 'rm -rf .venv && UV_DEFAULT_INDEX=$INDEX /opt/uv/bin/uv sync --frozen', python: '.venv/bin/python',
}

/** By the same lock of uv, as requirements with hashes; `wanted` are requirements without any. */
export const EXPORT = '/opt/uv/bin/uv export -q --frozen --no-emit-project -o requirements.txt'
export const REPORT = '/tmp/report.json'
export const pip = (name: 'pip-23.2' | 'pip', wanted: string) =>
  `rm -rf .venv ${REPORT} && python3 -m venv --without-pip .venv && PIP_INDEX_URL=$INDEX /opt/${name}/bin/python -m pip --python .venv/bin/python install --report ${REPORT} ${wanted}`
export const uvPip = (wanted: string) => `rm -rf .venv && /opt/uv/bin/uv venv -q .venv && UV_DEFAULT_INDEX=$INDEX /opt/uv/bin/uv pip install --python .venv/bin/python ${wanted}`
export const REQUIREMENTS = '--require-hashes -r requirements.txt'

/** Writes a tool's project into a folder of the box. */
export async function place(box: Box, folder: string, { files }: Tool, wanted: string[], index: string): Promise<void> {
  for (const [name, text] of Object.entries(files(wanted, index))) await box.write(`${folder}/${name}`, text)
}
