import type Router from '@koa/router'
import { APK_INDEX } from '../../domain/apk-repository.ts'
import type { Apks } from '../../services/apks.ts'
import { sendFile } from '../send.ts'

/**
 * The apk repositories of the builder images, in Alpine's own layout, so that apk reads them as any other. Open to all, as every reading
 * is; no request starts a build.
 */
export function apkRoutes(router: Router, { apks }: { apks: Apks }): void {
  router.get('/apk/:branch/:name/:arch/:file', async (ctx) => {
    const { branch = '', name = '', arch = '', file = '' } = ctx.params as Record<string, string>
    const opened = await apks.open(`apk/${branch}/${name}`, arch, file)
    // Some are made again under their names; and an index is new now and then.
    await sendFile(ctx, opened, { filename: file, cacheControl: file === APK_INDEX ? 'no-cache' : 'public, max-age=3600' })
  })
}
