/** The part of `seek-bzip` that is used; it brings no types. */
declare module 'seek-bzip' {
  interface Input {
    /** The next byte. */
    readByte(): number
    /** Fills the buffer; as many bytes as there were. */
    read(buffer: Uint8Array, offset: number, length: number): number
    eof(): boolean
  }
  interface Output { writeByte(byte: number): void }
  const bunzip: { decode(input: Input, output: Output, multistream: boolean): void }
  export default bunzip
}
