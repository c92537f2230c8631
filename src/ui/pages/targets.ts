import type Router from '@koa/router'
import { html } from '../html.ts'
import { rootOf } from '../layout.ts'
import { badge, nothing, table } from '../parts.ts'
import type { PageDeps } from '../show.ts'

/** What wheels are made for, and with which images. */
export function targetRoutes(router: Router, { overview, show }: PageDeps): void {
  router.get('/ui/targets', async (ctx) => {
    const { targets, workers } = await overview.overview()
    const root = rootOf(ctx)
    show(ctx, {
      title: 'Targets',
      body: html`<div class="head"><div><h1>Targets</h1><p>What wheels are made for: a CPython, a level of musl, and a CPU.</p></div></div>
${workers === 0 && html`<div class="notice"><p><strong>No worker runs.</strong> Nothing is built until one does; the server printed at its start which engine it found, and <code>muslin doctor</code> says more.</p></div>`}
${targets.length === 0 ? nothing('No target is configured, and no worker offers one.') : table({
    id: 'targets', caption: 'The targets', columns: ['Target', 'Python', 'CPU', 'State', 'Builder image', 'Index'],
    rows: targets.map(({ name, python, cpu, ready, image, configured }) => ({
      attributes: { 'data-target': name },
      cells: [
        html`<span class="mono">${name}</span>`, `CPython ${python}`, cpu,
        html`<span>${badge(ready ? 'ready' : 'not-ready')}${!configured && html` <span class="tag">not configured</span>`}</span>`,
        image === null ? html`<span class="muted">none at hand</span>` : html`<span class="mono" title="${image}">${image.replace(/^sha256:/, '').slice(0, 12)}</span>`,
        html`<a href="${root}target/${name}/simple/">View<span class="hidden"> for ${name}</span></a>`,
      ],
    })),
  })}`,
    })
  })
}
