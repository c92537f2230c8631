/**
 * A requirements or lock file as text: UTF-8, or UTF-16 with its mark, as PowerShell leaves a redirected `pip freeze`. The mark is left
 * out. Undefined where the bytes are no such text.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
