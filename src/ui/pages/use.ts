import type Router from '@koa/router'
import type { Context } from 'koa'
import { html, type Html } from '../html.ts'
import { rootOf } from '../layout.ts'
import { copyLines, table } from '../parts.ts'
import type { PageDeps } from '../show.ts'
import { useLines } from '../use-lines.ts'

/** Lines to copy, with this server's address: publicUrl, else as the visitor reached it. */
export function useRoutes(router: Router, { links, reachable, targets, views: named, clock, show }: PageDeps): void {
  router.get('/ui/use', (ctx) => {
    const address = links.root(ctx)
    const tables = views(rootOf(ctx), targets, { named: [...named.keys()], today: new Date(clock.now()).toISOString().slice(0, 10) })
    show(ctx, {
      title: 'Use it', nav: 'use',
      body: html`<div class="head"><div><h1>Use it</h1>${address !== undefined && html`<p>This index answers at <span class="mono">${address}/simple/</span></p>`}</div></div>
${address === undefined ? [strangeName(ctx), tables] : lines(address, tables)}`,
    })
  })

  function lines(address: string, tables: Html): Html {
    const sections = useLines(address)
    return html`<div class="with-contents"><nav class="contents" aria-label="On this page"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}<li><a href="#views">Addresses</a></li></ul></nav>
<div>${sections.map(({ id, title, lead, contained, blocks }) => html`<section class="panel" id="${id}"><h2>${title}</h2><p class="muted">${lead}</p>
${contained && !reachable && unreachable()}
${blocks.map(({ label, text }) => html`<h3 class="block-label">${label}</h3>${copyLines(text, `${title}: ${label}`)}`)}</section>`)}
${tables}</div></div>`
  }
}

/** Under a name that is not this server's own nothing is promised: lines with it would disappoint. */
function strangeName(ctx: Context): Html {
  const name = URL.parse(`http://${ctx.host}`)?.hostname
  const told = name ? html`This server does not know the name ${name}.` : 'The request names no host that this server could repeat.'
  return html`<div class="notice" id="strange-name"><p><strong>${told}</strong> Under it no wheel is promised, so there are no lines to copy here. Start the server with <code>--allowed-hosts ${name || 'NAME'}</code>, or with <code class="flag">--public-url</code> where a proxy stands before it; or open this page under one of its own names.</p></div>`
}

function unreachable(): Html {
  return html`<div class="notice"><p><strong>No container reaches this server yet.</strong> It listens on its own machine alone: start it with <code class="flag">--host 0.0.0.0</code>, and these lines work.</p></div>`
}

function views(root: string, targets: string[], { named, today }: { named: string[]; today: string }): Html {
  const target = targets.at(-1) ?? 'cp313-musllinux_1_2_x86_64'
  return html`<section class="section" id="views"><h2>Addresses</h2>${table({
    caption: 'The views of the index', columns: ['Address', 'Serves'],
    rows: [
      [html`<a class="mono" href="${root}simple/">/simple/</a>`, 'Everything. pip and uv on a musl target are also offered the wheels that would be compiled for them.'],
      [html`<a class="mono" href="${root}finished/simple/">/finished/simple/</a>`, 'Everything that exists now, and never a wheel still to be compiled: for tools that lock.'],
      [html`<a class="mono" href="${root}target/${target}/simple/">/target/${target}/simple/</a>`, html`What a client on that target is offered, whoever asks: for CI and downloads on other machines. <a href="${root}ui/targets">All targets</a>`],
      [html`<a class="mono" href="${root}before/${today}/simple/">/before/${today}/simple/</a>`, 'What there was when that day ended, in UTC: the same releases whenever it is installed.'],
      ...named.map((name) => [html`<a class="mono" href="${root}view/${name}/simple/">/view/${name}/simple/</a>`, 'A view of this site: /simple/ less what its settings leave out.']),
      [html`<span class="mono">/b/42</span>`, 'A build and its log; the address stands in every message about a failed install.'],
    ].map((cells) => ({ cells })),
  })}</section>`
}
