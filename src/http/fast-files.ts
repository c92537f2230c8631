import type { IncomingMessage } from 'node:http'
import type { PureFallbacks } from '../services/pure-fallbacks.ts'
import type { Downloads } from '../services/downloads.ts'
import type { SmallFile, SmallFiles } from '../services/small-files.ts'
import type { AddressOf } from './asker.ts'
import { clientOf } from './page-ask.ts'
import { type ReadyAnswer, readyAnswer } from './ready-answer.ts'
import { fileHeaders, IMMUTABLE, METADATA_HEADERS } from './send.ts'

export interface FastFilesDeps {
  smallFiles: SmallFiles
  downloads: Pick<Downloads, 'served'>
  fallbacks: Pick<PureFallbacks, 'served'>
  addressOf: AddressOf
}

/** Names as installers write them; one with `%` is left to the router, which decodes it. */
const PATH = /^\/files\/([0-9a-f]{64})\/([\w.!~*'()-]+)$/
const METADATA = '.metadata'

/** Small files, and the metadata of wheels, at once where they lie in memory, and in one read else; undefined for all else. */
export function createFastFiles({ smallFiles, downloads, fallbacks, addressOf }: FastFilesDeps): (path: string, req: IncomingMessage) => ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
  // Of what lies in memory; bytes under several names have the answer of the last one.
  const answers = new WeakMap<SmallFile, { name: string; answer: ReadyAnswer }>()

  return (path, req) => {
    const [, sha256, name] = PATH.exec(path) ?? []
    if (sha256 === undefined || name === undefined || name.endsWith('.record.json')) return undefined
    const metadata = name.endsWith(METADATA)
    const filename = metadata ? name.slice(0, -METADATA.length) : name
    const found = smallFiles.find(sha256, filename, metadata)
    return found instanceof Promise ? found.then((file) => file && answer(file)) : found && answer(found)

    function answer(file: SmallFile): ReadyAnswer {
      const known = answers.get(file)
      const ready = known && known.name === name ? known.answer : metadata ? metadataAnswer(file) : fileAnswer(file, filename)
      if (ready !== known?.answer) answers.set(file, { name: name!, answer: ready })
      return metadata ? ready : { ...ready, sending }
    }

    function sending(): void {
      const { headers } = req
      const asker = { client: clientOf(headers), address: addressOf(req), admin: false, host: headers.host, site: headers['sec-fetch-site'] as string | undefined }
      downloads.served({ sha256: sha256!, filename, ...asker })
      fallbacks.served({ sha256: sha256!, filename }, asker)
    }
  }
}

function fileAnswer({ sha256, bytes }: SmallFile, filename: string): ReadyAnswer {
  return readyAnswer({ tag: sha256, cacheControl: IMMUTABLE, headers: { ...fileHeaders(filename), 'Accept-Ranges': 'bytes' }, body: bytes })
}

function metadataAnswer({ sha256, bytes }: SmallFile): ReadyAnswer {
  return readyAnswer({ tag: sha256, cacheControl: IMMUTABLE, headers: METADATA_HEADERS, body: bytes })
}
