/** Made-up pages at API 1.4 and above: every key of the standards, what no standard knows, and what is odd. As texts, since much of it no JSON writer would write. */

const SHA = (digit: string): string => digit.repeat(64)

/** The texts of the pages by what each is about. `base` is where they are served. */
export function syntheticPages(): Map<string, string> {
  const pages = new Map<string, string>()
  for (const [about, text] of [...statuses(), ...versions(), ...fileKeys(), ...fileNames(), ...addresses(), ...pageKeys(), ...numbers(), ...texts(), ...sizes()]) {
    if (pages.has(about)) throw new Error(`${about} is there twice`)
    pages.set(about, text)
  }
  return pages
}

type Keys = Record<string, unknown>
type Page = [about: string, text: string]

/** A page with some ordinary files; `more` are further keys of the page, or other values of them. */
function page(more: Keys = {}, files: unknown[] = [file(), file({ filename: 'example-1.0-py3-none-any.whl', hashes: { sha256: SHA('b') } })]): string {
  return JSON.stringify({ 'meta': { 'api-version': '1.4', '_last-serial': 12 }, 'name': 'example', files, 'versions': ['1.0'], 'project-status': { status: 'active' }, ...more })
}

function file(more: Keys = {}): Keys {
  return {
    'filename': 'example-1.0.tar.gz', 'url': 'https://files.example/packages/aa/example-1.0.tar.gz', 'hashes': { sha256: SHA('a') }, 'requires-python': '>=3.8', 'size': 1234,
    'upload-time': '2024-05-06T07:08:09.000010Z', 'yanked': false, 'core-metadata': false, 'data-dist-info-metadata': false, 'provenance': null, ...more,
  }
}

const of = (about: string, ...files: Keys[]): Page => [about, page({}, files.map((keys) => file(keys)))]

/** PEP 792. */
function statuses(): Page[] {
  const told: [string, unknown][] = [
    ['active', { status: 'active' }], ['archived', { status: 'archived' }], ['archived with a reason', { status: 'archived', reason: 'moved to <b>elsewhere</b> & "closed"' }],
    ['quarantined', { status: 'quarantined', reason: 'malware' }], ['deprecated', { status: 'deprecated', reason: 'Ünmaintained' }], ['of a later standard', { status: 'hibernating', until: 2030 }],
    ['without a status', { reason: 'none' }], ['that is null', null], ['that is text', 'archived'], ['with odd types', { status: 7, reason: [] }], ['with an empty reason', { status: 'archived', reason: '' }],
  ]
  return [...told.map(([about, status]): Page => [`status: ${about}`, page({ 'project-status': status })]), ['status: quarantined without files', page({ 'project-status': { status: 'quarantined' }, 'files': [] })]]
}

/** PEP 629, 700, 752, 833. */
function versions(): Page[] {
  const minors = ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.9', '1.10', '1.999999'].map((version): Page => [`API ${version}`, page({ meta: { 'api-version': version } })])
  return [...minors,
    ['API 1.5 with namespaces (PEP 752)', page({ meta: { 'api-version': '1.5' }, namespace: { prefix: 'example', open: true, parent: null, owner: { name: 'Ex Ample', url: 'https://namespace.example/' } } })],
    ['versions that are none', page({ versions: ['', 'not a version', '1.0.dev-unknown', '٣.١', '<b>', '9'.repeat(300), '1.0', '1.0.0', 'v1'] })],
    ['no versions', page({ versions: [] })], ['versions of no kind', page({ versions: null })],
  ]
}

