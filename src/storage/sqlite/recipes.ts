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
  const insert = db.prepare<[Omit<RecipeRow, 'id'>], RecipeRow>(`
    INSERT INTO recipes (project, origin, versions, targets, recipe, note, evidence, created_by, created_at)
    VALUES (@project, @origin, @versions, @targets, @recipe, @note, @evidence, @created_by, @created_at) RETURNING *`)
  const remove = db.prepare<[number], { project: string }>('DELETE FROM recipes WHERE id = ? RETURNING project')

  // A failure is remembered with its recipe: another recipe, and the page may promise the release again.
  const add = db.transaction((recipe: Omit<StoredRecipe, 'id'>): StoredRecipe => {
    const row = insert.get(toRow(recipe))
    changes.bump(recipe.project)
    return toRecipe(row!)
  })
  const take = db.transaction((id: number): boolean => {
    const row = remove.get(id)
    if (row) changes.bump(row.project)
    return row !== undefined
  })

  const replace = db.transaction((...[recipes, made = (recipe) => recipe]: Parameters<RecipeStore['replace']>): StoredRecipe[] => {
    // Those that come together do not take each other's place.
    const there = recipes.map((recipe) => selectSome.all(recipe.project).map(toRecipe).filter((one) => scopeOf(one) === scopeOf(recipe)))
    for (const { id } of there.flat()) remove.run(id)
    return recipes.map((recipe, at) => {
      changes.bump(recipe.project)
      return toRecipe(insert.get(toRow(made(recipe, there[at]!)))!)
    })
  })

  return asPort<RecipeStore>({
    of: (project) => selectSome.all(project).map(toRecipe),
    all: () => selectAll.all().map(toRecipe),
    add: (recipe) => told(add.immediate(recipe)),
    remove: (id) => told(take.immediate(id)),
    replace: (...args) => told(replace.immediate(...args)),
  })

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
