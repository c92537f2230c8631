/** The index of an apk repository: which apks there are, and what each provides. */

/** One apk of an APKINDEX. */
export interface ApkEntry {
  name: string
  version: string
  arch: string
  /** Bytes of the apk. */
  size: number
  /** `Q1` and the base64 of the SHA-1 of its control part. */
  checksum: string
  /** The source that it is built from. */
  origin: string
  /** Such as `so:libffi.so.8=8.1.4`, `pc:libffi=3.4.6`, `cmd:cmake=3.31`. */
  provides: string[]
  depends: string[]
  description: string
}
