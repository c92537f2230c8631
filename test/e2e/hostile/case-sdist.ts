import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, ROOT } from '../lab.ts'
import { packSdist, sdistOf, type Sdist } from '../sdists.ts'
import type { Case } from './cases.ts'

const HOSTILE = join(ROOT, 'test/e2e/hostile')

/** The sdist of a case: a backend that reads its plan, or an archive that nobody should unpack. `common` is in every plan. */
export async function sdistOfCase({ name, plan }: Case, common: object): Promise<Sdist> {
  const project = `hostile-${name}`
  if ('archive' in plan) {
    const { stdout } = await execa('python3', [join(HOSTILE, 'archives.py'), String(plan.archive), `${project}-1.0`], { env: cleanEnv({ PYTHONDONTWRITEBYTECODE: '1' }), extendEnv: false, encoding: 'buffer' })
    return sdistOf({ project, version: '1.0', filename: `${project}-1.0.${plan.archive === 'zip' ? 'zip' : 'tar.gz'}`, bytes: Buffer.from(stdout) })
  }
  return await packSdist(project, '1.0', {
    'PKG-INFO': `Metadata-Version: 2.1\nName: ${project}\nVersion: 1.0\n`,
    'pyproject.toml': `[build-system]\nrequires = ${JSON.stringify(plan.static ?? [])}\nbuild-backend = "backend"\nbackend-path = ["."]\n`,
    'plan.json': JSON.stringify({ ...common, ...plan, project }),
    'backend.py': await readFile(join(HOSTILE, 'backend.py'), 'utf8'),
    'wheels.py': await readFile(join(HOSTILE, 'wheels.py'), 'utf8'),
  })
}
