import toolchain from '../../builders/embedded/toolchain.json' with { type: 'json' }
import type { Check } from '../cli/context.ts'
import { size } from '../cli/format.ts'
import type { ProjectPage } from '../domain/page.ts'
import type { BlobStore, Upstream } from '../services/ports.ts'
import { fail, ok } from './check.ts'

interface Pin { project: string; version: string; files: Record<string, { filename: string; sha256: string; size: number }> }

const PINS: Pin[] = Object.values(toolchain)

/** What the embedded engine compiles with is here, or can be had: by name and digest, through the upstream like any wheel. */
export async function toolchainChecks(parts: { upstream: Pick<Upstream, 'page'>; blobs: Pick<BlobStore, 'stat'>; cpu: string }): Promise<Check[]> {
  return Promise.all(PINS.map((pin) => pinCheck(pin, parts)))
}

async function pinCheck({ project, version, files }: Pin, { upstream, blobs, cpu }: { upstream: Pick<Upstream, 'page'>; blobs: Pick<BlobStore, 'stat'>; cpu: string }): Promise<Check> {
  const name = `${project} ${version}`
  const file = files[cpu] ?? files['any']
  if (!file) return fail('toolchain', `${name} is not known for ${cpu}`, `use a container engine, or one of ${Object.keys(files).join(', ')}`)
  if (await blobs.stat(file.sha256)) return ok('toolchain', `${name} is here`)
  const answer = await upstream.page(project)
  const listed = answer.kind === 'page' ? (JSON.parse(answer.json.toString()) as ProjectPage).files : []
  if (listed.some(({ filename, hashes }) => filename === file.filename && hashes['sha256'] === file.sha256)) return ok('toolchain', `${name} is fetched at the first build (${size(file.size)})`)
  return fail('toolchain', `the upstream has no ${file.filename} with the digest that is pinned`, 'use an upstream that has all of PyPI, or a container engine')
}
