import { expect, it } from 'vitest'
import { clientEnvironment, lastWords, whyFailed } from '../../src/engine/cli.ts'
import { DIALECTS } from '../../src/engine/dialect.ts'

const failed = { exitCode: 1, stderr: '', timedOut: false, missing: false }

it('gives the client what it needs to find its daemon, and nothing else', () => {
  const env = { PATH: '/bin', HOME: '/h', DOCKER_HOST: 'tcp://d.example', DOCKER_BUILDKIT: '1', HTTP_PROXY: 'http://u:p@proxy.example', SECRET: 's' }
  expect(clientEnvironment(env)).toEqual({ PATH: '/bin', HOME: '/h', DOCKER_HOST: 'tcp://d.example' })
})

it.each([
  [{ ...failed, missing: true }, /^docker is not on the PATH: install/],
  [{ ...failed, timedOut: true }, /does not answer "docker version" in time: see/],
  [{ ...failed, stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n' }, /^no daemon answers docker \(.*docker\.sock.*\): start it, or set DOCKER_HOST/],
  [{ ...failed, stderr: 'error during connect: Get "http://x/v1.24/version": dial tcp: lookup x: no such host' }, /^no daemon answers/],
  [{
    ...failed,
    stderr: 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/version": dial unix /var/run/docker.sock: connect: permission denied',
  }, /^permission denied on the daemon's socket: add this user to the group docker/],
  [{ ...failed, exitCode: 125, stderr: 'docker: Error response from daemon: something odd.\nSee \'docker run --help\'.\n' }, /^"docker version" failed: something odd\.$/],
  [{ ...failed, exitCode: 3 }, /exit code 3$/],
])('says cause and remedy in one line: %#', (ended, why) => {
  const text = whyFailed({ command: 'docker', dialect: DIALECTS.docker }, 'version', ended)
  expect(text).toMatch(why)
  expect(text).not.toContain('\n')
})

it('hears what the daemon answered through the noise around it', () => {
  expect(lastWords('WARNING: no swap\nError response from daemon: network abc not found\nError: failed to start containers: x\n')).toBe('network abc not found')
  expect(lastWords('first\nlast\n\n')).toBe('last')
  expect(lastWords('WARNING: Error loading config file\n')).toBe('')
  expect(lastWords('x'.repeat(1000))).toHaveLength(300)
})
