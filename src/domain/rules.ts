/** What a failed build's log tells, as data: a line's pattern → class and key. `classify.ts` applies them; add a line to its test with each. */
import { CODE } from './rules/code.ts'
import { CRASHES, IMAGE, NETWORK, REPAIR, RESOURCES, TRY } from './rules/ends.ts'
import { MISSING } from './rules/missing.ts'
import { FROM_PYTHON } from './rules/python.ts'
import type { Rule } from './rules/rule.ts'

export type { Rule }

/** In a line the first rule that fits counts, so the narrow ones stand before the wide ones. */
export const RULES: readonly Rule[] = [...RESOURCES, ...IMAGE, ...TRY, ...REPAIR, ...MISSING, ...FROM_PYTHON, ...NETWORK, ...CRASHES, ...CODE]
