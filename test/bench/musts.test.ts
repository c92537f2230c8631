/** The bounds of `bench/`: nothing that was not measured is met, and nothing is gathered from several rounds that must have been together. */
import { expect, test } from 'vitest'
import type { Measured } from '../../bench/lib/table.ts'
import type { Must } from '../../bench/musts/must.ts'
import { installMusts, outageMusts, speedMusts, stormMusts } from '../../bench/musts/musts.ts'
import type { Row } from '../../bench/rows/row.ts'

const row = (name: string, peer = false): Row => ({ name, peer, caches: true, metadata: true, prepare: async () => '', start: async () => { throw new Error('nothing is started here') } })
const ROWS = [row('muslin'), row('nginx-static'), row('muslin-nginx'), row('nginx-cache'), row('devpi', true)]
const shows = { 'p99': 'least', 'eight cpu': 'least', 'pip': 'middle', 'uv': 'middle' } as const

function measured(rows: Record<string, Record<string, number[]>>): Measured {
  const keys = new Set(Object.values(rows).flatMap((cells) => Object.keys(cells)))
  return { title: '', columns: [...keys].map((key) => ({ key, label: key, shows: shows[key as keyof typeof shows] ?? 'most' })), rows: new Map(Object.entries(rows)), notes: [] }
}

const must = (musts: Must[], what: RegExp) => musts.filter((one) => what.test(one.what)).map(({ met }) => met)
const speed = (scenarios: Record<string, Measured>, rows = ROWS) => speedMusts(new Map(Object.entries(scenarios)), { rows, peaks: new Map() })

test('what was not measured is there, and is not met', () => {
  const none = measured({})
  const all = [...speed({}, []), ...stormMusts(new Map()), ...outageMusts(new Map()), ...installMusts(none, { rows: [] })]
  expect(all.filter(({ met }) => met)).toEqual([])
  expect(all).toHaveLength(speed({}).length + stormMusts(new Map([['storm', none], ['huge', none]])).length + outageMusts(new Map([['outage', none]])).length + 4)
  expect(all.length).toBeGreaterThan(40)
})

test('who beats no peer has not beaten the best one', () => {
  const hot = { 'muslin': { 'numpy json': [7000] }, 'nginx-static': { 'numpy json': [8000] }, 'nginx-cache': { 'numpy json': [100] } }
  expect(must(speed({ hot: measured(hot) }), /best peer/)).toEqual([false])
  expect(must(speed({ hot: measured({ ...hot, devpi: { 'numpy json': [10] } }) }), /best peer/)).toEqual([true])
  expect(must(speed({ hot: measured({ ...hot, devpi: { 'numpy json': [120] } }) }), /best peer/)).toEqual([false])
  const installs = { 'muslin': { pip: [10], uv: [1] }, 'nginx-static': { pip: [10], uv: [1] } }
  expect(must(installMusts(measured(installs), { rows: ROWS }), /fastest peer/)).toEqual([false, false])
  expect(must(installMusts(measured({ ...installs, devpi: { pip: [11], uv: [0.9] } }), { rows: ROWS }), /fastest peer/)).toEqual([true, false])
})

test('by X-Accel nothing is reached where nothing was sent so', () => {
  const files = { 'muslin': { 'eight': [900], 'eight cpu': [1] }, 'nginx-static': { eight: [1000] } }
  expect(must(speed({ files: measured(files) }), /X-Accel/)).toEqual([false])
  expect(must(speed({ files: measured({ ...files, 'muslin-nginx': { eight: [950] } }) }), /X-Accel/)).toEqual([true])
})

test('a rate and its waits, and a speed and its CPU, are of one round', () => {
  const crowd = (rate: number[], p99: number[]) => must(speed({ crowd: measured({ muslin: { rate, p99 } }) }), /1,000 connections/)
  expect(crowd([20_000, 9000], [400, 100])).toEqual([true, false])
  expect(crowd([20_000, 9000], [150, 300])).toEqual([true, true])
  const files = (eight: number[], cpu: number[]) => must(speed({ files: measured({ muslin: { eight, 'eight cpu': cpu } }) }), /eight at a time(?:, CPU.*)?$/)
  expect(files([500, 900], [1, 1.5])).toEqual([true, false])
  expect(files([500, 900], [1.5, 1])).toEqual([true, true])
})

test('a storm is met where its last client has its first byte within half a second', () => {
  const storm = (first: number) => stormMusts(new Map([['storm', measured({ muslin: Object.fromEntries(['page', 'file', 'file, first leaves'].map((key) => [`${key} first`, [first]])) })]]))
  expect(must(storm(0.5), /first byte/)).toEqual([true, true, true])
  for (const late of [0.51, Number.NaN]) expect(must(storm(late), /first byte/)).toEqual([false, false, false])
})
