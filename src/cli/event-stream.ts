/** One event of a stream as the HTML Standard section 9.2 defines it. */
export interface StreamEvent { event: string; data: string; /** Of this event or the last before it that had one. */ id: string | undefined }

/**
 * The events of a text/event-stream as they come; comments are left out, and so is an event that the end cuts. An id alone is an
 * event without data here: it says where to go on.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  let id: string | undefined
  let event = ''
  let data: string[] = []
  let moved = false
  for await (const line of lines(body)) {
    if (line === '') {
      if (data.length > 0 || moved) yield { event: event || 'message', data: data.join('\n'), id }
      event = ''
      data = []
      moved = false
      continue
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
    else if (field === 'id' && !value.includes('\0')) {
      id = value
      moved = true
    }
  }
}

/** Whole lines, ended by LF, CRLF or CR, whatever the pieces are cut into. */
async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true })
    // A CR at the end may be half of a CRLF.
    const sure = rest.endsWith('\r') ? rest.slice(0, -1) : rest
    const cut = Math.max(sure.lastIndexOf('\n'), sure.lastIndexOf('\r')) + 1
    if (cut === 0) continue
    yield* rest.slice(0, cut).replace(/\r\n?/g, '\n').split('\n').slice(0, -1)
    rest = rest.slice(cut)
  }
}
