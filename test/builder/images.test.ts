import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createImages, type ReadyImages } from '../../src/builder/images.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { MuslinError } from '../../src/errors.ts'
import { manualClock } from '../manual-clock.ts'
import { fakeEngine } from './fake-engine.ts'

const CP311 = parseTarget('cp311-musllinux_1_2_x86_64')!
const CP313 = parseTarget('cp313-musllinux_1_2_x86_64')!
const CP38 = parseTarget('cp38-musllinux_1_2_x86_64')!

function rig(images: Partial<ReadyImages> = {}) {
  const clock = manualClock()
  const fake = fakeEngine(() => ({}))
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => { lines.push(line) } })
  return { ...fake, clock, lines, images: createImages({ engine: fake.engine, targets: [CP311, CP313, CP38], images: { builder: {}, clean: {}, ...images }, clock, log }) }
}

test('the oldest Alpine of each Python is built on, and tried on', async () => {
  const { images, asked } = rig()
  expect((await images.ready(CP311, { languages: 'c' })).env).toEqual({ LDFLAGS: '-Wl,--strip-debug', NPY_DISTUTILS_APPEND_FLAGS: '1' })
  await images.ready(CP313, { languages: 'c' })
  expect(asked.map((image) => image.kind === 'build' ? image.args : image.kind === 'ready' ? image.ref : image)).toEqual([
    { PYTHON_IMAGE: 'python:3.11-alpine3.18' }, 'python:3.11-alpine3.18', { PYTHON_IMAGE: 'python:3.13-alpine3.19' }, 'python:3.13-alpine3.19',
  ])
  expect(images.muslRelease(CP311)).toBe('1.2.4')
  // Nothing is known of the linker of others' images.
  expect((await rig({ builder: { [CP313.name]: 'theirs' } }).images.ready(CP313, { languages: 'c' })).env).toEqual({})
})

test('a Python that the table does not know is built only with a ready image', async () => {
  expect([...(await rig().images.targets()).keys()]).toEqual([CP311.name, CP313.name])
  await expect(rig().images.ready(CP38, { languages: 'c' })).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringContaining('--builder-image') })
  const { images } = rig({ builder: { [CP38.name]: 'mine' }, clean: { [CP38.name]: 'clean' } })
  expect((await images.targets()).get(CP38.name)).toBe('digest of mine')
})

test('a target whose image cannot be had is withdrawn for ten minutes', async () => {
  const { images, absent, clock, lines } = rig()
  absent.add('python:3.13-alpine3.19')
  await expect(images.ready(CP313, { languages: 'c' })).rejects.toMatchObject({ code: 'image-unavailable' })
  expect((await images.targets()).has(CP313.name)).toBe(false)
  expect((await images.targets()).has(CP311.name)).toBe(true)
  expect(lines).toHaveLength(1)
  await clock.advance(10 * 60_000)
  expect((await images.targets()).has(CP313.name)).toBe(true)
})

test('an image that is not to be had takes no other target with it', async () => {
  const { images, engine, lines } = rig({ builder: { [CP311.name]: '-bad' } })
  const digest = engine.digest
  engine.digest = async (image) => {
    if (image.kind === 'ready' && image.ref === '-bad') throw new MuslinError('image-unavailable', '"-bad" is not an image\'s name')
    return digest(image)
  }
  expect([...(await images.targets()).keys()]).toEqual([CP313.name])
  expect([...(await images.targets()).keys()]).toEqual([CP313.name])
  expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ target: CP311.name, msg: expect.stringMatching(/the image cannot be had/) })])
})

test('an absent ready image is asked for once, and promised when it is here', async () => {
  const { images, absent, asked, engine } = rig({ builder: { [CP313.name]: 'mine' } })
  absent.add('mine')
  let arrive = () => {}
  const image = engine.image
  engine.image = async (source) => { const result = image(source); result.catch(() => undefined); await new Promise<void>((resolve) => { arrive = resolve }); absent.delete('mine'); return result.catch(() => ({ ref: 'mine', digest: '' })) }
  expect((await images.targets()).has(CP313.name)).toBe(false)
  await images.targets()
  expect(asked).toEqual([{ kind: 'ready', ref: 'mine' }])
  arrive()
  await new Promise(setImmediate)
  expect((await images.targets()).get(CP313.name)).toBe('digest of mine')
})

test('a dead engine builds nothing, and is told once', async () => {
  const { images, engine, lines } = rig()
  engine.digest = async (image) => {
    if (image.kind === 'ready') throw new MuslinError('engine-unavailable', 'no daemon answers')
    return 'digest'
  }
  expect(await images.targets()).toEqual(new Map())
  expect(await images.targets()).toEqual(new Map())
  expect(lines).toHaveLength(1)
})
