/** Runs the unit, contract and HTTP tests and ends with the line "N passed, N failed". Arguments go to vitest. */
import { startVitest } from 'vitest/node'

const vitest = await startVitest('test', process.argv.slice(2), { watch: false })
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const passed = tests.filter((test) => test.result().state === 'passed').length
const failed = tests.filter((test) => test.result().state === 'failed').length
  + modules.filter((module) => module.state() === 'failed' && [...module.children.allTests()].every((test) => test.result().state !== 'failed')).length
  + vitest.state.getUnhandledErrors().length
await vitest.close()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
