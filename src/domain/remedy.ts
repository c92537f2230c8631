/** What helps after a failure, in one line. */
import { FAILURE_CLASSES, type Failure } from './failure.ts'
import { absentOnAlpine, APK_NAME, suggestApks, suggestRequirement } from './missing.ts'

/** Names what to add where that is known, says why nothing can be added where nothing can, and else what helps with its class. */
export function remedyOf(failure: Failure): string {
  const [apk, ...others] = apksOf(failure)
  if (apk !== undefined) {
    const or = others.length > 0 ? ` (or ${others.slice(0, 2).join(', ')})` : ''
    return `add the apk ${apk}${or} to the project's recipe, or use a builder image that holds it`
  }
  const reason = absentOnAlpine(failure)
  if (reason !== undefined) return `no apk can help: ${reason}`
  const requirement = suggestRequirement(failure)
  return requirement === undefined ? FAILURE_CLASSES[failure.class].remedy : `add ${requirement} to the build requirements in the project's recipe`
}

/** What the builder found in its image's repositories; what the data alone says where it did not look. */
export function apksOf(failure: Failure): string[] {
  return (failure.apks ?? suggestApks(failure)).filter((apk) => APK_NAME.test(apk))
}