/** PEP 503, 592, 658, 691, 700, 714, 740. */
function fileKeys(): Page[] {
  return [
    of('yanked in every way', { yanked: true }, { yanked: false }, { yanked: '' }, { yanked: 'broken on <Windows> & "Mac"' }, { yanked: null }, { yanked: 'Ünïcödé\u{1f4a5}' }),
    of('requires-python in every way', { 'requires-python': null }, { 'requires-python': '' }, { 'requires-python': '>=3.8,<4,!=3.9.*' }, { 'requires-python': '<b>"\'' }, { 'requires-python': 'x'.repeat(5000) }),
    of('core-metadata in every way', { 'core-metadata': true }, { 'core-metadata': false }, { 'core-metadata': { sha256: SHA('c') } }, { 'core-metadata': { sha512: 'ab', sha256: SHA('d'), 'x-later': '00' } }, { 'core-metadata': {} }, { 'core-metadata': { sha256: '"><script>' } }, { 'core-metadata': null }),
    of('dist-info-metadata alone and against the newer key', { 'core-metadata': undefined, 'dist-info-metadata': true }, { 'core-metadata': undefined, 'dist-info-metadata': { sha256: SHA('e') } }, { 'core-metadata': false, 'dist-info-metadata': true }, { 'core-metadata': { sha256: SHA('1') }, 'dist-info-metadata': { sha256: SHA('2') } }),
    of('core-metadata of wheels that have none', { filename: 'example-1.0-py3-none-any.whl', 'core-metadata': undefined }, { filename: 'example-1.1-py3-none-any.whl', 'core-metadata': false, 'hashes': { sha256: SHA('2') } }),
    of('signatures', { 'gpg-sig': true }, { 'gpg-sig': false }, { 'gpg-sig': null }, { 'gpg-sig': 'yes' }),
    of('provenance', { provenance: 'https://upstream.example/integrity/example/1.0/example-1.0.tar.gz/provenance' }, { provenance: null }, { provenance: 'javascript:alert(1)' }, { provenance: { attestations: [{ version: 1 }] } }),
    of('sizes and times', { 'size': 0, 'upload-time': '2024-05-06T07:08:09Z' }, { 'size': null, 'upload-time': null }, { 'size': -1, 'upload-time': 'yesterday' }, { 'size': 1e9, 'upload-time': '0000-00-00' }, { 'size': '12' }),
    of('digests of every kind', { hashes: { md5: 'ff', sha256: SHA('a'), blake2b_256: 'ee' } }, { hashes: { md5: 'ff' } }, { hashes: {} }, { hashes: { sha256: SHA('A') } }, { hashes: { sha256: 'short' } }, { hashes: { sha256: '../../x' } }, { hashes: { SHA256: SHA('a') } }, { hashes: { 'sha3_512': 'aa', '"><b>': 'x' } }),
    of('keys that no standard knows', { 'x-later': { deep: [1, null, { a: 'b' }] }, 'Size': 3, '': 'empty', 'constructor': 'x', 'toString': null, 'hasOwnProperty': 1 }),
    of('values of kinds that no standard knows', { 'requires-python': ['>=3'], 'yanked': { reason: 'x' } }, { 'requires-python': 3, 'gpg-sig': 1 }, { 'core-metadata': 'true', 'upload-time': 7 }, { 'core-metadata': [] }),
    ['only what PEP 503 had', JSON.stringify({ meta: { 'api-version': '1.0' }, name: 'example', files: [{ filename: 'example-1.0.tar.gz', url: 'example-1.0.tar.gz', hashes: {} }] })],
    ['the same file twice', page({}, [file(), file()])],
    of('one name, two digests', {}, { hashes: { sha256: SHA('9') } }),
    of('one digest, two names', {}, { filename: 'Example-1.0.tar.gz' }),
    of('old kinds of files', { filename: 'example-1.0.win32-py2.7.exe' }, { filename: 'example-1.0-py2.7.egg' }, { filename: 'example-1.0-1.noarch.rpm' }, { filename: 'example-1.0.dmg' }, { filename: 'example-1.0.linux-x86_64.tar.Z' }, { filename: 'example-1.0.msi' }, { filename: 'example-1.0.deb' }),
  ]
}

