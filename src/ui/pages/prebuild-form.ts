import type { PrebuildList, TargetView } from '../../services/views.ts'
import { assetUrl } from '../assets.ts'
import type { Page } from '../deps.ts'
import { counted, timeTag } from '../format.ts'
import { html, type Html } from '../html.ts'
import { nothing, table } from '../parts.ts'
import { KINDS, type PlanForm } from '../plan-form.ts'
import { problemNote, type Problem } from './problem.ts'

/** The page to paste a lock file into, with what was built from such files before. */
export function prebuildFormPage({ root, form, targets, problem, recent, now }: {
  root: string
  form: PlanForm
  targets: TargetView[]
  problem: Problem | undefined
  recent: PrebuildList['prebuilds']
  now: number
}): Page {
  return {
    title: 'Prebuild', nav: 'prebuild',
    body: html`<script type="module" src="${root}${assetUrl('prebuild.js')}"></script>
<div class="head"><div><h1>Prebuild</h1><p>Paste a lock file. The plan says what a client on Alpine gets for each release; one button builds what is missing, before anybody waits for it, and the lock gets the hashes of our wheels.</p></div></div>
${problem && problemNote(problem)}
<form id="plan" class="panel stack" method="post" action="${root}ui/prebuild" enctype="multipart/form-data">
<div class="sources">
<div class="field"><label for="text">Requirements or lock file</label>
<textarea id="text" name="text" rows="13" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off" placeholder="crcmod==1.7&#10;regex==2020.11.13" aria-describedby="text-hint">
${form.text}</textarea>
<p class="hint" id="text-hint">requirements.txt with pins (<code>==</code>), pylock.toml, uv.lock, poetry.lock, pdm.lock or Pipfile.lock</p></div>
<div class="field files"><label for="files">Or files</label>
<div class="drop" data-drop><input id="files" type="file" name="files" multiple accept=".txt,.in,.toml,.lock,text/plain" aria-describedby="files-hint">
<p class="hint" id="files-hint">Choose some, or drop them here.</p></div>
${kept(form)}
${kindChoice(form)}
${targetChoice(form, targets)}
<details${(form.extras !== '' || form.groups !== '') && html` open`}><summary>Extras and groups</summary>
<div class="stack"><div class="field"><label for="extras">Extras of the project itself</label><input id="extras" name="extras" value="${form.extras}" placeholder="postgres, tls" autocapitalize="off" autocomplete="off" spellcheck="false"></div>
<div class="field"><label for="groups">Dependency groups</label><input id="groups" name="groups" value="${form.groups}" placeholder="those installed by default" autocapitalize="off" autocomplete="off" spellcheck="false"></div></div></details>
</div>
</div>
<p class="actions"><button id="make-plan">Make the plan</button> <span class="muted small">Nothing is built before you say so.</span></p>
</form>
<section class="section"><h2>Recent prebuilds</h2>
${recent.length === 0 ? nothing('None yet. What you build from a plan is listed here.') : recentTable(root, recent, now)}
</section>`,
  }
}

function kept({ files }: PlanForm): Html | false {
  return files.length > 0 && html`<fieldset class="field"><legend>Sent before</legend>${files.map((file) =>
    html`<label class="check"><input type="checkbox" name="kept" value="${JSON.stringify(file)}" checked> ${file.name} <span class="muted small">${counted(file.text.split('\n').length, 'line')}</span></label>`)}</fieldset>`
}

function kindChoice({ kind }: PlanForm): Html {
  return html`<div class="field"><label for="kind">The pasted text is</label><select id="kind" name="kind">${KINDS.map((name) =>
    html`<option value="${name}"${name === kind && html` selected`}>${name === 'auto' ? 'detected from its content' : name}</option>`)}</select></div>`
}

/** Those that can be built for now: checked, as the planner takes them by default. */
function targetChoice({ targets: chosen }: PlanForm, targets: TargetView[]): Html | false {
  const ready = targets.filter((target) => target.ready)
  const offered = ready.length > 0 ? ready : targets
  return offered.length > 0 && html`<fieldset class="field"><legend>Targets</legend>${offered.map(({ name }) =>
    html`<label class="check"><input type="checkbox" name="target" value="${name}"${(chosen.length === 0 || chosen.includes(name)) && html` checked`}> <span class="mono">${name}</span></label>`)}
${ready.length === 0 && html`<p class="hint">No builder is ready: a plan can be made, but nothing built.</p>`}</fieldset>`
}

function recentTable(root: string, recent: PrebuildList['prebuilds'], now: number): Html {
  return table({
    caption: 'Recent prebuilds', columns: ['Prebuild', 'Files', 'Started', 'By'],
    rows: recent.map(({ id, name, createdAt, askedBy }) => ({ cells: [html`<a href="${root}ui/prebuilds/${id}">Prebuild ${id}</a>`, name, timeTag(createdAt, now), askedBy] })),
  })
}
