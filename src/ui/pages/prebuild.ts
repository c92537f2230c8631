import type Router from '@koa/router'
import contentDisposition from 'content-disposition'
import type { Context } from 'koa'
import { ADMIN } from '../../domain/job.ts'
import type { LockKind } from '../../domain/lock/pin.ts'
import { MuslinError } from '../../errors.ts'
import { MOST_BODY_BYTES } from '../../services/bounds.ts'
import { requireForm, seeOther } from '../guard.ts'
import { rootOf } from '../layout.ts'
import { bytesOf, carried, EMPTY, lineKey, PASTED, planForm, planRequest, type PlanForm } from '../plan-form.ts'
import { readForm, type Form } from '../read-form.ts'
import { authOf, type PageDeps } from '../show.ts'
import { planPage } from './plan.ts'
import { prebuildFormPage } from './prebuild-form.ts'
import { progressPage } from './prebuild-progress.ts'
import { problemOf } from './problem.ts'

const RECENT = 10

/** For a pasted lock, whose name its content tells. */
const NAMES: Record<LockKind, string> = { requirements: 'requirements.txt', pylock: 'pylock.toml', uv: 'uv.lock', poetry: 'poetry.lock', pdm: 'pdm.lock', pipfile: 'Pipfile.lock' }

/** Paste, plan, build, watch; and take the lock along with the hashes of our wheels. */
export function prebuildRoutes(router: Router, deps: PageDeps): void {
  const { planAndLockFor, lockFor, prebuilds, overview, clock, show } = deps

  router.get('/ui/prebuild', (ctx) => showForm(ctx, EMPTY))

  router.post('/ui/prebuild', async (ctx) => {
    const sent = await readForm(ctx.req, { most: MOST_BODY_BYTES })
    if (sent.value('change') !== undefined) return showForm(ctx, carried(sent).planForm)
    await showPlan(ctx, planForm(sent))
  })

  router.post('/ui/prebuilds', async (ctx) => {
    const sent = await readForm(ctx.req, { most: MOST_BODY_BYTES })
    const { planForm: form, only } = carried(sent)
    const checked = new Set(only.map(lineKey))
    if (only.length === 0) return showPlan(ctx, form, { checked, error: new MuslinError('bad-request', 'nothing is checked; check at least one release to be built') })
    const refused = await refusal(ctx, sent).catch(known)
    if (refused) return showPlan(ctx, form, { checked, error: refused })
    const made = await prebuilds.create({ ...planRequest(form), only }, ADMIN).catch(known)
    if (made instanceof MuslinError) return showPlan(ctx, form, { checked, error: made })
    seeOther(ctx, rootOf(ctx), `ui/prebuilds/${made.id}`)
  })

  router.post('/ui/lock-hashes', async (ctx) => {
    const sent = await readForm(ctx.req, { most: MOST_BODY_BYTES })
    const { planForm: form } = carried(sent)
    const made = await Promise.resolve(form).then(planRequest).then((request) => lockFor(ctx, request)).catch(known)
    if (made instanceof MuslinError) return showPlan(ctx, form, { error: made })
    const index = Number(/^\d{1,3}$/.exec(sent.value('lock') ?? '')?.[0])
    const file = made.files[index]
    if (!file) throw new MuslinError('bad-request', 'the form came incomplete; make the plan again')
    const name = file.name === PASTED ? NAMES[file.kind] : file.name.split(/[/\\]/).at(-1)!
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Content-Type', 'application/octet-stream')
    ctx.set('Content-Disposition', contentDisposition(name))
    ctx.set('Content-Security-Policy', 'sandbox')
    ctx.body = Buffer.from(bytesOf(form, index, file.text))
  })

  router.get('/ui/prebuilds/:id', async (ctx) => {
    const id = Number(/^\d{1,15}$/.exec(String(ctx.params['id']))?.[0])
    if (Number.isNaN(id)) throw new MuslinError('no-such-prebuild', 'no prebuild has this number; take it from the address that it was started with')
    show(ctx, progressPage({ root: rootOf(ctx), prebuild: await prebuilds.get(id), auth: authOf(ctx), now: clock.now() }))
  })

  /** Whoever is not logged in any more, or not yet, does it by the same form: nothing that was pasted is lost. */
  async function refusal(ctx: Context, sent: Form): Promise<MuslinError | undefined> {
    const auth = authOf(ctx)
    const token = sent.value('token')
    if (auth?.session) requireForm(ctx, sent.value('csrf'))
    else if (token === undefined) return new MuslinError('token-needed', 'you are not logged in any more; give the token below, and the plan goes on')
    else if (!await auth?.login(token.trim())) return new MuslinError('token-needed', 'this is not the admin\'s token of this server')
    return undefined
  }

  async function showForm(ctx: Context, form: PlanForm, error?: MuslinError): Promise<void> {
    const { targets } = await overview.overview()
    show(ctx, prebuildFormPage({ root: rootOf(ctx), form, targets, problem: error && problemOf(error), recent: await prebuilds.list(RECENT), now: clock.now() }))
    if (error) ctx.status = error.status
  }

  /** Without a plan the form says why, with all that was sent still in it. */
  async function showPlan(ctx: Context, form: PlanForm, about: { checked?: Set<string>; error?: MuslinError } = {}): Promise<void> {
    const made = await Promise.resolve(form).then(planRequest).then((request) => planAndLockFor(ctx, request)).catch(known)
    if (made instanceof MuslinError) return showForm(ctx, form, made)
    const { checked, error } = about
    const csrf = authOf(ctx)?.session?.csrf
    show(ctx, planPage({ root: rootOf(ctx), ...made, form, checked, csrf, problem: error && problemOf(error) }))
    if (error) ctx.status = error.status
  }
}

/** Errors that are written for people are shown where they can act on them; others are the gate's. */
function known(error: unknown): MuslinError {
  if (error instanceof MuslinError && error.code !== 'internal') return error
  throw error
}