function fileNames(): Page[] {
  const names: [string, string[]][] = [
    ['with spaces and signs', ['example 1.0.tar.gz', 'example-1.0+local&x=y.tar.gz', 'example-1.0#x.tar.gz', 'example-1.0?x.tar.gz', 'example-1.0%2F.tar.gz', 'a;b:c@d$e,f.tar.gz', '100%.tar.gz']],
    ['that are paths', ['../../etc/passwd', '..', '.', '/etc/passwd', 'a/b.whl', 'a\\b.whl', 'C:\\x.exe', '....//x', '%2e%2e%2fx']],
    ['that are markup', ['<script>alert(1)</script>.whl', '"><img src=x onerror=alert(1)>.whl', '</a><a href="https://evil.example/">x', '<!-- x -->', '&lt;b&gt;.whl', '\'"`.whl']],
    ['with controls', ['a\nb.tar.gz', 'a\tb.tar.gz', 'a\rb.tar.gz', 'a\x00b.tar.gz', 'a\x1bb.tar.gz', 'a\x7fb.tar.gz', 'a\x9fb.tar.gz']],
    ['in other scripts', ['пример-1.0.tar.gz', '例-1.0.tar.gz', 'e\u0301xample-1.0.tar.gz', 'éxample-1.0.tar.gz', '\u202egz.rat.0.1-x', '\u{1f40d}-1.0-py3-none-any.whl', '\u2028x', '\ufeffx.whl']],
    ['that are hardly names', ['', ' ', '-', '--.whl', '.whl', 'example.whl', 'example-1.0-.whl', 'example', 'x'.repeat(1000), 'example-1.0.tar.gz.metadata', 'example-1.0.tar.gz.record.json', '__proto__', 'constructor']],
    ['of other projects', ['other-1.0.tar.gz', 'other-1.0-py3-none-any.whl', 'example_extra-1.0.tar.gz']],
    ['with malformed versions', ['example-one.tar.gz', 'example-1.0-1-2-3.tar.gz', 'example-1!2.0.tar.gz', 'example-1.0.0.0.0.0.0.0.tar.gz', 'example-dev.zip', `example-${'9'.repeat(200)}.tar.gz`, 'example-1.0-py3-none-any-any-any.whl']],
  ]
  const lists = names.map(([about, list]): Page => of(`file names ${about}`, ...list.map((filename, index) => ({ filename, hashes: { sha256: index.toString(16).padStart(64, 'c') } }))))
  return [...lists, of('file names without digests', ...names.flatMap(([, list]) => list.map((filename) => ({ filename, hashes: {} }))))]
}

function addresses(): Page[] {
  const bare = (url: string): Keys => ({ url, hashes: {} })
  return [
    of('relative addresses', ...['example-1.0.tar.gz', '../../packages/example-1.0.tar.gz', '/packages/example-1.0.tar.gz', '//files.example/example-1.0.tar.gz', './x', '', '?x=1'].map(bare)),
    of('addresses with all parts', ...['https://files.example/x?token=a%20b&c=d#sha256=00', 'http://files.example:8080/x', 'https://user:secret@files.example/x', 'HTTPS://FILES.EXAMPLE/x', 'https://files.example/%D0%BF?q#egg=x'].map(bare)),
    of('addresses of other schemes', ...['javascript:alert(1)', ' JaVaScRiPt:alert(1)', 'java\nscript:alert(1)', 'data:text/html,<b>', 'file:///etc/passwd', 'ftp://files.example/x', 'vbscript:x'].map(bare)),
    of('addresses of other schemes under a digest', { url: 'javascript:alert(1)' }, { url: 'file:///etc/passwd', hashes: { sha256: SHA('3') } }),
    of('addresses that are none', ...['http://[', 'https://', '\x00', 'https://files.example/a b', '"><script>'].map(bare)),
    of('addresses in other scripts', ...['https://пример.example/файл-1.0.tar.gz', 'https://files.example/例?ключ=значение'].map(bare)),
  ]
}

