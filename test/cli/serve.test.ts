import { expect, test } from 'vitest'
import type { Context, Service } from '../../src/cli/context.ts'
import type { Settings } from '../../src/config/settings.ts'
import { MuslinError } from '../../src/errors.ts'
import { run } from '../../src/main.ts'
import { testContext } from './context.ts'

// The server itself is not the subject here: this one starts and stops when told, and keeps a diary.
function stage(service: Partial<Service> = {}) {
  const diary: string[] = []
  let settings: Settings | undefined
  let signal: ((name: string) => void) | undefined
  const context = testContext({
    compose: async (given) => {
      settings = given
      return {
        start: async () => { diary.push('start'); return { url: 'http://localhost:8080', lines: ['upstream: the index of pip'] } },
        stop: async () => { diary.push('stop') },
        ...service,
      }
    },
    onSignal: (heard) => { signal = heard; return () => { signal = undefined } },
    exit: (code) => diary.push(`exit ${code}`),
  } satisfies Partial<Context>)
  return { context, diary, settings: () => settings, signal: (name: string) => signal?.(name), listens: () => signal !== undefined }
}

async function untilPrinted(context: { printed: string[] }, line: string): Promise<void> {
  while (!context.printed.includes(line)) await new Promise((resolve) => setImmediate(resolve))
}

test('serve prints what it found, then where it listens; a signal stops it', async () => {
  const { context, diary, signal, listens } = stage()
  const ended = run(['serve'], context)
  await untilPrinted(context, 'listening on http://localhost:8080')
  expect(context.printed).toEqual(['upstream: the index of pip', 'listening on http://localhost:8080'])
  expect(diary).toEqual(['start'])
  signal('SIGTERM')
  expect(await ended).toBe(0)
  expect(diary).toEqual(['start', 'stop'])
  expect(listens()).toBe(false)
})

test('a second signal ends it at once', async () => {
  const stopped = Promise.withResolvers<void>()
  const { context, diary, signal } = stage({ stop: () => stopped.promise })
  const ended = run(['serve'], context)
  await untilPrinted(context, 'listening on http://localhost:8080')
  signal('SIGINT')
  signal('SIGINT')
  expect(diary).toContain('exit 1')
  stopped.resolve()
  await ended
})

test('flags reach the settings', async () => {
  const { context, settings, signal } = stage()
  const words = ['--port', '0', '--limits-memory=1g', '--behind-proxy', '--builder-image', 'cp312-musllinux_1_2_x86_64=a', '--builder-image', 'cp313-musllinux_1_2_x86_64=b']
  const ended = run(['serve', ...words], context)
  await untilPrinted(context, 'listening on http://localhost:8080')
  signal('SIGTERM')
  await ended
  expect(settings()).toMatchObject({
    port: 0, limits: { memory: 1024 ** 3 }, behindProxy: true,
    builderImages: { 'cp312-musllinux_1_2_x86_64': 'a', 'cp313-musllinux_1_2_x86_64': 'b' },
  })
})

test.each([
  [new MuslinError('port-in-use', 'port 8080 is taken; give --port'), 3, 'muslin: The port is taken: port 8080 is taken; give --port'],
  [new MuslinError('engine-unavailable', 'docker does not answer; start it'), 1, 'muslin: The container engine cannot be used: docker does not answer; start it'],
  [new TypeError('x is not a function'), 1, 'muslin: Muslin made a mistake: x is not a function; run it again with MUSLIN_LOGLEVEL=debug to see where'],
])('%s ends it with exit code %i and one line', async (error, code, line) => {
  const { context } = stage({ start: () => Promise.reject(error) })
  expect(await run(['serve'], context)).toBe(code)
  expect(context.warned).toEqual([line])
})

test('the stack is there for those who ask for it', async () => {
  const { context } = stage({ start: () => Promise.reject(new TypeError('x is not a function')) })
  await run(['serve', '--log-level', 'debug'], context)
  expect(context.warned[1]).toContain('serve.test.ts')
})
