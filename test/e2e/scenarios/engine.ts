/** The engine port's contract, against the real engine. */
export { default } from '../engine.contract.ts'
