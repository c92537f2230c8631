/** Jobs ordered of a server, and what became of them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeInput } from '../../../src/services/recipe-schema.ts'
import type { BuildView, JobView } from '../../../src/services/views.ts'
import { TARGET, type Muslin } from '../lab.ts'

export interface Done {
  job: JobView
  run: BuildView
  /** As it is shown to whoever asks. */
  log: string
}

export interface Orders {
  /** Resolves when the job has ended; without `publish` its wheel is thrown away. */
  build(project: string, options?: { version?: string; publish?: boolean }): Promise<Done>
  recipe(recipe: RecipeInput): Promise<void>
  /** The answer's status, whatever it is. */
  status(path: string, body: object): Promise<number>
}

export async function ordersOf(muslin: Muslin): Promise<Orders> {
  const token = (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim()
  const ask = (path: string, body?: object) => fetch(`${muslin.url}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })
  const api = async <T>(path: string, body?: object): Promise<T> => {
    const response = await ask(path, body)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json() as T
  }

  return {
    async build(project, { version = '1.0', publish = true } = {}) {
      const [ordered] = (await api<{ jobs: JobView[] }>('jobs', { project, version, targets: [TARGET], publish })).jobs
      const job = await muslin.until(`${project} has ended`, async () => {
        const now = await api<JobView>(`jobs/${ordered?.id}`)
        return ['queued', 'running'].includes(now.state) ? undefined : now
      }, 400)
      const run = await api<BuildView>(`builds/${job.build}`)
      return { job, run, log: await (await fetch(`${muslin.url}/b/${job.build}`)).text() }
    },
    recipe: async (recipe) => { await api('recipes', recipe) },
    status: async (path, body) => (await ask(path, body)).status,
  }
}
