import type { IncomingMessage } from 'node:http'
import { isValidName, normalizeName } from '../domain/names.ts'
import type { ProjectPages, RenderedPage } from '../services/pages.ts'
import { bodyHeaders, clientOf, PAGE_VARY, REVALIDATE, tagOf, variantOf, type View } from './page-ask.ts'
import { type ReadyAnswer, readyAnswer } from './ready-answer.ts'

export interface FastPagesDeps {
  pages: Pick<ProjectPages, 'ready'>
  views: View[]
}

/** The page of a project that is ready for whoever asks; undefined for all else. Throws what the route would answer with. */
export function createFastPages({ pages, views }: FastPagesDeps): (path: string, req: IncomingMessage) => ReadyAnswer | undefined {
  const patterns = views.map((view) => ({ view, pattern: patternOf(view) }))
  // A page is one object until it changes.
  const answers = new WeakMap<RenderedPage, ReadyAnswer>()

  return (path, { headers }) => {
    for (const { view, pattern } of patterns) {
      const groups = pattern.exec(path)?.groups
      if (!groups) continue
      const { project = '', named = '', format } = groups
      if (!isValidName(project) || normalizeName(project) !== project) return undefined
      const client = clientOf(headers)
      const page = pages.ready(project, variantOf(view, view.audience(client, headers.host, named), client, headers, format))
      return page && (answers.get(page) ?? remember(page))
    }
    return undefined
  }

  function remember(page: RenderedPage): ReadyAnswer {
    const answer = answerOf(page)
    answers.set(page, answer)
    return answer
  }
}

/** The path of a project's page as installers write it: nothing that would have to be decoded. */
function patternOf({ path }: View): RegExp {
  const folder = path.replace(':named', '(?<named>[\\w.-]+)')
  return new RegExp(`^${folder}/(?<project>[a-z0-9-]+)/(?:\\?format=(?<format>[\\w./-]*))?$`)
}

function answerOf(page: RenderedPage): ReadyAnswer {
  return readyAnswer({ tag: tagOf(page.sha256, page.coding), vary: PAGE_VARY, cacheControl: REVALIDATE, headers: bodyHeaders(page), body: page.body })
}
