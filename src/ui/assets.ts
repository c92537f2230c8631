import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type Router from '@koa/router'
import { MuslinError } from '../errors.ts'

const FOLDER = join(import.meta.dirname, 'assets')
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const files = new Map(readdirSync(FOLDER).filter((name) => extname(name) in TYPES).map((name) => [name, readFileSync(join(FOLDER, name))]))
// One digest for all of them: scripts import each other by relative names.
const digest = [...files].reduce((hash, [name, bytes]) => hash.update(`${name}\0${bytes.length}\0`).update(bytes), createHash('sha256')).digest('hex').slice(0, 16)

/** Where a file of `assets/` is, relative to the server's root; the address changes with any of their bytes. */
export function assetUrl(name: string): string {
  if (!files.has(name)) throw new Error(`there is no asset ${name}`)
  return `ui/assets/${digest}/${name}`
}

/** The styles, scripts and pictures of the pages. */
export function assetRoutes(router: Router): void {
  router.get('/ui/assets/:digest/:name', (ctx) => {
    const name = String(ctx.params['name'])
    const bytes = files.get(name)
    if (!bytes) throw new MuslinError('not-found', `the pages have no file of this name; reload the page that asked for it`)
    ctx.status = 200
    ctx.set('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream')
    // An older page may still ask under an older digest: it gets what there is, but keeps it under no false name.
    ctx.set('Cache-Control', ctx.params['digest'] === digest ? 'public, max-age=31536000, immutable' : 'no-store')
    ctx.body = bytes
  })
}
