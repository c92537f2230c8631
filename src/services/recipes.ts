import { LRUCache } from 'lru-cache'
import { ADMIN, OURSELVES } from '../domain/job.ts'
import type { RecipeLayer } from '../domain/recipe.ts'
import { MuslinError } from '../errors.ts'
import { applying, type AppliedTo } from './applied.ts'
import type { BuiltInRecipes, Clock, JobStore, RecipeStore, StoredRecipe } from './ports.ts'
import { learntRecipes, type Lesson } from './recipe-learning.ts'
import { readRecipes, writeRecipes } from './recipe-text.ts'

export type { Applied, AppliedTo } from './applied.ts'

export interface Recipes {
  /** What applies to each release of a project on each target, from what is written when it is asked. */
  forProject(project: string): Promise<AppliedTo>
  /** The layers of a project in the order in which they are merged; those of this site with their ids. */
  show(project: string): Promise<(RecipeLayer | StoredRecipe)[]>
  /** All recipes of this site, by project. */
  list(): Promise<StoredRecipe[]>
  /** Names of the projects that have a built-in one. */
  builtIn(): Promise<string[]>
  /** A person's recipe, in the place of the one for the same versions and targets. */
  set(layer: RecipeLayer, by?: string): Promise<StoredRecipe>
  /** Adds apks to the site's recipe for all releases of the project; what it says else stays. */
  addApks(project: string, apks: string[], by?: string): Promise<StoredRecipe>
  /** What a build found out, beside what earlier ones did; nothing of it that a person wrote about already. */
  learn(lesson: Lesson): Promise<void>
  /** Has all queued jobs follow the recipes of today: an upgrade brings other built-in ones. */
  catchUp(): Promise<void>
  /** Takes back one of this site's. Throws `no-such-recipe`. */
  remove(id: number): Promise<StoredRecipe>
  /** What this site has of its own as TOML, of one project or of all. */
  export(project?: string): Promise<string>
  /** Sets all recipes of a file or none, each in the place of those for the same versions and targets. Throws `bad-recipe`. */
  import(text: string, file: string, by?: string): Promise<StoredRecipe[]>
}

/** Built-in files are small, and a server sees few of their projects. */
const FILES_KEPT = 500

/** Recipes: those that come with Muslin, those that builds taught, and those of people; and what they say together. */
export function createRecipes({ builtIn, recipes, jobs, clock }: {
  builtIn: BuiltInRecipes
  recipes: RecipeStore
  jobs: Pick<JobStore, 'list' | 'rekey'>
  clock: Clock
}): Recipes {
  const files = new LRUCache<string, RecipeLayer[]>({ max: FILES_KEPT })

  return {
    forProject,
    show: layersOf,
    list: () => recipes.all(),
    builtIn: () => builtIn.projects(),
    async set(layer, by = ADMIN) {
      const [stored] = await replace([layer], by)
      return stored!
    },
    async addApks(project, apks, by = ADMIN) {
      const now = clock.now()
      const stored = await recipes.change(project, (own) => {
        const there = own.filter(({ origin, versions, targets }) => origin === 'site' && versions === undefined && targets === undefined)
        // A file that was imported may have several for all releases: the others stay where they are.
        const last = there.pop()
        const before = (last?.recipe.apks ?? []).filter((apk) => !apks.some((added) => apk === `!${added}`))
        const recipe = { ...last?.recipe, apks: [...new Set([...before, ...apks])] }
        return [...there, { project, versions: undefined, targets: undefined, origin: 'site', note: last?.note, recipe, evidence: undefined, createdBy: by, createdAt: now }]
      })
      await follow(project)
      return stored.at(-1)!
    },
    async learn(lesson) {
      const [file, now] = [await filesOf(lesson.project), clock.now()]
      // Builds of several targets end at once, each with a lesson of its own.
      const learnt = await recipes.change(lesson.project, (own) => learntRecipes(lesson, own, file).map((layer) => ({ ...layer, createdBy: OURSELVES, createdAt: now })))
      if (learnt.length > 0) await follow(lesson.project)
    },
    async catchUp() {
      const queued = await jobs.list({ state: 'queued' })
      for (const project of new Set(queued.map((job) => job.project))) await follow(project)
    },
    async remove(id) {
      const found = (await recipes.all()).find((one) => one.id === id)
      if (!found || !await recipes.remove(id)) throw new MuslinError('no-such-recipe', `no recipe of this site has the number ${id}; muslin recipe list has them, built-in ones are overridden by setting one`)
      await follow(found.project)
      return found
    },
    async export(project) {
      const own = project === undefined ? await recipes.all() : await recipes.of(project)
      return writeRecipes(own, (layer) => comments(layer as StoredRecipe))
    },
    import: (text, file, by = ADMIN) => replace(readRecipes(text, { file, origin: 'site' }), by),
  }

  async function forProject(project: string): Promise<AppliedTo> {
    return applying(await layersOf(project))
  }

  async function layersOf(project: string): Promise<(RecipeLayer | StoredRecipe)[]> {
    const own = await recipes.of(project)
    return [...await filesOf(project), ...own.filter(({ origin }) => origin === 'learnt'), ...own.filter(({ origin }) => origin === 'site')]
  }

  async function filesOf(project: string): Promise<RecipeLayer[]> {
    const found = files.get(project)
    if (found) return found
    const file = await builtIn.read(project)
    const layers = file ? readRecipes(file.text, { file: file.name, origin: 'built-in', project }) : []
    files.set(project, layers)
    return layers
  }

  async function replace(layers: RecipeLayer[], createdBy: string): Promise<StoredRecipe[]> {
    const now = clock.now()
    const stored = await recipes.replace(layers.map(({ project, versions, targets, recipe, note }) =>
      ({ project, origin: 'site', versions, targets, recipe, note, evidence: undefined, createdBy, createdAt: now })))
    for (const project of new Set(layers.map((layer) => layer.project))) await follow(project)
    return stored
  }

  /**
   * Jobs that wait are built by the recipe of today, and what is built is found under it; but of a trial nothing is there, and by another
   * recipe it is another question. What runs goes on as it began: its failure is one of the recipe that it had.
   */
  async function follow(project: string): Promise<void> {
    const applied = await forProject(project)
    for (const { id, kind, state, version, target, recipe } of await jobs.list({ project })) {
      const { digest } = applied(version, target)
      if ((state === 'queued' || (state === 'built' && kind !== 'trial')) && digest !== recipe) await jobs.rekey(id, digest, clock.now())
    }
  }
}

/** For whoever wants a release that a recipe skips. */
export function notBuilt({ project, version }: { project: string; version: string }, reason: string): MuslinError {
  return new MuslinError('not-built-here', `${project} ${version} is not built here: ${reason}`)
}

function comments({ origin, createdBy, createdAt }: StoredRecipe): string[] {
  const day = new Date(createdAt).toISOString().slice(0, 10)
  return [origin === 'learnt' ? `learnt from a build on ${day}` : `set by ${createdBy} on ${day}`]
}
