/**
 * A requirements or lock file as text: UTF-8, or UTF-16 with its mark, as PowerShell leaves a redirected `pip freeze`. The mark is left
 * out. Undefined where the bytes are no such text.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** How the bytes of a text are written: its encoding, and whether the mark stands before it. */
export const TEXT_FORMS = ['utf-8', 'utf-8-marked', 'utf-16le', 'utf-16be'] as const
export type TextForm = typeof TEXT_FORMS[number]

export function textForm(bytes: Uint8Array): TextForm {
  const encoding = encodingOf(bytes)
  return encoding === 'utf-8' && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8-marked' : encoding
}

/** What `decodeText` reads as this text, in the form that the text once had. */
export function encodeText(text: string, form: TextForm): Uint8Array {
  if (form === 'utf-8' || form === 'utf-8-marked') return new TextEncoder().encode(form === 'utf-8' ? text : `\ufeff${text}`)
  const bytes = new Uint8Array(2 + 2 * text.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0xfeff, form === 'utf-16le')
  for (let at = 0; at < text.length; at += 1) view.setUint16(2 + 2 * at, text.charCodeAt(at), form === 'utf-16le')
  return bytes
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
}
