import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { extractTar, packTar, safeName } from '../../src/services/tar.ts'

const LIMITS = { maxBytes: 1 << 20, maxEntries: 10 }

async function read(stream: Readable, limits = LIMITS) {
  const files: { name: string; mode: number; text: string }[] = []
  for await (const { name, mode, body } of extractTar(stream, limits)) files.push({ name, mode, text: (await buffer(body)).toString() })
  return files
}

async function archive(...headers: Parameters<ReturnType<typeof pack>['entry']>[0][]): Promise<Readable> {
  const made = pack()
  for (const header of headers) made.entry(header, header.type === undefined ? 'x' : '')
  made.finalize()
  return Readable.from([await buffer(made as unknown as NodeJS.ReadableStream)], { objectMode: false })
}

describe('packTar and extractTar', () => {
  it('carry names, modes and bytes, from memory and from streams', async () => {
    const long = `${'d'.repeat(90)}/${'é'.repeat(90)}`
    const tar = packTar([
      { name: 'a.txt', body: 'one' },
      { name: 'bin/run', mode: 0o755, body: { size: 3, open: async () => Readable.from([Buffer.from('two')]) } },
      { name: 'empty', body: new Uint8Array() },
      { name: long, body: 'x'.repeat(200_000) },
    ])
    expect(await read(tar)).toEqual([
      { name: 'a.txt', mode: 0o644, text: 'one' },
      { name: 'bin/run', mode: 0o755, text: 'two' },
      { name: 'empty', mode: 0o644, text: '' },
      { name: long, mode: 0o644, text: 'x'.repeat(200_000) },
    ])
  })

  it('give the same bytes for the same files', async () => {
    const once = () => buffer(packTar([{ name: 'a', body: 'one' }]))
    expect(await once()).toEqual(await once())
  })

  it('pass over bodies that nobody reads', async () => {
    const names: string[] = []
    for await (const { name } of extractTar(packTar([{ name: 'a', body: 'x'.repeat(300_000) }, { name: 'b', body: 'y' }]), LIMITS)) names.push(name)
    expect(names).toEqual(['a', 'b'])
  })

  it('end the source when the reader stops in the middle', async () => {
    const tar = packTar([{ name: 'a', body: 'x'.repeat(300_000) }, { name: 'b', body: 'y' }])
    for await (const file of extractTar(tar, LIMITS)) { void file; break }
    expect(tar.destroyed).toBe(true)
  })
})

describe('packTar', () => {
  it.each(['/etc/passwd', '../up', 'a/../../b', 'a//b', '', '.', 'a\\b', 'a\0b'])('refuses the name %j', async (name) => {
    await expect(buffer(packTar([{ name, body: '' }]))).rejects.toMatchObject({ code: 'transfer-failed' })
  })

  it.each([2, 4])('errors when a body of three bytes was said to have %i', async (size) => {
    await expect(buffer(packTar([{ name: 'a', body: { size, open: () => Readable.from([Buffer.from('abc')]) } }]))).rejects.toThrow()
  })

  it('errors when a body cannot be read', async () => {
    const open = () => new Readable({ read() { this.destroy(new Error('gone')) } })
    await expect(buffer(packTar([{ name: 'a', body: { size: 3, open } }]))).rejects.toThrow('gone')
  })
})

describe('extractTar', () => {
  it.each(['/etc/passwd', '../up', 'a/../../b', 'a\\b'])('refuses the name %j', async (name) => {
    await expect(read(await archive({ name }))).rejects.toMatchObject({ code: 'transfer-failed' })
  })

  it.each(['symlink', 'link', 'fifo', 'character-device', 'block-device'] as const)('refuses a %s', async (type) => {
    await expect(read(await archive({ name: 'a', type, linkname: '/etc/passwd' }))).rejects.toMatchObject({ code: 'transfer-failed' })
  })

  it('passes over directories', async () => {
    expect(await read(await archive({ name: 'd/', type: 'directory' }, { name: 'd/a' }))).toMatchObject([{ name: 'd/a' }])
  })

  it('keeps set-uid bits out', async () => {
    expect(await read(await archive({ name: 'a', mode: 0o4755 }))).toMatchObject([{ mode: 0o755 }])
  })

  it('stops beyond its limits', async () => {
    await expect(read(packTar([{ name: 'a', body: 'x'.repeat(5000) }]), { maxBytes: 4000, maxEntries: 1 })).rejects.toThrow('more than 4000 bytes')
    await expect(read(await archive({ name: 'a' }, { name: 'b' }), { maxBytes: 9000, maxEntries: 1 })).rejects.toThrow('more than 1 entries')
  })

  it('refuses what is no archive, or half of one', async () => {
    await expect(read(Readable.from([Buffer.alloc(2048, 'garbage')], { objectMode: false }))).rejects.toMatchObject({ code: 'transfer-failed' })
    const whole = await buffer(packTar([{ name: 'a', body: 'x'.repeat(5000) }]))
    await expect(read(Readable.from([whole.subarray(0, 3000)], { objectMode: false }))).rejects.toMatchObject({ code: 'transfer-failed' })
  })

  it('hands on the error of its source', async () => {
    const source = new Readable({ read() { this.destroy(new Error('cut off')) } })
    await expect(read(source)).rejects.toThrow('cut off')
  })
})

it('takes a leading ./ off', () => {
  expect(safeName('./a/b')).toBe('a/b')
})
