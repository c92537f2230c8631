import type Router from '@koa/router'
import type { Context } from 'koa'
import { parseUserAgent, passesOverBadMetadata } from '../../domain/client.ts'
import { MuslinError } from '../../errors.ts'
import type { Asker } from '../../services/admission.ts'
import type { Downloads } from '../../services/downloads.ts'
import type { Files } from '../../services/files.ts'
import { saysDamaged } from '../../services/made-metadata.ts'
import type { PureFallbacks } from '../../services/pure-fallbacks.ts'
import type { Records } from '../../services/records.ts'
import { sendFile, sendMetadata, sendNoMetadata, sendProvenance } from '../send.ts'

const METADATA = '.metadata'
const PROVENANCE = '.provenance'
const RECORD = '.record.json'

/** Files, their metadata (PEP 658), their provenance (PEP 740) and the records of their builds by (sha256, name): only recorded pairs are known. */
export function fileRoutes(router: Router, { files, records, downloads, fallbacks, asker, xAccel }: {
  files: Files
  records: Records
  downloads: Downloads
  fallbacks: PureFallbacks
  asker: (ctx: Context) => Asker
  /** Where nginx finds the blobs, if it sends them. */
  xAccel?: string | undefined
}): void {
  router.get('/files/:sha256/:filename', async (ctx) => {
    const { sha256 = '', filename = '' } = ctx.params as Record<string, string>
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new MuslinError('no-such-file', 'files are named by 64 hexadecimal digits; follow a link of the project\'s page')
    if (filename.endsWith(METADATA)) {
      const metadata = await files.metadata(sha256, filename.slice(0, -METADATA.length)).catch((error: unknown) => {
        if (!saysDamaged(error) || !passesOverBadMetadata(parseUserAgent(ctx.get('User-Agent')))) throw error
      })
      if (metadata) await sendMetadata(ctx, metadata, { immutable: true })
      else sendNoMetadata(ctx)
    } else if (filename.endsWith(PROVENANCE)) {
      await sendProvenance(ctx, await files.provenance(sha256, filename.slice(0, -PROVENANCE.length)))
    } else if (filename.endsWith(RECORD)) {
      ctx.body = await records.of(sha256, filename.slice(0, -RECORD.length))
    } else {
      const whole = await sendFile(ctx, await files.open(sha256, filename), { filename, xAccel })
      if (!whole) return
      downloads.served({ sha256, filename, ...asker(ctx) })
      fallbacks.served({ sha256, filename }, asker(ctx))
    }
  })
}
