import { pino } from 'pino'
import { expect, it } from 'vitest'
import { createBuilderRouter } from '../../src/builder/router.ts'
import type { Builder, BuildWork } from '../../src/services/ports.ts'

const X86 = 'cp313-musllinux_1_2_x86_64'
const ARM = 'cp313-musllinux_1_2_aarch64'
const log = pino({ level: 'silent' })

/** A builder of one target that notes what it is asked. */
function builderOf(target: string, changes: Partial<Builder> = {}): Builder & { asked: string[] } {
  const asked: string[] = []
  const outcome = async (what: string, { job }: BuildWork) => {
    asked.push(`${what} ${job.target}`)
    return { ok: false as const, failure: { class: 'missing-header' as const, key: '' }, record: {} }
  }
  return {
    asked,
    targets: async () => new Map([[target, `digest of ${target}`]]),
    metadata: (work) => outcome('metadata', work),
    build: (work) => outcome('build', work),
    sweep: async () => { asked.push('sweep'); return 2 },
    ...changes,
  }
}

const settled = () => new Promise((resolve) => { setImmediate(resolve) })

const work = (target: string) => ({ job: { target } }) as BuildWork

it('hands work to the builder of its target\'s CPU, and refuses it where there is none', async () => {
  const [own, arm] = [builderOf(X86), builderOf(ARM)]
  const router = createBuilderRouter({ own: { cpu: 'x86_64', builder: own }, others: new Map([['aarch64', arm]]), log })
  await router.build(work(X86))
  await router.metadata(work(ARM))
  await router.build(work(ARM))
  expect(own.asked).toEqual([`build ${X86}`])
  expect(arm.asked).toEqual([`metadata ${ARM}`, `build ${ARM}`])
  await expect(router.build(work('cp313-musllinux_1_2_ppc64le'))).rejects.toMatchObject({ code: 'image-unavailable', detail: expect.stringContaining('cannot be built on aarch64 or x86_64') })
})

it('builds what all of them can build', async () => {
  const router = createBuilderRouter({ own: { cpu: 'x86_64', builder: builderOf(X86) }, others: new Map([['aarch64', builderOf(ARM)]]), log })
  await router.sweep()
  await router.targets()
  expect([...await router.targets()]).toEqual([[X86, `digest of ${X86}`], [ARM, `digest of ${ARM}`]])
})

it('waits for no engine but its own, and believes what the others said last', async () => {
  const answers: PromiseWithResolvers<Map<string, string>>[] = []
  const arm = builderOf(ARM, { targets: () => { const answer = Promise.withResolvers<Map<string, string>>(); answers.push(answer); return answer.promise } })
  const router = createBuilderRouter({ own: { cpu: 'x86_64', builder: builderOf(X86) }, others: new Map([['aarch64', arm]]), log })
  await router.sweep()
  expect([...(await router.targets()).keys()]).toEqual([X86])
  expect([...(await router.targets()).keys()]).toEqual([X86])
  expect(answers).toHaveLength(1)
  answers[0]?.resolve(new Map([[ARM, 'digest']]))
  await settled()
  expect([...(await router.targets()).keys()]).toEqual([X86, ARM])
  answers[1]?.reject(new Error('gone'))
  await settled()
  expect([...(await router.targets()).keys()]).toEqual([X86])
})

it.each(['ends', 'fails'])('builds nothing in an engine far away before its first sweep %s', async (end) => {
  const sweeps: PromiseWithResolvers<number>[] = []
  const arm = builderOf(ARM, { sweep: () => { const sweep = Promise.withResolvers<number>(); sweeps.push(sweep); return sweep.promise } })
  const router = createBuilderRouter({ own: { cpu: 'x86_64', builder: builderOf(X86) }, others: new Map([['aarch64', arm]]), log })
  const targets = async () => { await settled(); return [...(await router.targets()).keys()] }
  await router.targets()
  expect(await targets()).toEqual([X86])
  await router.sweep()
  expect(await targets()).toEqual([X86])
  if (end === 'ends') sweeps[0]?.resolve(1)
  else sweeps[0]?.reject(new Error('gone'))
  expect(await targets()).toEqual([X86, ARM])
  await router.sweep()
  expect(await targets()).toEqual([X86, ARM])
})

it('sweeps all of them, and fails with its own engine alone', async () => {
  const [own, arm] = [builderOf(X86), builderOf(ARM, { sweep: async () => { throw new Error('gone') } })]
  const others = new Map([['aarch64', arm], ['ppc64le', builderOf('cp313-musllinux_1_2_ppc64le')]])
  expect(await createBuilderRouter({ own: { cpu: 'x86_64', builder: own }, others, log }).sweep()).toBe(2)
  expect((others.get('ppc64le') as typeof own).asked).toEqual(['sweep'])
  await expect(createBuilderRouter({ own: { cpu: 'aarch64', builder: arm }, others: new Map([['x86_64', own]]), log }).sweep()).rejects.toThrow('gone')
  expect(own.asked).toEqual(['sweep', 'sweep'])
})
