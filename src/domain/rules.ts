/** What a failed build's log tells, as data: a line's pattern → class and key. `classify.ts` applies them; add a line to its test with each. */
import type { FailureClass } from './failure.ts'
import type { Step } from './job.ts'

export interface Rule {
  class: FailureClass
  /**
   * `decisive`: it explains whatever else went wrong. `cause`: the build stops there. `clue`: many builds go on after it, so it counts
   * only near the end and where nothing better is known. `trace`: names what ended, not why.
   */
  weight: 'decisive' | 'cause' | 'clue' | 'trace'
  /** Stands in every line that the pattern matches: lines without any rule's hint are passed over. */
  hint: string
  /** Matched against a line without indentation, with straight quotes. Linear: unbounded repetitions only behind a literal or `^`. */
  pattern: RegExp
  /** `$0` is the match, `$1` its first group. */
  key: string
  /** Of matches in a row the first one tells; with a group `source`, of those in a row that share it. */
  run?: true
  /** Counts only where a line with this text is among the fifteen before. */
  near?: string
  /** Where it applies; metadata and build by default. */
  steps?: readonly Step[]
}

const EVERYWHERE: readonly Step[] = ['fetch', 'metadata', 'build', 'repair', 'try']

const RESOURCES: Rule[] = [
  { class: 'out-of-disk', weight: 'decisive', steps: EVERYWHERE, hint: 'No space left on device', pattern: /No space left on device/, key: '' },
  { class: 'out-of-disk', weight: 'decisive', steps: EVERYWHERE, hint: 'quota exceeded', pattern: /Disk quota exceeded/, key: '' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'Killed signal', pattern: /fatal error: Killed signal terminated program ([\w+-]{1,40})/, key: '$1' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'memory', pattern: /out of memory allocating|virtual memory exhausted|LLVM ERROR: out of memory|Cannot allocate memory/, key: '$0' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'SIGKILL', pattern: /^error: [Cc]ommand '\[?'?([^' ,]{1,80}).*died with <Signals\.SIGKILL/, key: '$1' },
  { class: 'out-of-memory', weight: 'cause', hint: 'MemoryError', pattern: /^MemoryError\b/, key: 'Python' },
  { class: 'timed-out', weight: 'decisive', steps: EVERYWHERE, hint: 'time limit', pattern: /^muslin: time limit of (\d{1,9} s) reached/, key: '$1' },
]

const PYTHON: Rule[] = [
  { class: 'unsupported-python', weight: 'cause', hint: 'different Python', pattern: /requires a different Python: (.+)/, key: '$1' },
  { class: 'unsupported-python', weight: 'cause', hint: 'on Python version', pattern: /Cannot install on Python version .+/, key: '$0' },
  { class: 'unsupported-python', weight: 'cause', hint: 'Missing parentheses', pattern: /^SyntaxError: Missing parentheses in call to 'print'/, key: 'it is written for Python 2' },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'No module named',
    pattern: /No module named '(?:distutils|imp|asynchat|asyncore|smtpd|cgi|crypt|pipes|telnetlib|lib2to3|ConfigParser|commands|urllib2|__builtin__)\b(?:\.\w{1,60})*'/, key: '$0',
  },
  { class: 'build-failed', weight: 'cause', hint: 'pkg_resources', pattern: /No module named 'pkg_resources'/, key: '$0, which newer setuptools do not have' },
  { class: 'build-failed', weight: 'cause', hint: 'cython_sources', pattern: /AttributeError: .{0,80}cython_sources/, key: 'AttributeError: cython_sources, which Cython 3 does not have' },
  { class: 'missing-command', weight: 'decisive', hint: 'puccinialin', pattern: /^File ".{0,200}\/puccinialin\//, key: 'cargo' },
  { class: 'build-requirement-unbuildable', weight: 'cause', hint: 'No matching distribution', steps: ['fetch', 'metadata', 'build'], pattern: /No matching distribution found for ([^\s,]{1,100})/, key: '$1' },
  { class: 'bad-sdist', weight: 'cause', hint: 'No module named', pattern: /^ModuleNotFoundError: No module named '([a-zA-Z]\w{0,60})'/, key: 'its build imports $1 and does not require it' },
  { class: 'bad-sdist', weight: 'cause', hint: 'BackendUnavailable', pattern: /BackendUnavailable: Cannot import '([\w.]{1,80})'/, key: 'it does not require its build backend $1' },
  { class: 'bad-sdist', weight: 'cause', hint: 'Python project', pattern: /does not appear to be a Python project/, key: 'it holds no setup.py and no pyproject.toml' },
  { class: 'bad-sdist', weight: 'cause', hint: 'TOMLDecodeError', pattern: /TOMLDecodeError: .+/, key: '$0' },
]

const HEADERS: Rule[] = [
  { class: 'missing-header', weight: 'cause', hint: 'fatal error: ', pattern: /^[^\s:][^:]{0,300}:\d+:(?:\d+:)? fatal error: '?([^\s:']{1,150})'?(?:: No such file or directory| file not found)/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: ' include file', pattern: /^The '([\w./+-]{1,100}\.h)'.{0,100} include files?/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: 'header \'', pattern: /ERROR: \S{1,20} header '([^']{1,100})' not found/, key: '$1' },
  { class: 'missing-header', weight: 'clue', hint: '.h', pattern: /(?:^|[\s'"<(])([\w./+-]{1,100}\.h(?:pp)?)\b['">)]{0,2}(?: header)?(?: file)? (?:was |is |could )?(?:not|missing)\b/, key: '$1' },
]

const PKG_CONFIG: Rule[] = [
  { class: 'missing-command', weight: 'cause', hint: 'Pkg-config for machine', pattern: /Pkg-config for machine \w{1,20} machine not found/, key: 'pkg-config' },
  { class: 'missing-command', weight: 'cause', hint: 'pkg-config script', pattern: /The pkg-config script could not be found/, key: 'pkg-config' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'Dependency ', pattern: /ERROR: Dependency ['"]([^'"]{1,80})['"] (?:not found|is required but not found)/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'Package requirements', pattern: /error: Package requirements \(([^\s)]{1,80})[^)]{0,200}\) were not met/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'not in path', pattern: /^error: ([\w.+-]{1,80}) is not installed or not in path/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'PackageNotFoundError', pattern: /pkgconfig\.PackageNotFoundError: ([\w.+-]{1,80}) not found/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'clue', hint: 'not found', pattern: /^Package '?([\w.+-]{1,80})'?(?:, required by '[^']{1,80}',| was) not found/, key: '$1', run: true },
  { class: 'missing-pkg-config', weight: 'clue', hint: 'No package ', pattern: /^(?:-- )?(?:No package|No pkg-config module) '([^']{1,80})' found/, key: '$1', run: true },
  { class: 'missing-pkg-config', weight: 'clue', hint: 'pkg-config --', pattern: /^Command 'pkg-config (?:--[\w-]{1,30} )+([\w.+-]{1,80})' returned non-zero exit status 1\./, key: '$1', run: true },
]

const COMMANDS: Rule[] = [
  { class: 'missing-command', weight: 'cause', hint: '[Errno 2]', pattern: /\[Errno 2\] No such file or directory: '([\w.+-]{1,60}[-_]config)'/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: '[Errno 2]', pattern: /^error: \[Errno 2\] No such file or directory: '([a-z][a-z0-9+_-]{0,60})'$/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: '[Errno 2]', near: '_execute_child', pattern: /^FileNotFoundError: \[Errno 2\] No such file or directory: '(?:[^']{0,200}\/)?([\w.+-]{1,60})'/, key: '$1' },
  { class: 'bad-sdist', weight: 'cause', hint: '[Errno 2]', pattern: /^(?:FileNotFoundError|error): \[Errno 2\] No such file or directory: '([^/'][^']{0,100})'/, key: '$1 is missing in it' },
  { class: 'missing-command', weight: 'cause', hint: 'No such file or directory', pattern: /^(?:error: )?(?:command '|unable to execute ')([\w.+-]{1,60})'(?: failed)?: No such file or directory/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'config', pattern: /(?:^|[\s'"])([a-z][\w.+]{0,40}[-_]config)['"]?(?: executable)?(?: was| could)? not (?:be )?found/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'Rust compiler', pattern: /^error: can't find Rust compiler/, key: 'cargo' },
  { class: 'missing-command', weight: 'cause', hint: 'Cargo', pattern: /Cargo, the Rust package manager, is not installed/, key: 'cargo' },
  { class: 'missing-command', weight: 'cause', hint: 'CMake', pattern: /Could not find CMake|CMake must be installed/, key: 'cmake' },
  { class: 'missing-command', weight: 'cause', hint: 'inja', pattern: /Could not (?:detect|find) [Nn]inja|unable to find a build program corresponding to "Ninja"/, key: 'ninja' },
  { class: 'missing-command', weight: 'cause', hint: 'Unknown compiler', pattern: /ERROR: Unknown compiler\(s\): \[\['([\w.+-]{1,40})'/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'COMPILER could be found', pattern: /No CMAKE_(?:C|CXX)_COMPILER could be found/, key: 'gcc' },
  { class: 'missing-command', weight: 'cause', hint: 'Fortran', pattern: /No CMAKE_Fortran_COMPILER could be found|error: no Fortran compiler found|Fortran compiler not found/i, key: 'gfortran' },
  { class: 'missing-command', weight: 'cause', hint: 'ERROR: Program', pattern: /ERROR: Program(?:\(s\))? \[?'([^']{1,60})'.{0,100} not found/, key: '$1' },
  { class: 'missing-command', weight: 'clue', hint: 'not found', pattern: /(?:^|[\s'"])(?:\/bin\/)?(?:ba|da)?sh: (?:line )?(?:\d{1,6}: )?([\w.+-]{1,60}): (?:command )?not found/, key: '$1', run: true },
  { class: 'missing-command', weight: 'clue', hint: 'not found', pattern: /: line \d{1,6}: ([\w.+-]{1,60}): (?:command )?not found$/, key: '$1', run: true },
]

const LIBRARIES: Rule[] = [
  { class: 'missing-library', weight: 'cause', hint: 'cannot find -l', pattern: /\bcannot find -l([\w.+-]{1,80})/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'system library', pattern: /error: unable to find (?:dynamic|static) system library ['"]([\w.+-]{1,80})['"]/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'find library -l', pattern: /unable to find library -l([\w.+-]{1,80})/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'shared or static library', pattern: /ERROR: \S{1,20} shared or static library '([^']{1,80})' not found/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'Error loading shared library', pattern: /Error loading shared library ([\w.+-]{1,80}): No such file/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'Could NOT find', pattern: /^Could NOT find ([\w.+-]{1,80})/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'package configuration file', pattern: /Could not find a package configuration file provided by "([\w.+-]{1,80})"/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'development packages', pattern: /make sure the ([\w.+-]{1,60}).{0,60} development packages are installed/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'library files could not be found', pattern: /The headers or library files could not be found for ([\w.+-]{1,60})/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'linking uWSGI', pattern: /error linking uWSGI/, key: 'libpython' },
]

const CODE: Rule[] = [
  { class: 'compiler-error', weight: 'cause', hint: 'error: ', pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: (?:fatal )?error: (.+)/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: '.p', pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}\.p(?:yx|xd|xi):)\d+:\d+: (.+)/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'error[E', pattern: /^error\[E\d{4}\]: .+/, key: '$0', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'undefined ', pattern: /\b(undefined (?:reference to|symbol:)) [`'"]?([^`'"]{1,100})/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'option', pattern: /error: (unrecognized command-line option|unknown argument:?) ['"]?([^\s'";]{1,80})/, key: '$1 $2' },
  { class: 'build-failed', weight: 'cause', hint: 'Compatibility with CMake', pattern: /Compatibility with CMake < [\d.]{1,10} has been removed/, key: 'a CMakeLists.txt that is too old for this CMake' },
  { class: 'build-failed', weight: 'cause', hint: 'rustc', pattern: /(?:requires rustc|cannot be built because it requires rustc|requires Rust) (?:>=)?([\d.]{1,12}) or newer/, key: 'a Rust compiler older than $1' },
  { class: 'bad-sdist', weight: 'cause', hint: 'No such file or directory', pattern: /^\S{1,80}: (?:fatal )?error: ([\w./+-]{1,150}\.(?:c|cc|cpp|cxx|C|m|f|f90|S)): No such file or directory/, key: '$1 is missing in it' },
]

const NETWORK: Rule[] = [
  { class: 'needs-network', weight: 'cause', hint: '[Errno -', pattern: /\[Errno -[235]\] (?:Try again|Name does not resolve|Name or service not known|Temporary failure in name resolution)/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'resolve', pattern: /[Cc]ould not resolve host(?:: [\w.-]{1,80})?|Temporary failure in name resolution/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'Network', pattern: /Network (?:is )?unreachable/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: '--offline', pattern: /attempting to make an HTTP request, but --offline was specified/, key: '$0' },
]

const CRASHES: Rule[] = [
  { class: 'build-failed', weight: 'cause', hint: 'status -11', pattern: /failed with status -11\b/, key: 'signal 11 of a program that it runs: a build requirement may need a newer musl' },
  { class: 'build-failed', weight: 'cause', hint: 'SIGSEGV', pattern: /died with <Signals\.SIGSEGV/, key: 'signal 11 of a program that it runs: a build requirement may need a newer musl' },
  // 127 is the shell's own word for it; what it said of the name may have gone into a file.
  { class: 'missing-command', weight: 'trace', hint: ' 127', pattern: /^(?:[\w.]{1,80}: )?[Cc]ommand '\[?'?([^' ,\]]{1,80}).*(?:status|code) 127\b/, key: 'that $1 calls' },
  { class: 'build-failed', weight: 'trace', hint: 'SIGABRT', pattern: /^error: [Cc]ommand '\[?'?([^' ,]{1,80}).*died with <Signals\.SIGABRT/, key: 'SIGABRT of $1, perhaps for lack of memory' },
  { class: 'build-failed', weight: 'trace', hint: 'ommand \'', pattern: /^error: [Cc]ommand '\[?'?([^' ,]{1,80}).*(exit (?:status|code) \d{1,4})/, key: '$2 of $1' },
]

/** The image's own lack: the shell that starts our commands, and auditwheel. */
const IMAGE: Rule[] = [
  { class: 'missing-command', weight: 'clue', steps: ['fetch', 'metadata', 'build', 'repair'], hint: 'exec: ', pattern: /^sh: (?:(?:line )?\d{1,6}: )?exec: (?:line \d{1,6}: )?([\w.+-]{1,60}): not found$/, key: '$1' },
  { class: 'missing-command', weight: 'cause', steps: ['repair'], hint: 'required utility', pattern: /Cannot find required utility [`']([\w.+-]{1,60})[`'] in PATH/, key: '$1' },
]

const REPAIR: Rule[] = [
  { class: 'repair-failed', weight: 'cause', steps: ['repair'], hint: 'could not be located', pattern: /required library "([^"]{1,100})" could not be located/, key: 'the library $1 is nowhere' },
  { class: 'repair-failed', weight: 'cause', steps: ['repair'], hint: 'cannot repair', pattern: /cannot repair .{0,200} because (?:of )?(.+)/, key: '$1' },
]

const TRY: Rule[] = [
  { class: 'not-musl', weight: 'cause', steps: ['try'], hint: 'symbol not found', pattern: /Error relocating .{0,200}: ([\w.@$]{1,100}): symbol not found/, key: 'the symbol $1 is nowhere' },
  { class: 'try-failed', weight: 'cause', steps: ['try'], hint: 'Error loading shared library', pattern: /Error loading shared library ([\w.+-]{1,80}): No such file/, key: 'the library $1 is nowhere' },
  { class: 'try-failed', weight: 'cause', steps: ['try'], hint: 'No module named', pattern: /No module named '[\w.]{1,100}'/, key: '$0' },
]

/** In a line the first rule that fits counts, so the narrow ones stand before the wide ones. */
export const RULES: readonly Rule[] = [
  ...RESOURCES, ...IMAGE, ...TRY, ...REPAIR, ...HEADERS, ...PKG_CONFIG, ...COMMANDS, ...LIBRARIES, ...PYTHON, ...NETWORK, ...CRASHES, ...CODE,
]
