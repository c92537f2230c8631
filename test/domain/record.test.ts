import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatRecord, parseRecord } from '../../src/domain/record.ts'

it('reads lines, quoted names and the line of RECORD itself', () => {
  expect(parseRecord('a.py,sha256=x,1\r\n"b,""c"".py",sha256=y,20\nd.dist-info/RECORD,,\n')).toEqual({
    lines: [
      { name: 'a.py', digest: 'sha256=x', size: '1' }, { name: 'b,"c".py', digest: 'sha256=y', size: '20' }, { name: 'd.dist-info/RECORD', digest: '', size: '' },
    ],
  })
})

it.each(['a.py', 'a.py,sha256=x', 'a.py,sha256=x,many', 'a,b,c,d', '"a.py,sha256=x,1', 'a"b,sha256=x,1'])('names the line %s, which is none', (line) => {
  expect(parseRecord(`ok.py,sha256=x,1\n${line}\n`)).toEqual({ bad: line })
})

it('reads what it writes', () => {
  const line = fc.record({ name: fc.string().filter((name) => !/[\r\n]/.test(name) && name !== ''), digest: fc.constantFrom('', 'sha256=abc_-'), size: fc.constantFrom('', '0', '123') })
  fc.assert(fc.property(fc.array(line), (lines) => { expect(parseRecord(formatRecord(lines))).toEqual({ lines }) }))
})
