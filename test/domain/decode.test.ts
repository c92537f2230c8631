import { expect, test } from 'vitest'
import { decodeText, encodeText, textForm } from '../../src/domain/decode.ts'

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

test.each([
  ['UTF-8', Buffer.from('ünï==1\r\n')], ['UTF-8 with a mark', Buffer.from('\ufeffünï==1\r\n')],
  ['UTF-16 LE', Buffer.from('\ufeffünï==1\r\n', 'utf16le')], ['UTF-16 BE', utf16be('\ufeffünï==1\r\n')],
])('%s is read, without its mark', (_name, bytes) => {
  expect(decodeText(bytes)).toBe('ünï==1\r\n')
})

test.each(['utf-8', 'utf-8-marked', 'utf-16le', 'utf-16be'] as const)('%s is written as it was read', (form) => {
  const bytes = encodeText('ünï \u{1f600}\r\n\t', form)
  expect(textForm(bytes)).toBe(form)
  expect(decodeText(bytes)).toBe('ünï \u{1f600}\r\n\t')
})

test.each([
  ['half a character', Buffer.from([0x61, 0xc3])], ['half a unit', Buffer.from([0xff, 0xfe, 0x61])], ['an archive', Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0xfe, 0xc3])],
])('%s is no text', (_name, bytes) => {
  expect(decodeText(bytes)).toBeUndefined()
})

test('nothing is an empty text', () => {
  expect(decodeText(new Uint8Array())).toBe('')
})
