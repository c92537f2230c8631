import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvents, type StreamEvent } from '../../src/cli/event-stream.ts'

async function eventsOf(pieces: Uint8Array[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readEvents((async function* () { yield* pieces })())) events.push(event)
  return events
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test.each<[string, string, StreamEvent[]]>([
  ['data and an id', 'id: 5\ndata: {"a":1}\n\n', [{ event: 'message', data: '{"a":1}', id: '5' }]],
  ['a name', 'event: end\ndata: x\n\n', [{ event: 'end', data: 'x', id: undefined }]],
  ['several lines of data', 'data: a\ndata:b\ndata\n\n', [{ event: 'message', data: 'a\nb\n', id: undefined }]],
  ['comments', ': still here\n\n:\n\ndata: a\n\n', [{ event: 'message', data: 'a', id: undefined }]],
  ['an id that stays', 'id: 1\ndata: a\n\ndata: b\n\n', [{ event: 'message', data: 'a', id: '1' }, { event: 'message', data: 'b', id: '1' }]],
  ['an id alone', 'id: 9\n\n', [{ event: 'message', data: '', id: '9' }]],
  ['an id that is none', 'id: a\0b\ndata: x\n\n', [{ event: 'message', data: 'x', id: undefined }]],
  ['a name that ends with its event', 'event: a\n\ndata: x\n\n', [{ event: 'message', data: 'x', id: undefined }]],
  ['other line ends', 'data: a\r\rdata: b\r\n\r\n', [{ event: 'message', data: 'a', id: undefined }, { event: 'message', data: 'b', id: undefined }]],
  ['a cut end', 'data: a\n\ndata: b\n', [{ event: 'message', data: 'a', id: undefined }]],
])('it reads %s', async (_what, text, events) => {
  expect(await eventsOf([bytes(text)])).toEqual(events)
})

test('it does not matter how the stream is cut', async () => {
  const text = 'id: 1\r\ndata: {"text":"é€😀"}\r\n\r\n: x\r\revent: end\ndata: a\ndata: b\n\n'
  const whole = await eventsOf([bytes(text)])
  expect(whole).toHaveLength(2)
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(bytes(text).length)), async (cuts) => {
    const at = [0, ...cuts.toSorted((a, b) => a - b), bytes(text).length]
    expect(await eventsOf(at.slice(1).map((end, n) => bytes(text).slice(at[n], end)))).toEqual(whole)
  }))
})