/** PEP 691, 708 and whatever comes. */
function pageKeys(): Page[] {
  return [
    ['tracks and alternate locations (PEP 708)', page({ 'meta': { 'api-version': '1.2', 'tracks': ['https://a.example/simple/example/', 'https://b.example/"><b>'] }, 'alternate-locations': ['https://c.example/', 'https://d.example/'] })],
    ['tracks and alternate locations of no kind', page({ 'meta': { 'api-version': '1.4', 'tracks': 'https://a.example/' }, 'alternate-locations': { a: 1 } })],
    ['alternate locations, none', page({ 'alternate-locations': [] })],
    ['unknown keys at every level', page({ 'meta': { 'api-version': '1.6', '_last-serial': '26356948', 'x': { y: [] } }, 'x-page': [{ kept: true }, null, 'text'], 'project-status': { status: 'active', since: '2020' } })],
    ['a name in another spelling', page({ name: 'Ex_Am.Ple' })], ['a name that is none', page({ name: '"><script>alert(1)</script>' })], ['a name in another script', page({ name: 'пример' })], ['no name', page({ name: undefined })],
    ['the files last, the version last', `{"versions":["1.0"],"name":"example","files":[${JSON.stringify(file())}],"meta":{"_last-serial":1,"api-version":"1.4"}}`],
    ['keys named as those of objects', `{"meta":{"api-version":"1.4","__proto__":{"x":1}},"name":"example","__proto__":{"files":[]},"constructor":{"prototype":null},"files":[{"__proto__":{"url":"x"},"filename":"a.whl","url":"a.whl","hashes":{"__proto__":"x","sha256":"${SHA('4')}"},"valueOf":1}],"toString":"x"}`],
    ['keys that are numbers', '{"10":1,"9":{"2":"b","1":"a"},"meta":{"api-version":"1.4"},"name":"example","files":[],"-1":0,"01":2}'],
    ['keys that come twice', `{"meta":{"api-version":"1.0"},"name":"first","files":[],"name":"example","files":[${JSON.stringify(file())}],"meta":{"api-version":"1.4","a":1,"a":2}}`],
  ]
}

/** What a parser into doubles would change. */
function numbers(): Page[] {
  const list = ['9007199254740993', '-9007199254740993', '123456789012345678901234567890', '1e400', '-1e400', '1e-400', '1.0', '1.50', '-0', '-0.0', '0e5', '1E+2', '0.1', '12345.678901234567890123', '1e3', '4.9406564584124654e-324']
  const tail = JSON.stringify(file()).slice(1)
  return [
    ['numbers on the page', `{"meta":{"api-version":"1.4","_last-serial":99999999999999999999},"name":"example","files":[],"x":[${list.join(',')}],"y":[ ${list.join(' , ')} ]}`],
    ['numbers of files', `{"meta":{"api-version":"1.4"},"name":"example","files":[${list.map((number) => `{"x-number":${number},"x":{"n": ${number} },${tail}`).join(',')}]}`],
    ['sizes beyond all numbers', `{"meta":{"api-version":"1.4"},"name":"example","files":[${list.map((number) => `${JSON.stringify(file({ size: undefined })).slice(0, -1)},"size":${number}}`).join(',')}]}`],
    ['numbers inside texts', page({ 'x': 'a, 1.0, 2', 'y': ' 9007199254740993,"', 'z': '[1.0]', 'n': 1.5 })],
  ]
}

function texts(): Page[] {
  return [
    ['escapes of every kind', '{"\\u006deta":{"api-version":"1\\u002e4"},"name":"ex\\u0061mple","files":[],"x":"\\/\\b\\f\\n\\r\\t\\"\\\\ \\ud83d\\udc0d","y\\u00fc":"\\u2028\\u2029"}'],
    ['halves of surrogate pairs', `{"meta":{"api-version":"1.4"},"name":"example","files":[{"filename":"\\ud800.whl","url":"x.whl","hashes":{"sha256":"${SHA('5')}"},"yanked":"\\udc00"}],"x":["\\ud800","\\udc0d\\ud83d"],"\\ud800":1}`],
    ['every script', page({ description: 'Ελληνικά עברית العربية हिन्दी 日本語 한국어 ไทย \u{1d4d0} e\u0301', 'x-ключ': { 'ключ': 'значение' } })],
    ['white space', JSON.stringify(JSON.parse(page()), null, '\t').replaceAll('\n', '\r\n')],
    ['deep', page({ deep: JSON.parse('['.repeat(60) + ']'.repeat(60)) as unknown })],
  ]
}

function sizes(): Page[] {
  const many = Array.from({ length: 20_000 }, (_, index) => file({
    'filename': `example-${index}.0-cp3${index % 10}-cp3${index % 10}-manylinux_2_17_x86_64.whl`, 'hashes': { sha256: index.toString(16).padStart(64, '0') },
    'url': `https://files.example/packages/${index}/example-${index}.0.whl`, 'core-metadata': { sha256: SHA('f') }, 'yanked': index % 50 === 0 ? `because of ${index}` : false,
  }))
  return [
    ['no files', page({ files: [], versions: [] })],
    ['20,000 files', page({ versions: many.map((_, index) => `${index}.0`) }, many)],
    ['one long text', page({ description: 'long '.repeat(200_000) })],
  ]
}
