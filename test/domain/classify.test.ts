import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { classifyLog } from '../../src/domain/classify.ts'
import type { Step } from '../../src/domain/job.ts'
import { RULES, type Rule } from '../../src/domain/rules.ts'

const LOGS = new URL('../fixtures/logs/', import.meta.url)
const tell = (log: string, step: Step = 'build') => {
  const failure = classifyLog(log, { step })
  return `${failure.class}: ${failure.key}`
}

/** Ends of real builds' logs, and what a person would say of each. */
const TOLD: Record<string, string> = {
  'build-backend-missing': 'bad-sdist: it does not require its build backend poetry.core.masonry.api',
  'compile-error-int-conversion': 'compiler-error: netifaces.c: incompatible pointer to integer conversion initializing \'int\' with an expression of type \'void *\' [-Wint...',
  'cython-mismatch-pyyaml-5.4.1': 'build-failed: AttributeError: cython_sources, which Cython 3 does not have',
  'disk-full': 'out-of-disk: ',
  'header-absent-on-musl-execinfo-clang': 'missing-header: execinfo.h',
  'header-absent-on-musl-execinfo-gcc': 'missing-header: execinfo.h',
  'missing-command-cmake-scikit-build-core': 'missing-command: cmake',
  // The line that names cmake is above the sixty that were kept.
  'missing-command-cmake-script': 'missing-command: that ./build_bundled.sh calls',
  'missing-command-curl-config': 'missing-command: curl-config',
  'missing-command-git': 'missing-command: git',
  'missing-command-krb5-config': 'missing-command: krb5-config',
  'missing-command-output-leaks-into-gcc-krb5-config': 'missing-command: krb5-config',
  'missing-command-pg_config': 'missing-command: pg_config',
  'missing-command-pkg-config-meson': 'missing-command: pkg-config',
  'missing-command-pkg-config-mysqlclient': 'missing-command: pkg-config',
  'missing-command-rustc-setuptools-rust': 'missing-command: cargo',
  'missing-header-clang-sql': 'missing-header: sql.h',
  // pkg-config complains of libffi before, and the build goes on.
  'missing-header-gcc-ffi': 'missing-header: ffi.h',
  'missing-header-gcc-lber': 'missing-header: lber.h',
  'missing-header-gcc-linux-tipc': 'missing-header: linux/tipc.h',
  'missing-header-gcc-rdkafka': 'missing-header: librdkafka/rdkafka.h',
  'missing-header-reported-by-setup-libxml2': 'missing-library: libxml2',
  'missing-header-reported-by-setup-linux-input': 'missing-header: linux/input.h',
  'missing-library-at-link-clang': 'missing-library: odbc',
  'missing-library-at-link-gcc': 'missing-library: odbc',
  'missing-library-libpython-static': 'missing-library: libpython',
  'missing-pkgconfig-meson-cairo': 'missing-pkg-config: cairo',
  'missing-pkgconfig-mysqlclient': 'missing-pkg-config: mysqlclient',
  'missing-pkgconfig-xmlsec1': 'missing-pkg-config: xmlsec1',
  'network-in-offline-phase': 'needs-network: [Errno -3] Try again',
  'no-compiler': 'missing-command: gcc',
  'not-a-python-project': 'bad-sdist: it holds no setup.py and no pyproject.toml',
  'old-sdist-distutils': 'unsupported-python: No module named \'distutils.msvccompiler\'',
  'old-sdist-pkg_resources': 'build-failed: No module named \'pkg_resources\', which newer setuptools do not have',
  'oom-gcc': 'out-of-memory: cc1',
  // Not a word about memory: the engine's count of kills, asked before the log, tells this one.
  'oom': 'build-failed: SIGABRT of g++, perhaps for lack of memory',
  // These two ended well: nobody asks, and the log has no answer.
  'pure-python-result': 'build-failed: no word of why',
  'silent-fallback-pyyaml': 'build-failed: no word of why',
  'python-version-unsupported': 'unsupported-python: 3.13.5 not in \'<3.12\'',
  'rust-maturin-offline': 'missing-command: cargo',
  'timeout': 'timed-out: 6 s',
  'wheel-crashes-signal-11-old-musl': 'build-failed: signal 11 of a program that it runs: a build requirement may need a newer musl',
}

