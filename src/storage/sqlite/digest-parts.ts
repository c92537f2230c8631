/** Behind every digest. */
export const LAST_DIGEST = 'g'

/** All digests in 256 parts, `to` left out: who goes through a long table by them lets requests in between. */
export const DIGEST_PARTS: readonly { from: string; to: string }[] = Array.from({ length: 256 }, (_, byte) => ({ from: hex(byte), to: byte === 255 ? LAST_DIGEST : hex(byte + 1) }))

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
