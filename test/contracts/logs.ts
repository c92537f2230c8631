import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BuildLogs } from '../../src/services/ports.ts'
import { all } from '../all.ts'
import { logText } from '../log-text.ts'

/** What every store of build logs does. `make` gives an empty one that keeps `capBytes` of each log, and the same one as another process opens it. */
export function logsContract(name: string, make: (capBytes: number) => Promise<{ logs: BuildLogs; another: BuildLogs; cleanup: () => Promise<void> }>): void {
  describe(`${name} as a store of logs`, () => {
    const CAP = 100
    let logs: BuildLogs
    let another: BuildLogs
    let cleanup: () => Promise<void>
    beforeEach(async () => { ({ logs, another, cleanup } = await make(CAP)) })
    afterEach(() => cleanup())

    test('a build without a log has none', async () => {
      expect(await logs.read(1)).toBeUndefined()
      expect(await logText(logs, 1)).toBe('')
    })

    test('an opened log is empty, not absent', async () => {
      const sink = await logs.open(1)
      expect(await logText(another, 1)).toBe('')
      await sink.close()
    })

    test('those that are there are listed, and what is removed is gone, tail and all', async () => {
      expect(await all(logs.list())).toEqual([])
      for (const build of [7, 12]) {
        const sink = await logs.open(build)
        sink.write('x'.repeat(CAP * 3))
        await sink.close()
      }
      const listed = await all(another.list())
      expect(listed.map(({ build }) => build).toSorted((a, b) => a - b)).toEqual([7, 12])
      for (const { writtenAt } of listed) expect(Math.abs(writtenAt - Date.now())).toBeLessThan(60_000)
      for (let twice = 0; twice < 2; twice += 1) await another.remove(7)
      expect(await logs.read(7)).toBeUndefined()
      expect((await all(logs.list())).map(({ build }) => build)).toEqual([12])
    })

    test('text and bytes come back in their order, also after the end', async () => {
      const sink = await logs.open(1)
      sink.write('größer\n')
      sink.write(Buffer.from('und länger\n'))
      await sink.close()
      for (const either of [logs, another]) expect(await logText(either, 1)).toBe('größer\nund länger\n')
    })

    test('what a terminal would obey is left out but for colours, wherever the build\'s bytes are cut', async () => {
      const said = Buffer.from('\x1b[31mröt\x1b[0m\x1b[2J\x1b]0;title\x07\x00 10%\r20%\r\n')
      for (let cut = 0; cut <= said.length; cut += 1) {
        const sink = await logs.open(cut)
        sink.write(said.subarray(0, cut))
        sink.write(said.subarray(cut))
        sink.write(Buffer.from([0xff, 0x0a]))
        await sink.close()
        expect(await logText(another, cut)).toBe('\x1b[31mröt\x1b[0m 10%\n20%\n\ufffd\n')
      }
    })

    test('a build cannot swallow what is said about it', async () => {
      const sink = await logs.open(1)
      sink.write(Buffer.from('ends in \x1b]0;'))
      sink.write('Muslin: failed\n')
      await sink.close()
      expect(await logText(logs, 1)).toBe('ends in Muslin: failed\n')
    })

    test('every line can be read as soon as it is written, by any process', async () => {
      const sink = await logs.open(7)
      for (let i = 0, all = ''; i < 40; i += 1) {
        sink.write(`line ${i}\n`)
        all += `line ${i}\n`
        expect(await logText(another, 7)).toBe(capped(all, CAP))
      }
      await sink.close()
    })

    test('logs of several builds do not mix', async () => {
      const one = await logs.open(1)
      const eleven = await another.open(11)
      one.write('one')
      eleven.write('eleven')
      await one.close()
      await eleven.close()
      expect([await logText(logs, 1), await logText(logs, 11)]).toEqual(['one', 'eleven'])
    })

    test('beyond the cap head and tail stay, and a line says how many bytes are missing', async () => {
      let build = 100
      await fc.assert(fc.asyncProperty(fc.array(fc.stringMatching(/^[a-z]{0,130}$/), { maxLength: 12 }), async (chunks) => {
        build += 1
        const sink = await logs.open(build)
        for (const chunk of chunks) sink.write(chunk)
        await sink.close()
        expect(await logText(another, build)).toBe(capped(chunks.join(''), CAP))
      }), { numRuns: 150 })
    })

    test('a reader gets the log as it was when it began, whatever is written meanwhile', async () => {
      const sink = await logs.open(1)
      sink.write('a'.repeat(130))
      const reading = await another.read(1)
      sink.write('b'.repeat(1000))
      expect(await text(reading!.body)).toBe(capped('a'.repeat(130), CAP))
      await sink.close()
    })

    test('who reads on from where a reading ended gets all that came since, each byte once, beyond the cap too', async () => {
      const sink = await logs.open(1)
      let [all, followed, from] = ['', '', 0]
      for (let i = 0; i < 60; i += 1) {
        // Longer ones than half a cap might be dropped before they are read.
        const chunk = `${i}: ${'abcdefghij'.repeat(i % 5)}\n`
        sink.write(chunk)
        all += chunk
        const news = (await another.read(1, from))!
        followed += await text(news.body)
        from = news.end
        expect([followed, from, news.whole]).toEqual([all, all.length, true])
        expect(await text((await another.read(1, from))!.body)).toBe('')
      }
      await sink.close()
    })

    test('who reads on too late is told how much he missed', async () => {
      const sink = await logs.open(1)
      sink.write('a'.repeat(70))
      const { body, end } = (await logs.read(1))!
      body.destroy()
      sink.write('b'.repeat(1000))
      const news = (await another.read(1, end))!
      const [, missing = '', kept = ''] = /^\nMuslin: (\d+) bytes of the log are missing here\n(b+)$/.exec(await text(news.body)) ?? []
      expect(Number(missing) + kept.length).toBe(1000)
      expect(kept.length).toBeGreaterThanOrEqual(CAP / 2)
      expect([news.end, news.whole]).toEqual([1070, false])
      const whole = (await another.read(1))!
      whole.body.destroy()
      expect(whole.whole, 'of the first line on').toBe(false)
      await sink.close()
    })

    test('a reader may leave without having read', async () => {
      const sink = await logs.open(1)
      sink.write('a'.repeat(300))
      const reading = await logs.read(1)
      reading?.body.destroy()
      await sink.close()
      expect(reading?.body.destroyed).toBe(true)
    })

    test('writing after the end does nothing', async () => {
      const sink = await logs.open(1)
      sink.write('all')
      await sink.close()
      sink.write('more')
      await sink.close()
      expect(await logText(logs, 1)).toBe('all')
    })
  })
}

/** A log as it is shown. */
function capped(all: string, cap: number): string {
  if (all.length <= cap) return all
  return `${all.slice(0, cap / 2)}\nMuslin: ${all.length - cap} bytes of the log are missing here\n${all.slice(-cap / 2)}`
}