/** A line for each rule that no log above shows, in its tool's words. */
const LINES: [told: string, line: string, step?: Step][] = [
  ['out-of-disk: ', 'OSError: [Errno 122] Disk quota exceeded: \'x.o\''],
  ['out-of-memory: out of memory allocating', 'cc1plus: out of memory allocating 65536 bytes after a total of 2097152 bytes'],
  ['out-of-memory: gcc', 'error: Command \'[\'gcc\', \'-c\', \'x.c\']\' died with <Signals.SIGKILL: 9>.'],
  ['out-of-memory: Python', 'MemoryError'],
  ['unsupported-python: Cannot install on Python version 3.13.5; only versions >=3.8,<3.12 are supported.', 'RuntimeError: Cannot install on Python version 3.13.5; only versions >=3.8,<3.12 are supported.'],
  ['unsupported-python: it is written for Python 2', 'SyntaxError: Missing parentheses in call to \'print\'. Did you mean print(...)?'],
  ['build-requirement-unbuildable: setuptools>=90', 'ERROR: No matching distribution found for setuptools>=90'],
  ['bad-sdist: its build imports numpy and does not require it', 'ModuleNotFoundError: No module named \'numpy\''],
  ['bad-sdist: TOMLDecodeError: Invalid statement (at line 3, column 1)', 'tomllib.TOMLDecodeError: Invalid statement (at line 3, column 1)'],
  ['missing-header: expat.h', '../meson.build:4:0: ERROR: C header \'expat.h\' not found'],
  ['missing-header: portaudio.h', 'setup.py: portaudio.h is missing'],
  ['missing-command: pkg-config', 'configure: error: The pkg-config script could not be found or is too old.'],
  ['missing-pkg-config: libusb-1.0', 'configure: error: Package requirements (libusb-1.0 >= 1.0.9) were not met:'],
  ['missing-pkg-config: gdal', 'pkgconfig.pkgconfig.PackageNotFoundError: gdal not found'],
  ['missing-pkg-config: libffi', 'Package libffi was not found in the pkg-config search path.'],
  ['missing-pkg-config: gobject-2.0', 'No package \'gobject-2.0\' found'],
  ['bad-sdist: requirements.txt is missing in it', 'FileNotFoundError: [Errno 2] No such file or directory: \'requirements.txt\''],
  ['missing-command: swig', 'error: command \'swig\' failed: No such file or directory'],
  ['missing-command: gcc', 'unable to execute \'gcc\': No such file or directory'],
  ['missing-command: mysql_config', 'OSError: mysql_config not found'],
  ['missing-command: cargo', 'Cargo, the Rust package manager, is not installed or is not on PATH.'],
  ['missing-command: ninja', '../meson.build:1:0: ERROR: Could not detect Ninja v1.8.2 or newer'],
  ['missing-command: cc', '../meson.build:1:0: ERROR: Unknown compiler(s): [[\'cc\'], [\'gcc\'], [\'clang\']]'],
  ['missing-command: gcc', 'No CMAKE_CXX_COMPILER could be found.'],
  ['missing-command: gfortran', 'No CMAKE_Fortran_COMPILER could be found.'],
  ['missing-command: glib-mkenums', '../meson.build:9:4: ERROR: Program \'glib-mkenums\' not found or not executable'],
  ['missing-command: cmake', './build_bundled.sh: line 18: cmake: not found'],
  ['missing-command: autoreconf', 'sh: line 1: autoreconf: command not found'],
  ['missing-library: usb-1.0', 'ld.lld: error: unable to find library -lusb-1.0'],
  ['missing-library: magic', '../meson.build:5:0: ERROR: C shared or static library \'magic\' not found'],
  ['missing-library: libhdf5.so', 'OSError: Error loading shared library libhdf5.so: No such file or directory'],
  ['missing-library: OpenSSL', '  Could NOT find OpenSSL, try to set the path to OpenSSL root folder'],
  ['missing-library: Boost', '  Could not find a package configuration file provided by "Boost" with any of'],
  ['missing-library: jpeg', 'The headers or library files could not be found for jpeg,'],
  ['needs-network: Could not resolve host: github.example', 'fatal: unable to access: Could not resolve host: github.example'],
  ['needs-network: Network is unreachable', 'OSError: [Errno 101] Network is unreachable'],
  ['needs-network: attempting to make an HTTP request, but --offline was specified', '  attempting to make an HTTP request, but --offline was specified'],
  ['build-failed: signal 11 of a program that it runs: a build requirement may need a newer musl', 'subprocess.CalledProcessError: Command \'[\'cython\']\' died with <Signals.SIGSEGV: 11>.'],
  ['build-failed: exit status 1 of gcc', 'error: Command \'[\'gcc\', \'-c\', \'x.c\']\' returned non-zero exit status 1.'],
  ['compiler-error: _x.pyx: undeclared name not builtin: long', 'src/_x.pyx:12:8: undeclared name not builtin: long'],
  ['compiler-error: error[E0308]: mismatched types', 'error[E0308]: mismatched types'],
  ['compiler-error: undefined reference to foo', '/usr/bin/ld: x.c:(.text+0x5): undefined reference to `foo\''],
  ['compiler-error: unrecognized command-line option -mfpu', 'gcc: error: unrecognized command-line option \u2018-mfpu\u2019'],
  ['build-failed: a CMakeLists.txt that is too old for this CMake', '  Compatibility with CMake < 3.5 has been removed from CMake.'],
  ['build-failed: a Rust compiler older than 1.83', 'error: package `x v1.0` cannot be built because it requires rustc 1.83 or newer'],
  ['bad-sdist: src/_x.c is missing in it', 'cc1: fatal error: src/_x.c: No such file or directory'],
  ['missing-command: auditwheel', 'sh: exec: line 0: auditwheel: not found', 'repair'],
  ['missing-command: auditwheel', 'sh: 1: exec: auditwheel: not found', 'repair'],
  ['missing-command: python3', 'sh: line 1: exec: python3: not found', 'fetch'],
  ['missing-command: patchelf', 'ValueError: Cannot find required utility \'patchelf\' in PATH', 'repair'],
  ['repair-failed: the library libodbc.so.2 is nowhere', 'ValueError: Cannot repair wheel, because required library "libodbc.so.2" could not be located', 'repair'],
  ['repair-failed: the presence of too-recent versioned symbols.', 'auditwheel: error: cannot repair "x.whl" to "musllinux_1_2_x86_64" ABI because of the presence of too-recent versioned symbols.', 'repair'],
  ['not-musl: the symbol backtrace is nowhere', 'ImportError: Error relocating /site/_x.so: backtrace: symbol not found', 'try'],
  ['try-failed: the library libffi.so.8 is nowhere', 'ImportError: Error loading shared library libffi.so.8: No such file or directory (needed by /site/_x.so)', 'try'],
  ['try-failed: No module named \'six\'', 'ModuleNotFoundError: No module named \'six\'', 'try'],
]

