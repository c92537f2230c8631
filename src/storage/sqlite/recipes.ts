import type { Database } from 'better-sqlite3'
import type { RecipeStore, StoredRecipe } from '../../services/ports.ts'
import type { Changes } from './changes.ts'
import { asPort } from './port.ts'

interface RecipeRow {
  id: number
  project: string
  origin: StoredRecipe['origin']
  versions: string | null
  targets: string | null
  recipe: string
  note: string | null
  evidence: string | null
  created_by: string
  created_at: number
}

/** The recipes of this site: set by people, or learnt from builds. */
export function createRecipes(db: Database, changes: Changes): RecipeStore {
  const selectSome = db.prepare<[string], RecipeRow>('SELECT * FROM recipes WHERE project = ? ORDER BY id')
  const selectAll = db.prepare<[], RecipeRow>('SELECT * FROM recipes ORDER BY project, id')
  const insert = db.prepare<[Omit<RecipeRow, 'id'> & { id: number | null }], RecipeRow>(`
    INSERT INTO recipes (id, project, origin, versions, targets, recipe, note, evidence, created_by, created_at)
    VALUES (@id, @project, @origin, @versions, @targets, @recipe, @note, @evidence, @created_by, @created_at) RETURNING *`)
  const remove = db.prepare<[number], { project: string }>('DELETE FROM recipes WHERE id = ? RETURNING project')

  // A failure is remembered with its recipe: another recipe, and the page may promise the release again.
  const add = db.transaction((recipe: Omit<StoredRecipe, 'id'>): StoredRecipe => {
    changes.bump(recipe.project)
    return put(recipe)
  })
  const take = db.transaction((id: number): boolean => {
    const row = remove.get(id)
    if (row) changes.bump(row.project)
    return row !== undefined
  })

  const replace = db.transaction((recipes: Omit<StoredRecipe, 'id'>[]): StoredRecipe[] => {
    // Those that come together do not take each other's place.
    const there = recipes.map((recipe) => of(recipe.project).filter((one) => scopeOf(one) === scopeOf(recipe)).map(({ id }) => id))
    for (const id of there.flat()) remove.run(id)
    const last = new Map<string, number>()
    return recipes.map((recipe, at) => {
      changes.bump(recipe.project)
      const stored = put(recipe, there[at]!.find((id) => id > (last.get(recipe.project) ?? 0)))
      last.set(recipe.project, stored.id)
      return stored
    })
  })
  const change = db.transaction((...[project, made]: Parameters<RecipeStore['change']>): StoredRecipe[] => replace(made(of(project))))

  return asPort<RecipeStore>({
    of,
    all: () => selectAll.all().map(toRecipe),
    add: (recipe) => told(add.immediate(recipe)),
    remove: (id) => told(take.immediate(id)),
    replace: (recipes) => told(replace.immediate(recipes)),
    change: (...args) => told(change.immediate(...args)),
  })

  function of(project: string): StoredRecipe[] {
    return selectSome.all(project).map(toRecipe)
  }

  /** Without an id it comes after all that there ever were. */
  function put(recipe: Omit<StoredRecipe, 'id'>, id?: number): StoredRecipe {
    return toRecipe(insert.get({ ...toRow(recipe), id: id ?? null })!)
  }

  function told<Result>(result: Result): Result {
    changes.notify()
    return result
  }
}

function scopeOf({ project, origin, versions, targets }: Omit<StoredRecipe, 'id'>): string {
  return JSON.stringify([project, origin, versions, targets?.toSorted()])
}

function toRow(recipe: Omit<StoredRecipe, 'id'>): Omit<RecipeRow, 'id'> {
  return {
    project: recipe.project, origin: recipe.origin, versions: recipe.versions ?? null,
    targets: recipe.targets === undefined ? null : JSON.stringify(recipe.targets), recipe: JSON.stringify(recipe.recipe), note: recipe.note ?? null,
    evidence: recipe.evidence === undefined ? null : JSON.stringify(recipe.evidence), created_by: recipe.createdBy, created_at: recipe.createdAt,
  }
}

function toRecipe(row: RecipeRow): StoredRecipe {
  return {
    id: row.id, project: row.project, origin: row.origin, versions: row.versions ?? undefined,
    targets: row.targets === null ? undefined : JSON.parse(row.targets) as string[], recipe: JSON.parse(row.recipe) as StoredRecipe['recipe'],
    note: row.note ?? undefined, evidence: row.evidence === null ? undefined : JSON.parse(row.evidence) as unknown,
    createdBy: row.created_by, createdAt: row.created_at,
  }
}
