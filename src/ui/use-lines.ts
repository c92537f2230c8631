import { DOCKER_HOST, isThisMachine } from '../domain/local.ts'

/** The lines that point a tool at this server. `contained`: they are for a container, which reaches no loopback address. */
interface Lines { id: string; title: string; lead: string; contained?: true; blocks: { label: string; text: string }[] }

/** A Dockerfile's argument reaches a RUN only where it is named behind the FROM. */
const WITH_ARGS = ['FROM python:3.13-alpine', 'ARG PIP_INDEX_URL', 'ARG PIP_TRUSTED_HOST']

/**
 * Lines to copy, for a server that its visitor reached at `root` (an absolute URL without a slash at its end). Plain http is allowed
 * to pip and pdm by name; uv and poetry ask for nothing. In a container a loopback address would be the container's own.
 */
export function useLines(root: string): Lines[] {
  const plain = root.startsWith('http:')
  const { hostname } = new URL(root)
  return [pip(root, plain, hostname), uv(root), dockerfile(root, plain, hostname), compose(root, plain, hostname), lockers(root, plain)]
}

/** The line that installs through the server at `root`. Plain http under a name is refused by pip unless it is named. */
export function pipInstall(root: string, requirement: string): string {
  return `pip install -i ${root}/simple/${root.startsWith('http:') ? ` --trusted-host ${new URL(root).hostname}` : ''} ${requirement}`
}

function pip(root: string, plain: boolean, hostname: string): Lines {
  return {
    id: 'pip', title: 'pip', lead: 'On Alpine, pip takes a finished wheel, or waits while the missing one is compiled.',
    blocks: [
      { label: 'Once', text: pipInstall(root, 'PROJECT') },
      { label: 'For good, in pip.conf', text: lines('[global]', `index-url = ${root}/simple/`, plain && `trusted-host = ${hostname}`) },
    ],
  }
}

function uv(root: string): Lines {
  return {
    id: 'uv', title: 'uv', lead: 'uv pip install waits for missing wheels too. uv lock and uv sync take what is finished: prebuild the lock first.',
    blocks: [
      { label: 'Once', text: `uv pip install --default-index ${root}/simple/ PROJECT` },
      { label: 'In pyproject.toml', text: lines('[[tool.uv.index]]', 'name = "muslin"', `url = "${root}/simple/"`, 'default = true') },
      { label: 'In the environment', text: `UV_DEFAULT_INDEX=${root}/simple/` },
    ],
  }
}

function dockerfile(root: string, plain: boolean, hostname: string): Lines {
  const { host, url } = insideContainer(root, hostname)
  const words = ['docker build', `--build-arg PIP_INDEX_URL=${url}/simple/`, plain && `--build-arg PIP_TRUSTED_HOST=${host}`, isThisMachine(hostname) && `--add-host ${DOCKER_HOST}:host-gateway`, '.']
  return {
    id: 'dockerfile', title: 'Dockerfile', contained: true, lead: 'The ARG lines are all that is new: pip and uv read these variables by themselves. docs/docker.md has plain users, stages, private CAs and secrets.',
    blocks: [
      { label: 'With pip', text: lines(...WITH_ARGS, 'COPY requirements.txt .', 'RUN pip install --no-cache-dir -r requirements.txt') },
      {
        label: 'With uv',
        text: lines(
          ...WITH_ARGS, 'ARG UV_DEFAULT_INDEX=$PIP_INDEX_URL', 'RUN pip install --no-cache-dir uv', 'COPY requirements.txt .', 'RUN uv pip install --system --no-cache -r requirements.txt',
        ),
      },
      { label: 'Build, in Muslin’s folder on the server’s machine', text: 'docker build $(./muslin docker-args) .' },
      { label: 'Build, anywhere else', text: words.filter((word) => word !== false).join(' ') },
    ],
  }
}

function compose(root: string, plain: boolean, hostname: string): Lines {
  const { host, url } = insideContainer(root, hostname)
  return {
    id: 'compose', title: 'Docker Compose', contained: true, lead: 'The same build arguments, for the same Dockerfile.',
    blocks: [{
      label: 'compose.yaml',
      text: lines(
        'services:', '  app:', '    build:', '      context: .', '      args:', `        PIP_INDEX_URL: ${url}/simple/`,
        plain && `        PIP_TRUSTED_HOST: "${host}"`, isThisMachine(hostname) && '      extra_hosts:', isThisMachine(hostname) && `        - "${DOCKER_HOST}:host-gateway"`,
      ),
    }],
  }
}

function lockers(root: string, plain: boolean): Lines {
  const url = `url = "${root}/finished/simple/"`
  return {
    id: 'lockers', title: 'poetry, pdm, pipenv', lead: 'Tools that lock take the finished view: it lists what exists now, never a wheel that is still to be compiled.',
    blocks: [
      { label: 'poetry, in pyproject.toml', text: lines('[[tool.poetry.source]]', 'name = "muslin"', url, 'priority = "primary"') },
      // pdm's own default source goes by this name: another one would stand beside it.
      { label: 'pdm, in pyproject.toml', text: lines('[[tool.pdm.source]]', 'name = "pypi"', url, plain && 'verify_ssl = false') },
      { label: 'pipenv, in the Pipfile', text: lines('[[source]]', 'name = "muslin"', url, `verify_ssl = ${!plain}`) },
    ],
  }
}

function insideContainer(root: string, hostname: string): { host: string; url: string } {
  if (!isThisMachine(hostname)) return { host: hostname, url: root }
  const url = new URL(root)
  url.hostname = DOCKER_HOST
  return { host: DOCKER_HOST, url: url.href.replace(/\/+$/, '') }
}

function lines(...all: (string | false)[]): string {
  return all.filter((line) => line !== false).join('\n')
}
