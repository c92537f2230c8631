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
