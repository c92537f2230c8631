import type { RecipeLayer } from '../../domain/recipe.ts'
import type { StoredRecipe } from '../../services/ports.ts'
import { lessons, type RecipeLayerView, recipeSaid, recipeView } from '../../services/recipe-views.ts'
import { writeRecipes } from '../../services/recipe-text.ts'
import { sentence, timeTag } from '../format.ts'
import { html, type Content, type Html } from '../html.ts'
import { csrfField, loginUrl, type Frame } from '../layout.ts'
import { facts, nothing } from '../parts.ts'

/** All recipes of a project in the order in which they are merged, each with what is behind it, and the way to write another. */
export function projectRecipes({ project, layers, frame, now, tried }: {
  project: string
  layers: (RecipeLayer | StoredRecipe)[]
  frame: Frame
  now: number
  /** What somebody wrote, and why it cannot be used. */
  tried: { text: string; problem: string } | undefined
}): Html {
  const { root } = frame
  const views = layers.map(recipeView)
  return html`<div class="head"><div><h1>Recipe of <a class="calm" href="${root}ui/projects/${project}">${project}</a></h1><p>Later ones go over earlier ones.</p></div>
${views.some(({ id }) => id !== null) && html`<a class="button quiet" href="${root}api/v1/recipes.toml?project=${project}">Export</a>`}</div>
${views.length === 0 && nothing('It has none: what its sdist says is all that is known.')}
${views.map((layer) => panel(layer, frame, now))}
${editor(project, layers, frame, tried)}`
}

/** `>=2,<3 on cp313-*`. */
export function scope({ versions, targets }: Pick<RecipeLayerView, 'versions' | 'targets'>): Html {
  return html`${versions === undefined ? 'all versions' : html`<span class="mono">${versions}</span>`}${targets && html` on <span class="mono">${targets.join(', ')}</span>`}`
}

function panel(layer: RecipeLayerView, frame: Frame, now: number): Html {
  const { id, origin, note, createdBy, createdAt } = layer
  return html`<section class="panel recipe" data-origin="${origin}"${id !== null && html` id="recipe-${id}"`}><div class="head"><p><span class="tag">${origin}</span> for ${scope(layer)}</p>
${id !== null && frame.auth?.session && html`<form method="post" action="${frame.root}ui/recipes/${layer.project}/remove">${csrfField(frame.auth)}<input type="hidden" name="id" value="${id}"><button class="quiet small">${origin === 'learnt' ? 'Revert' : 'Remove'}</button></form>`}</div>
${layer.network === true && html`<p class="notice"><strong>The build may use the network.</strong></p>`}
${note !== undefined && html`<p>${sentence(note)}</p>`}
${facts(recipeSaid(layer).map(([key, value]) => [key, shown(value)]))}
${evidence(layer)}
${createdAt !== null && html`<p class="small muted">${origin === 'learnt' ? 'Learnt' : `By ${createdBy}`} ${timeTag(createdAt, now)}</p>`}</section>`
}

function evidence(layer: RecipeLayerView): Html | false {
  const all = lessons(layer)
  return all.length > 0 && html`<ul class="evidence">${all.map(({ failure, key, remedy }) => html`<li><code>${failure}</code> ${key}: ${remedy}</li>`)}</ul>`
}

function editor(project: string, layers: (RecipeLayer | StoredRecipe)[], frame: Frame, tried: { text: string; problem: string } | undefined): Html {
  if (!frame.auth?.session) return html`<p class="actions"><a class="button quiet" href="${loginUrl(frame)}">Log in to set a recipe</a></p>`
  const own = writeRecipes(layers.filter(({ origin }) => origin === 'site'))
  return html`<section class="section"><h2>Set one for this site</h2>
<form class="stack" method="post" action="${frame.root}ui/recipes/${project}">${csrfField(frame.auth)}
${tried && html`<div class="notice bad" role="alert" id="problem"><p>${sentence(tried.problem)}</p></div>`}
<div class="field"><label for="text">TOML</label><textarea id="text" name="text" rows="10" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off" aria-describedby="text-hint">
${tried?.text ?? (own === '' ? `[[recipe]]\nproject = "${project}"\napks = []\n` : own)}</textarea>
<p class="hint" id="text-hint">Each <code>[[recipe]]</code> takes the place of this site’s for the same versions and targets. <code>docs/recipes.md</code> has the keys.</p></div>
<p class="actions"><button>Save</button></p></form></section>`
}

function shown(value: unknown): Content {
  if (value === '') return html`<span class="muted">empty</span>`
  if (Array.isArray(value)) return value.length === 0 ? html`<span class="muted">none</span>` : html`<ul>${value.map((each) => html`<li>${shown(each)}</li>`)}</ul>`
  if (typeof value === 'object' && value !== null) return html`<ul class="pairs">${Object.entries(value).map(([name, each]) => html`<li><span class="muted">${name}</span> ${shown(each)}</li>`)}</ul>`
  const text = String(value)
  return text.includes('\n') ? html`<pre tabindex="0">${text}</pre>` : html`<span class="mono">${text}</span>`
}
