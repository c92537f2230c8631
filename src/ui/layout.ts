import type { Context } from 'koa'
import type { Auth } from '../services/sessions.ts'
import { assetUrl } from './assets.ts'
import type { Nav, Page } from './deps.ts'
import { html, textOf, type Html } from './html.ts'

const NAVIGATION: { nav: Nav; name: string; path: string }[] = [
  { nav: 'overview', name: 'Overview', path: 'ui/' },
  { nav: 'jobs', name: 'Jobs', path: 'ui/jobs' },
  { nav: 'prebuild', name: 'Prebuild', path: 'ui/prebuild' },
  { nav: 'rebuild', name: 'Rebuild', path: 'ui/rebuild' },
  { nav: 'recipes', name: 'Recipes', path: 'ui/recipes' },
  { nav: 'use', name: 'Use it', path: 'ui/use' },
]

/** What the frame must know of the request. */
export interface Frame {
  /** Leads from this page to the server's root: `../`, `../../`. */
  root: string
  /** Where a login leads back to: this page, from the server's root. */
  path: string
  auth: Auth | undefined
  version: string
}

/** A whole page: what stands around every body. */
export function page({ title, nav, body, refreshSeconds }: Page, frame: Frame): string {
  const { root } = frame
  return textOf(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Muslin</title>
<link rel="icon" href="${root}${assetUrl('mark.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${root}${assetUrl('muslin.css')}">
<link rel="stylesheet" href="${root}${assetUrl('pages.css')}">
<script type="module" src="${root}${assetUrl('live.js')}"></script>
${refreshSeconds !== undefined && html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`}
</head>
<body data-root="${root}">
<a class="skip" href="#main">Skip to the content</a>
${header(nav, frame)}
<main id="main" tabindex="-1">
${body}
</main>
<footer class="foot"><p>Muslin ${frame.version} · a Python package index for Alpine Linux</p></footer>
</body>
</html>
`)
}

/**
 * The way from a page to the server's root. All our links are relative: a proxy may serve us below a path that we never see.
 */
export function rootOf(ctx: Pick<Context, 'path'>): string {
  // `OPTIONS *` has no slash at all.
  return '../'.repeat(Math.max(0, ctx.path.split('/').length - 2))
}

/** Where to log in and come back from: `path` is this page's, from the server's root. */
export function loginUrl({ root, path }: Pick<Frame, 'root' | 'path'>): string {
  return `${root}ui/login?next=${encodeURIComponent(path)}`
}

function header(current: Nav | undefined, frame: Frame): Html {
  const { root } = frame
  return html`<header class="top"><div class="bar">
<a class="brand" href="${root}ui/"><img src="${root}${assetUrl('mark.svg')}" alt="" width="28" height="28"> Muslin</a>
<nav aria-label="Main"><ul>${NAVIGATION.map(({ nav, name, path }) =>
  html`<li><a href="${root}${path}"${nav === current && html` aria-current="page"`}>${name}</a></li>`)}</ul></nav>
<form class="find" role="search" action="${root}ui/projects"><input type="search" name="name" required maxlength="200" placeholder="Find a project" aria-label="Find a project" autocomplete="off" autocapitalize="off" spellcheck="false"></form>
<div class="who">${who(frame)}</div>
</div></header>`
}

function who(frame: Frame): Html {
  const session = frame.auth?.session
  if (!session) return html`<a href="${loginUrl(frame)}">Log in</a>`
  return html`<form method="post" action="${frame.root}ui/logout">${csrfField(frame.auth)}<button class="plain">Log out</button></form>`
}

/** What every form that changes something carries; nothing where nobody is logged in. */
export function csrfField(auth: Auth | undefined): Html | undefined {
  return auth?.session && html`<input type="hidden" name="csrf" value="${auth.session.csrf}">`
}
