/** The same bytes, as long as they are no more than `most`; throws `tooMany` beyond. */
export async function* upTo(most: number, chunks: AsyncIterable<Buffer>, tooMany: () => Error): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > most) throw tooMany()
    yield chunk
  }
}
