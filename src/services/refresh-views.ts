/** What came of asking the upstream anew for a project, as people and programs are shown it. */
import { z } from 'zod'

export const Refreshed = z.object({
  project: z.string(),
  known: z.boolean().describe('Whether the upstream has the project'),
  files: z.number().int().describe('How many files its page lists'),
  added: z.array(z.string()).describe('Files that the page did not list before, by their names'),
  gone: z.array(z.string()).describe('Files that it listed; who asks for one by its address gets it all the same'),
  changed: z.array(z.string()).describe('Files of which the page says something else than before, such as that they are yanked'),
}).meta({ id: 'Refreshed' })
export type Refreshed = z.infer<typeof Refreshed>
