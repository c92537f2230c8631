/** How each client is run: in an image, as its own user would, with one project to install. */
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, HOST, ROOT, TARGET } from '../lab.ts'
import type { Cell } from './cells.ts'

/** Images of `test/standin/client-images.sh`; acceptance on a real Alpine names its own, with each client in an environment under /opt. */
export const CLIENTS_IMAGE = process.env['MUSLIN_TEST_CLIENTS_IMAGE'] ?? 'muslin-standin-clients:latest'
export const PIPENV_IMAGE = process.env['MUSLIN_TEST_PIPENV_IMAGE'] ?? 'muslin-standin-pipenv:latest'

/** Makes the stand-in images where they are absent. */
export async function clientImages(): Promise<void> {
  if (process.env['MUSLIN_TEST_CLIENTS_IMAGE'] && process.env['MUSLIN_TEST_PIPENV_IMAGE']) return
  await execa('bash', [join(ROOT, 'test/standin/client-images.sh')], { env: cleanEnv(), extendEnv: false, stdio: ['ignore', 'inherit', 'inherit'] })
}

export interface Command { image: string; script: string; env: Record<string, string> }

/** What is run for a cell, with an index below `base`. It ends with the client's own exit code, or with another one where what it installed cannot be imported. */
export function commandOf({ client, view }: Pick<Cell, 'client' | 'view'>, project: string, base: string): Command {
  const index = `${base}${view === '/target/' ? `/target/${TARGET}/simple/` : view}`
  const module = `_${project.replaceAll('-', '_')}`
  const told = RUN[client](project, index)
  return {
    image: client === 'pipenv' ? PIPENV_IMAGE : CLIENTS_IMAGE,
    script: `mkdir -p /tmp/p && cd /tmp/p || exit 99\n${told.files ?? ''}${told.run} || exit\n${told.python} -c 'import ${module}' || exit 98\n`,
    // Wide, so that no client breaks its lines.
    env: { HOME: '/tmp', COLUMNS: '1000', NO_COLOR: '1', ...told.env },
  }
}

interface Run { files?: string; run: string; python: string; env: Record<string, string> }

const IN_PROJECT = '/tmp/p/.venv/bin/python'

const RUN: Record<Cell['client'], (project: string, index: string) => Run> = {
  'pip-23.2': (project, index) => pip('pip-23.2', project, index),
  'pip': (project, index) => pip('pip', project, index),
  uv: (project, index) => ({
    run: `/opt/uv/bin/uv pip install --system --break-system-packages ${project}`, python: 'python3',
    env: { UV_DEFAULT_INDEX: index, UV_NO_CACHE: '1', UV_PYTHON_DOWNLOADS: 'never', UV_LINK_MODE: 'copy' },
  }),
  poetry: (project, index) => ({
    files: file('pyproject.toml', `[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<4"
dependencies = ["${project}"]
[tool.poetry]
package-mode = false
[[tool.poetry.source]]
name = "muslin"
url = "${index}"
priority = "primary"
`),
    run: '/opt/poetry/bin/python -m poetry install --no-interaction --no-ansi', python: IN_PROJECT,
    env: { POETRY_VIRTUALENVS_IN_PROJECT: 'true', POETRY_VIRTUALENVS_OPTIONS_NO_PIP: 'true', PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring' },
  }),
  pdm: (project, index) => ({
    // Its own default source goes by the name that is given here: another one would stand beside it.
    files: file('pyproject.toml', `[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["${project}"]
[tool.pdm]
distribution = false
[[tool.pdm.source]]
name = "pypi"
url = "${index}"
verify_ssl = false
`),
    run: '/opt/pdm/bin/python -m pdm install --no-self', python: IN_PROJECT,
    env: { PDM_NON_INTERACTIVE: '1', PDM_CHECK_UPDATE: 'false', PDM_IGNORE_ACTIVE_VENV: '1' },
  }),
  pipenv: (project, index) => ({
    files: file('Pipfile', `[[source]]
name = "muslin"
url = "${index}"
verify_ssl = false

[packages]
${project} = "*"
`),
    run: '/opt/pipenv/bin/python -m pipenv install', python: IN_PROJECT,
    env: { PIPENV_VENV_IN_PROJECT: '1', PIPENV_NOSPIN: '1', PIPENV_YES: '1', PIP_ROOT_USER_ACTION: 'ignore' },
  }),
}

function pip(name: string, project: string, index: string): Run {
  return {
    run: `/opt/${name}/bin/python -m pip install --progress-bar off ${project}`, python: `/opt/${name}/bin/python`,
    env: { PIP_INDEX_URL: index, PIP_TRUSTED_HOST: HOST, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_CACHE_DIR: '1', PIP_ROOT_USER_ACTION: 'ignore' },
  }
}

function file(name: string, text: string): string {
  return `cat > ${name} <<'END'\n${text}END\n`
}
