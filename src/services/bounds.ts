/** Bounds that more than one part of the program keeps to. */

/** Of a request's body. A lock file of thousands of lines has a tenth of it. */
export const MOST_BODY_BYTES = 20_000_000

/** Of a plan, and of what is chosen from it. More could be neither shown nor read. */
export const MOST_PLAN_LINES = 20_000
