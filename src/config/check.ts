import { parseTarget } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { FlatSettings, Given, GivenSettings } from './settings.ts'

/**
 * Checks that look at more than one value, and what one value adds to another. Returns the settings to use; throws `bad-settings`.
 */
export function checkTogether(settings: FlatSettings, given: GivenSettings): FlatSettings {
  if ((settings.tlsCert === undefined) !== (settings.tlsKey === undefined)) {
    const [set, missing] = settings.tlsCert === undefined ? ['tlsKey', 'tlsCert'] as const : ['tlsCert', 'tlsKey'] as const
    throw new MuslinError('bad-settings', `${set} is set by ${from(given[set])}, but ${missing} is not; https needs both`)
  }
  for (const name of ['targets', 'builderImages', 'cleanImages'] as const) {
    for (const target of Array.isArray(settings[name]) ? settings[name] : Object.keys(settings[name])) {
      if (parseTarget(target)) continue
      throw new MuslinError('bad-settings', `${name} holds "${target}", set by ${from(given[name])}; accepted: targets such as cp313-musllinux_1_2_x86_64`)
    }
  }
  for (const [cpu, address] of Object.entries(settings.engines)) {
    if (/^[a-z][a-z0-9_]+$/.test(cpu) && /^(unix|tcp|ssh|npipe):\/\/./.test(address)) continue
    throw new MuslinError('bad-settings', `engines holds "${cpu}=${address}", set by ${from(given.engines)}; accepted: CPU=ADDRESS such as aarch64=tcp://arm.example:2375 or aarch64=ssh://user@arm.example`)
  }
  return { ...settings, targets: withReadyOnes(settings, given) }
}

/** A ready builder image makes its target a target; where targets were named one by one, an image for another is a slip. */
function withReadyOnes(settings: FlatSettings, given: GivenSettings): string[] {
  const more = Object.keys(settings.builderImages).filter((target) => !settings.targets.includes(target))
  if (given.targets && more.length > 0) {
    throw new MuslinError('bad-settings', `builderImages, set by ${from(given.builderImages)}, names ${more[0]}, which targets (set by ${from(given.targets)}) does not hold`)
  }
  return [...new Set([...settings.targets, ...more])]
}

function from(given: Given | undefined): string {
  return given?.from ?? 'default'
}
