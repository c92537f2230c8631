import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { imageDigest } from '../../src/engine/docker.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muslin-digest-'))
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'Dockerfile'), 'FROM x\n')
  await writeFile(join(folder, 'bin', 'run'), 'echo\n')
})
afterEach(() => rm(folder, { recursive: true }))

it('is the same for the same content, whatever the clock, umask or order', async () => {
  const before = await imageDigest(folder, { A: '1', B: '2' })
  expect(before).toMatch(/^[0-9a-f]{64}$/)
  await utimes(join(folder, 'Dockerfile'), 1, 1)
  await chmod(join(folder, 'Dockerfile'), 0o600)
  await mkdir(join(folder, 'empty'))
  expect(await imageDigest(folder, { B: '2', A: '1' })).toBe(before)
})

it('changes with a byte, a name, an executable bit, or an argument', async () => {
  const seen = [await imageDigest(folder, {}), await imageDigest(folder, { A: '1' }), await imageDigest(folder, { A: '1", "B": "2' }), await imageDigest(folder, { A: '1', B: '2' })]
  await chmod(join(folder, 'bin', 'run'), 0o755)
  seen.push(await imageDigest(folder, {}))
  await writeFile(join(folder, 'Dockerfile'), 'FROM y\n')
  seen.push(await imageDigest(folder, {}))
  await writeFile(join(folder, 'bin-run'), '')
  seen.push(await imageDigest(folder, {}))
  expect(new Set(seen).size).toBe(seen.length)
})

it('refuses a link, and a folder that is not there', async () => {
  await symlink('/etc/passwd', join(folder, 'link'))
  await expect(imageDigest(folder, {})).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringContaining('link') })
  await expect(imageDigest(join(folder, 'none'), {})).rejects.toMatchObject({ code: 'image-unavailable' })
})
