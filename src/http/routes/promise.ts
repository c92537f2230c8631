import { text } from 'node:stream/consumers'
import type Router from '@koa/router'
import type { Context } from 'koa'
import { metadataChangedLine } from '../../domain/reason.ts'
import { parseMetadata, sameForInstallers } from '../../domain/metadata.ts'
import { MuslinError } from '../../errors.ts'
import type { Downloads } from '../../services/downloads.ts'
import type { Files } from '../../services/files.ts'
import type { BuiltWheel } from '../../services/ports.ts'
import type { PromiseMetadata } from '../../services/promise-metadata.ts'
import type { Promised, PromiseBook } from '../../services/promises.ts'
import type { Wishes } from '../../services/wishes.ts'
import type { Links } from '../links.ts'
import { sendFile, sendMetadata } from '../send.ts'
import type { ShownMetadata } from '../shown-metadata.ts'
import type { Waiting } from '../waiting/wait.ts'

export interface PromiseDeps {
  files: Files
  downloads: Downloads
  promises: PromiseBook
  promiseMetadata: PromiseMetadata
  wishes: Wishes
  waiting: Waiting
  links: Links
  shown: ShownMetadata
}

const METADATA = '.metadata'

/** Promised wheels: held until they are built, and for ever valid afterwards. */
export function promiseRoutes(router: Router, deps: PromiseDeps): void {
  const { files, downloads, promises, promiseMetadata, wishes, waiting, links, shown } = deps

  router.get('/promise/:id/:filename', async (ctx) => {
    const { id = '', filename = '' } = ctx.params as Record<string, string>
    if (filename.endsWith(METADATA)) await metadata(ctx, id, await promises.resolve(id, filename.slice(0, -METADATA.length)))
    else await wheel(ctx, id, await promises.resolve(id, filename))
  })

  async function wheel(ctx: Context, id: string, promised: Promised): Promise<void> {
    const began = waiting.began(ctx)
    const send = () => sendKept(ctx, id, promised, began)
    if (await waiting.answer(ctx, send)) return
    if (ctx.method === 'HEAD') return unbuilt(ctx)
    await waiting.wait(ctx, 'build', promised, async () => {
      if (await send()) return true
      throw new MuslinError('no-such-promise', `${promised.project} ${promised.version} was built under another build number, run again`)
    })
  }

  async function metadata(ctx: Context, id: string, promised: Promised): Promise<void> {
    const kept = await promises.kept(promised)
    if (!kept && ctx.method === 'HEAD') return unbuilt(ctx)
    if (!kept) await wishes.ahead(promised, waiting.asker(ctx))
    const send = async () => {
      const sha256 = kept?.metadata ?? await promiseMetadata.known(promised)
      if (sha256 !== undefined) await sendBlob(ctx, id, sha256)
      return sha256 !== undefined
    }
    if (await waiting.answer(ctx, send)) return
    await waiting.wait(ctx, 'metadata', promised, async () => {
      if (await send()) return true
      throw new MuslinError('internal', `the metadata step of ${promised.project} ${promised.version} left nothing`)
    })
  }

  async function sendKept(ctx: Context, id: string, promised: Promised, began: number): Promise<boolean> {
    const wheel = await promises.kept(promised)
    if (!wheel) return false
    if (ctx.method !== 'HEAD') await refuseChanged(ctx, id, promised, wheel, began)
    const { sha256, filename } = wheel
    if (await sendFile(ctx, await files.open(sha256, filename), wheel)) downloads.served({ sha256, filename, ...waiting.asker(ctx) })
    return true
  }

  async function sendBlob(ctx: Context, id: string, sha256: string): Promise<void> {
    if (ctx.method !== 'HEAD') shown.show(waiting.asker(ctx).address, id, sha256)
    await sendMetadata(ctx, await files.stored(sha256), { immutable: false })
  }

  // pip compares a wheel's METADATA with what it was shown before, and stops with a riddle where they differ.
  async function refuseChanged(ctx: Context, id: string, promised: Promised, wheel: BuiltWheel, began: number): Promise<void> {
    const { address } = waiting.asker(ctx)
    const last = shown.last(address, id)
    if (last === undefined ? !await changedSince(promised, began) : await sameMetadata(last, wheel.metadata)) return
    // Said once: who comes again by this same address, as a lock file makes him, gets the wheel.
    shown.forget(address, id)
    const link = links.build(ctx, wheel.build)
    throw new MuslinError('metadata-changed', metadataChangedLine({ ...promised, link }), link === undefined ? {} : { link })
  }

  /** What was shown by another process, or before a restart, is unknown: who waited while the build ended may hold the older one. */
  async function changedSince(promised: Promised, began: number): Promise<boolean> {
    const job = await wishes.find('build', promised)
    return job?.metadataChanged === true && (job.finishedAt ?? 0) >= began
  }

  async function sameMetadata(one: string, other: string): Promise<boolean> {
    if (one === other) return true
    const [a, b] = await Promise.all([one, other].map(async (sha256) => parseMetadata(await text((await (await files.stored(sha256)).read()).body))))
    return sameForInstallers(a!, b!)
  }
}

/** HEAD is answered at once; how long the wheel will be nobody knows yet. */
function unbuilt(ctx: Context): void {
  ctx.status = 200
  ctx.set('Content-Type', 'application/octet-stream')
  ctx.set('Cache-Control', 'no-store')
}
