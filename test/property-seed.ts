/**
 * Property tests draw the same cases at every run, so that a change fails by its own doing: FAST_CHECK_SEED gives other ones
 * (`random` as many as there are runs).
 */
import fc from 'fast-check'

const seed = process.env['FAST_CHECK_SEED'] ?? '20261121'
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) })
