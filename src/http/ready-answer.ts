/** An answer that waits for nothing. `head` is names and values in turn, as Node takes them without a look at them. */
export interface ReadyAnswer {
  /** With its quotes. */
  etag: string
  head: string[]
  /** The head of the 304. */
  heldHead: string[]
  body: Buffer
  /** Told before the body is sent from its first byte. */
  sending?: () => void
}

/** An answer of these headers and bytes, and its 304, as the routes and the middleware before them say it. `tag` is without its quotes. */
export function readyAnswer({ tag, vary, cacheControl, headers, body }: {
  tag: string
  vary?: string[]
  cacheControl: string
  /** What is said of the bytes, beside their length. */
  headers: Record<string, string>
  body: Buffer
}): ReadyAnswer {
  const etag = `"${tag}"`
  const heldHead = ['X-Content-Type-Options', 'nosniff', ...vary ? ['Vary', vary.join(', ')] : [], 'ETag', etag, 'Cache-Control', cacheControl]
  return { etag, heldHead, head: [...heldHead, ...Object.entries(headers).flat(), 'Content-Length', String(body.length)], body }
}
