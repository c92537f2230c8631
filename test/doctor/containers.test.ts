import { expect, test } from 'vitest'
import { imageSources } from '../../src/builder/images.ts'
import { parseTarget } from '../../src/domain/target.ts'
import { imageCheck } from '../../src/doctor/containers.ts'
import { builtRef, imageDigest } from '../../src/engine/docker.ts'
import type { ImageSource } from '../../src/services/ports.ts'

const TARGET = parseTarget('cp313-musllinux_1_2_x86_64')!
const UNKNOWN = parseTarget('cp319-musllinux_1_2_x86_64')!

/** An engine that holds these images. */
function engine(...refs: string[]) {
  return {
    async digest(source: ImageSource) {
      if (source.kind === 'build') return imageDigest(source.folder, source.args)
      return source.kind === 'ready' && refs.includes(source.ref) ? 'sha256:x' : undefined
    },
  }
}

test('an image of our own is made at the first build, unless it is there by its name', async () => {
  const sources = imageSources(TARGET, { builder: {}, clean: {} })
  expect(await imageCheck(TARGET, sources, engine())).toMatchObject({ state: 'ok', found: 'cp313-musllinux_1_2_x86_64: its builder image is made at its first build' })
  if (sources.builder?.kind !== 'build' || sources.clean.kind !== 'ready') throw new Error('these are the images of the table')
  const ours = builtRef(sources.builder.name, await imageDigest(sources.builder.folder, sources.builder.args))
  expect(await imageCheck(TARGET, sources, engine(ours))).toMatchObject({ state: 'ok', found: expect.stringMatching(/is there; the clean one is pulled at its first build$/) })
  expect(await imageCheck(TARGET, sources, engine(ours, sources.clean.ref))).toMatchObject({ state: 'ok', found: expect.stringMatching(/is there, and so is the clean one$/) })
})

test('a ready-made image that is absent is told with its remedy', async () => {
  const sources = imageSources(TARGET, { builder: { [TARGET.name]: 'registry.example/b:1' }, clean: { [TARGET.name]: 'registry.example/c:1' } })
  expect(await imageCheck(TARGET, sources, engine())).toMatchObject({ state: 'warn', remedy: 'docker pull registry.example/b:1' })
  expect(await imageCheck(TARGET, sources, engine('registry.example/b:1', 'registry.example/c:1'))).toMatchObject({ state: 'ok' })
})

test('a target for which no image is known fails', async () => {
  expect(await imageCheck(UNKNOWN, imageSources(UNKNOWN, { builder: {}, clean: {} }), engine())).toMatchObject({ state: 'fail', remedy: expect.stringContaining('--builder-image') })
})
