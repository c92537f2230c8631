import type Router from '@koa/router'
import type { Context } from 'koa'
import { metadataChangedLine } from '../../domain/reason.ts'
import type { Job } from '../../domain/job.ts'
import { MuslinError } from '../../errors.ts'
import type { Files } from '../../services/files.ts'
import type { PromiseMetadata } from '../../services/promise-metadata.ts'
import type { Promised, PromiseBook } from '../../services/promises.ts'
import type { Wishes } from '../../services/wishes.ts'
import type { Links } from '../links.ts'
import { sendFile, sendMetadata } from '../send.ts'
import type { Waiting } from '../waiting/wait.ts'

export interface PromiseDeps {
  files: Files
  promises: PromiseBook
  promiseMetadata: PromiseMetadata
  wishes: Wishes
  waiting: Waiting
  links: Links
}

const METADATA = '.metadata'

/** Promised wheels: held until they are built, and for ever valid afterwards. */
export function promiseRoutes(router: Router, deps: PromiseDeps): void {
  const { files, promises, promiseMetadata, wishes, waiting, links } = deps

  router.get('/promise/:id/:filename', async (ctx) => {
    const { id = '', filename = '' } = ctx.params as Record<string, string>
    if (filename.endsWith(METADATA)) await metadata(ctx, await promises.resolve(id, filename.slice(0, -METADATA.length)))
    else await wheel(ctx, await promises.resolve(id, filename))
  })

  async function wheel(ctx: Context, promised: Promised): Promise<void> {
    const began = waiting.began(ctx)
    if (await sendKept(ctx, promised, began)) return
    if (ctx.method === 'HEAD') return unbuilt(ctx)
    const job = await waiting.wait(ctx, 'build', promised)
    if (!job) return
    refuseChanged(ctx, job, began)
    if (await sendKept(ctx, promised, undefined)) return
    throw new MuslinError('no-such-promise', `${promised.project} ${promised.version} was built under another build number, run again`)
  }

  async function metadata(ctx: Context, promised: Promised): Promise<void> {
    const kept = await promises.kept(promised)
    if (kept) return sendBlob(ctx, kept.metadata)
    if (ctx.method === 'HEAD') return unbuilt(ctx)
    await wishes.ahead(promised, waiting.asker(ctx))
    const known = await promiseMetadata.known(promised)
    if (known !== undefined) return sendBlob(ctx, known)
    const job = await waiting.wait(ctx, 'metadata', promised)
    if (!job) return
    const found = await promiseMetadata.known(promised)
    if (found === undefined) throw new MuslinError('internal', `the metadata step of ${promised.project} ${promised.version} left nothing`)
    await sendBlob(ctx, found)
  }

  /** `began`: since when this client waits, if it does; then it may hold METADATA that the build replaced. */
  async function sendKept(ctx: Context, promised: Promised, began: number | undefined): Promise<boolean> {
    const wheel = await promises.kept(promised)
    if (!wheel) return false
    const job = began === undefined ? undefined : await wishes.find('build', promised)
    if (job) refuseChanged(ctx, job, began)
    await sendFile(ctx, await files.open(wheel.sha256, wheel.filename), wheel)
    return true
  }

  async function sendBlob(ctx: Context, sha256: string): Promise<void> {
    await sendMetadata(ctx, await files.stored(sha256), { immutable: false })
  }

  // pip compares a wheel's METADATA with what it was shown before, and stops with a riddle where they differ.
  function refuseChanged(ctx: Context, job: Job, began: number | undefined): void {
    if (!job.metadataChanged || began === undefined || (job.finishedAt ?? 0) < began) return
    const link = links.build(ctx, job.build)
    throw new MuslinError('metadata-changed', metadataChangedLine({ project: job.project, version: job.version, link }), link === undefined ? {} : { link })
  }
}

/** HEAD is answered at once; how long the wheel will be nobody knows yet. */
function unbuilt(ctx: Context): void {
  ctx.status = 200
  ctx.set('Content-Type', 'application/octet-stream')
  ctx.set('Cache-Control', 'no-store')
}