describe('classifyLog', () => {
  const logs = readdirSync(LOGS).map((name) => name.replace(/\.log$/, ''))

  it.each(logs)('reads %s', (name) => {
    expect(tell(readFileSync(new URL(`${name}.log`, LOGS), 'utf8'))).toBe(TOLD[name])
  })

  it.each(LINES)('says "%s" of one line', (told, line, step) => {
    expect(tell(`running build_ext\n${line}\nexit status 1\n`, step)).toBe(told)
  })

  it('has a log or a line for every rule', () => {
    const lines = [...logs.map((name) => readFileSync(new URL(`${name}.log`, LOGS), 'utf8')), ...LINES.map(([, line]) => line)]
      .flatMap((log) => log.split('\n')).map((line) => line.trim().replace(/[\u2018\u2019]/g, '\''))
    const unseen = RULES.filter((rule) => !lines.some((line) => line.includes(rule.hint) && rule.pattern.test(line)))
    expect(unseen.map((rule) => rule.pattern.source)).toEqual([])
  })

  it('believes the last of several causes, as a failed probe ends no build', () => {
    const probe = '/tmp/probe.c:1:10: fatal error: openssl/rand.h: No such file or directory\n'
    expect(tell(`${probe}collect2: error\n/usr/bin/ld: cannot find -lodbc: No such file or directory\n/usr/bin/ld: cannot find -lodbcinst\n`)).toBe('missing-library: odbc')
    expect(tell(`${probe}src/x.c:5:1: fatal error: ffi.h: No such file or directory\n`)).toBe('missing-header: ffi.h')
  })

  it('names the first error of a file, and of the file that failed last', () => {
    expect(tell('a.c:1:1: error: one\na.c:2:1: error: two\nb.c:1:1: error: three\nb.c:2:2: warning: w\nb.c:9:1: error: four\n')).toBe('compiler-error: b.c: three')
  })

  it('takes a clue only near the end, and only where no cause is known', () => {
    const clue = '/bin/sh: git: not found\n'
    expect(tell(`${clue}ValueError: bad version\n`)).toBe('missing-command: git')
    expect(tell(`${clue}${'copying\n'.repeat(200)}ValueError: bad version\n`)).toBe('build-failed: ValueError: bad version')
    expect(tell(`src/x.c:5:1: fatal error: ffi.h: No such file or directory\n${clue}`)).toBe('missing-header: ffi.h')
  })

  it('tells a missing command from a missing file by the call that failed', () => {
    const line = 'FileNotFoundError: [Errno 2] No such file or directory: \'docs\'\n'
    expect(tell(`  self._execute_child(args, executable)\n${line}`)).toBe('missing-command: docs')
    expect(tell(`  self._execute_child(args, executable)\n${'x\n'.repeat(30)}${line}`)).toBe('bad-sdist: docs is missing in it')
  })

  it('reads coloured lines, carriage returns and curly quotes', () => {
    expect(tell('[1/2]\r[2/2]\r\x1b[1mx.c:1:2: \x1b[31mfatal error: \x1b[0mffi.h: No such file or directory\r\n')).toBe('missing-header: ffi.h')
    expect(tell('x.c:1:2: error: unknown type name \u2018foo_t\u2019')).toBe('compiler-error: x.c: unknown type name \'foo_t\'')
  })

  it.each<[Step, string]>([
    ['fetch', 'infrastructure'], ['metadata', 'build-failed'], ['build', 'build-failed'], ['repair', 'repair-failed'], ['try', 'try-failed'],
  ])('falls back to the class of the step %s', (step, failureClass) => {
    expect(tell('hello\nSomeError: it is broken\nmake: *** [all] Error 1\n', step)).toBe(`${failureClass}: SomeError: it is broken`)
    expect(tell('hello\n\u2502 exit code: 3\n', step)).toBe(`${failureClass}: exit code: 3`)
    expect(tell('', step)).toBe(`${failureClass}: no word of why`)
  })

  it('gives keys of one short line of ASCII, whatever the log holds', () => {
    const failure = classifyLog(`x.c:1:1: error: \u001b]0;title\u0007\u202e${'\u00e9'.repeat(400)}\nX-Evil: 1\n`, { step: 'build' })
    expect(failure.class).toBe('compiler-error')
    expect(failure.key).toMatch(/^[\x20-\x7e]{1,120}$/)
  })

  it('hands a rule no more of a line of 5 MB than of any other', () => {
    let seen = 0
    const counting: Rule = { ...RULES[0]!, hint: 'e', pattern: Object.assign(/never/, { exec: (line: string) => { seen += line.length; return null } }) }
    const line = 'e '.repeat(2_500_000)
    classifyLog(line, { step: 'build' }, [counting])
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThan(4000)
    const lines = `${'e'.repeat(99)}\n`.repeat(1000)
    seen = 0
    classifyLog(lines, { step: 'build' }, [counting])
    expect(seen).toBe(99_000)
  })

  it('sees both ends of a long line', () => {
    expect(tell(`error: Command '['g++', ${'\'-Dx\', '.repeat(100_000)}]' returned non-zero exit status 4.`)).toBe('build-failed: exit status 4 of g++')
  })

  // Every repetition is bounded or anchored: a rule that backtracks in squares or worse would run for minutes here.
  it.each(['a', '1:', 'a/', '\'', ' ', '.h ', 'sh: ', 'Command \'', 'error: ', '_config '])('is quick on lines full of "%s" and of what rules look for', (filler) => {
    const log = RULES.map(({ hint }) => `${`${filler.repeat(700)} ${hint} ${filler.repeat(300)}\n`.repeat(20)}`).join('')
    for (const step of ['build', 'repair', 'try'] as const) expect(classifyLog(log, { step }).key.length).toBeLessThanOrEqual(120)
  })
})
