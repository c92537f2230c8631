/** The status of a project: PEP 792. */
import type { ProjectPage } from './page.ts'

/** The status marker of the page with its reason; `active` where there is none. */
export function projectStatus(page: ProjectPage): { status: string; reason: string | undefined } {
  const told = page['project-status'] as { status?: unknown; reason?: unknown } | null | undefined
  const status = typeof told?.status === 'string' ? told.status : 'active'
  return { status, reason: typeof told?.reason === 'string' ? told.reason : undefined }
}

export function isQuarantined(page: ProjectPage): boolean {
  return projectStatus(page).status === 'quarantined'
}
