/** What is not there: headers, pkg-config modules, commands, libraries. Each tool has its own words for it. */
import type { Rule } from './rule.ts'

const HEADERS: Rule[] = [
  // CPython's own, gone since: no apk brings them back.
  {
    class: 'unsupported-python', weight: 'cause', hint: '.h', key: 'its code includes $1, which this Python does not have',
    pattern: /fatal error: '?((?:longintrepr|code|frameobject|node|grammar|graminit|parsetok|token|symtable|asdl|ast|Python-ast|bitset|cStringIO|ucnhash|eval|pyarena|pgen|pgenheaders|cellobject|funcobject|classobject|odictobject|dynamic_annotations|internal\/\w{1,40}|pycore_\w{1,40}|cpython\/\w{1,40})\.h)'?(?:: No such file| file not found)/,
  },
  // Probes of distutils, autoconf and tempfile: a build goes on after them.
  { class: 'missing-header', weight: 'clue', hint: 'fatal error: ', pattern: /^(?:_configtest|conftest|\/tmp\/\w{1,40}|\.{0,2}\/?tmp\w{1,40})\.\w{1,4}:\d+:(?:\d+:)? fatal error: '?([^\s:']{1,150})'?(?:: No such file or directory| file not found)/, key: '$1', run: true },
  { class: 'missing-header', weight: 'cause', hint: 'fatal error: ', pattern: /^[^\s:][^:]{0,300}:\d+:(?:\d+:)? fatal error: '?([^\s:']{1,150})'?(?:: No such file or directory| file not found)/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: 'file not found', pattern: /\bfatal error: '([^\s:']{1,150})' file not found/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: 'Unable to find \'', pattern: /^[^\s:][^:]{0,300}:\d+: Error: Unable to find '([\w./+-]{1,100}\.h\w{0,2})'/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: ' include file', pattern: /^The '([\w./+-]{1,100}\.h)'.{0,100} include files?/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: 'header \'', pattern: /ERROR: \S{1,20} header '([^']{1,100})' not found/, key: '$1' },
  { class: 'missing-header', weight: 'cause', hint: 'using the following files', pattern: /Could not find \w{1,80} using the following files: ([\w./+-]{1,100})/, key: '$1' },
  { class: 'missing-header', weight: 'clue', hint: '.h', pattern: /(?:^|[\s'"<(])([\w./+-]{1,100}\.h(?:pp)?)\b['">)]{0,2}(?: header)?(?: file)? (?:was |is |could )?(?:not|missing)\b/, key: '$1' },
  { class: 'missing-header', weight: 'clue', hint: '.h', pattern: /(?:ould not|annot|[Uu]nable to|an't|ailed to) (?:find|locate) (?:the )?(?:header )?(?:file )?['"<]?([\w./+-]{1,100}\.h(?:pp)?)\b/, key: '$1' },
]

const PKG_CONFIG: Rule[] = [
  { class: 'missing-command', weight: 'cause', hint: 'Pkg-config for machine', pattern: /Pkg-config for machine \w{1,20} machine not found/, key: 'pkg-config' },
  { class: 'missing-command', weight: 'cause', hint: 'pkg-config script', pattern: /The pkg-config script could not be found/, key: 'pkg-config' },
  { class: 'missing-command', weight: 'cause', hint: 'pkg-config', pattern: /The pkg-config command could not be found|pkg-config(?:\.exe)? (?:is not installed|is required|probably not installed|not installed)/, key: 'pkg-config' },
  { class: 'missing-command', weight: 'cause', hint: 'pkg-config', pattern: /^OSError: pkg-config (?:probably )?not (?:installed|found)/, key: 'pkg-config' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'Dependency ', pattern: /ERROR: Dependency ['"]([^'"]{1,80})['"] (?:not found|is required but not found)/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'Dependency lookup', pattern: /ERROR: Dependency lookup for (\S{1,80}) with method '[^']{1,40}' failed/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'Package requirements', pattern: /error: Package requirements \(([^\s)]{1,80})[^)]{0,200}\) were not met/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'not in path', pattern: /^error: ([\w.+-]{1,80}) is not installed or not in path/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'PackageNotFoundError', pattern: /pkgconfig\.PackageNotFoundError: ([\w.+-]{1,80}) not found/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'system library `', pattern: /The system library `([\w.+-]{1,80})` required by crate/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: 'pkg-config ', pattern: /pkg-config (?:package|module) '?([\w.+-]{1,80})(?: [<>=][^']{0,40})?'? (?:was )?not found/, key: '$1' },
  { class: 'missing-pkg-config', weight: 'cause', hint: '- ', near: 'required packages were not found', pattern: /^- ([\w.+-]{1,80}?)(?:[<>=].{0,40})?$/, key: '$1', run: true },
  { class: 'missing-pkg-config', weight: 'cause', hint: '\'pkg-config\'', pattern: /CalledProcessError: Command '\['pkg-config', (?:'--[\w=-]{1,30}', ){0,6}'([\w.+-]{1,80})(?: [<>=][^']{0,40})?'[\],].{0,200} returned non-zero exit status 1\./, key: '$1' },
  { class: 'missing-pkg-config', weight: 'clue', hint: 'not found', pattern: /^(?:-- +)?Package '?([\w.+-]{1,80})'?(?:, required by '[^']{1,80}',| was)? not found/, key: '$1', run: true },
  { class: 'missing-pkg-config', weight: 'clue', hint: 'No package ', pattern: /^(?:-- +)?(?:No package|No pkg-config module) '([^']{1,80})' found/, key: '$1', run: true },
  { class: 'missing-pkg-config', weight: 'clue', hint: 'pkg-config --', pattern: /^Command 'pkg-config (?:--[\w-]{1,30} ){1,6}([\w.+-]{1,80})' returned non-zero exit status 1\./, key: '$1', run: true },
]

const COMMANDS: Rule[] = [
  { class: 'missing-command', weight: 'cause', hint: '[Errno 2]', pattern: /\[Errno 2\] No such file or directory: '([\w.+-]{1,60}[-_]config)'/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: '[Errno 2]', pattern: /^error: \[Errno 2\] No such file or directory: '([a-z][a-z0-9+_-]{0,60})'$/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: '[Errno 2]', near: '_execute_child', pattern: /^FileNotFoundError: \[Errno 2\] No such file or directory: '(?:[^']{0,200}\/)?([\w.+-]{1,60})'/, key: '$1' },
  { class: 'bad-sdist', weight: 'cause', hint: '[Errno 2]', pattern: /^(?:FileNotFoundError|error): \[Errno 2\] No such file or directory: '([^/'][^']{0,100})'/, key: '$1 is missing in it' },
  { class: 'missing-command', weight: 'cause', hint: 'No such file or directory', pattern: /^(?:error: )?(?:command '|unable to execute ')([\w.+-]{1,60})'(?: failed)?: No such file or directory/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'No such file or directory', pattern: /^(?:make(?:\[\d{1,3}\])?: |env: (?:can't execute )?'?|\/usr\/bin\/env: '?)(?![Mm]akefile\b)([\w.+-]{1,60})'?: (?:Command not found|No such file or directory)/, key: '$1' },
  { class: 'missing-command', weight: 'cause', near: '(find_program)', hint: 'using the following names', pattern: /Could not find \w{1,80} using the following names: ([\w.+-]{1,60})/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'Can\'t exec', pattern: /^Can't exec "([\w.+-]{1,60})": No such file/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'config', pattern: /^(?:\w{0,40}(?:Error|Exception|Exit): |error: |ERROR: )[^:]{0,80}?([a-z][\w.+]{0,40}[-_]config)['"]?(?: executable)?(?: was| could)? not (?:be )?found/, key: '$1' },
  { class: 'missing-command', weight: 'clue', hint: 'config', pattern: /(?:^|[\s'"])([a-z][\w.+]{0,40}[-_]config)['"]?(?: executable)?(?: was| could)? not (?:be )?found/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'missing from PATH', pattern: /'([\w.+-]{1,60})' (?:utility|command|program|executable|tool) is missing from PATH/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'config', known: true, pattern: /(?:nable to|ould not|annot|ailed to|an't) (?:run|execute|call) ['"`]?([\w.+]{1,40}[-_]config)\b/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'ould not find', pattern: /[Cc]ould not find (git|hg|svn) for\b/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'no acceptable', pattern: /error: no acceptable ([a-z]\w{0,20}) (?:could be |)found/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'no acceptable', pattern: /error: no acceptable C(?:\+\+)? compiler found/, key: 'gcc' },
  { class: 'missing-command', weight: 'decisive', hint: 'Rust compiler', pattern: /^error: can't find Rust compiler/, key: 'cargo' },
  { class: 'missing-command', weight: 'decisive', hint: 'argo', pattern: /Cargo, the Rust package manager, is not installed|Do you have cargo in your PATH/, key: 'cargo' },
  { class: 'missing-command', weight: 'decisive', hint: 'rustc', pattern: /rustc, the rust compiler, is not installed/, key: 'cargo' },
  { class: 'missing-command', weight: 'cause', hint: 'CMake', pattern: /Could not find CMake|CMake must be installed|CMake is not installed/, key: 'cmake' },
  { class: 'missing-command', weight: 'cause', hint: 'inja', pattern: /Could not (?:detect|find) [Nn]inja|unable to find a build program corresponding to "Ninja"/, key: 'ninja' },
  { class: 'missing-command', weight: 'cause', hint: 'Makefiles', pattern: /unable to find a build program corresponding to "Unix Makefiles"/, key: 'make' },
  { class: 'missing-command', weight: 'cause', hint: 'nknown compiler', pattern: /ERROR: Unknown compiler\(s\): \[\['([\w.+-]{1,40})'/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'COMPILER could be found', pattern: /No CMAKE_(?:C|CXX)_COMPILER could be found/, key: 'gcc' },
  { class: 'missing-command', weight: 'cause', hint: 'Fortran', pattern: /No CMAKE_Fortran_COMPILER could be found|error: no Fortran compiler found|Fortran compiler not found/i, key: 'gfortran' },
  { class: 'missing-command', weight: 'cause', hint: 'linker `', pattern: /error: linker `([\w.+-]{1,40})` not found/, key: '$1' },
  { class: 'missing-command', weight: 'cause', hint: 'ERROR: Program', pattern: /ERROR: Program(?:\(s\))? \[?'([^']{1,60})'.{0,100} not found/, key: '$1' },
  { class: 'missing-command', weight: 'cause', near: 'CMake Error', hint: 'Could NOT find', pattern: /^Could NOT find (Git|Perl|FLEX|BISON|SWIG|Doxygen|PkgConfig|M4|Java)\b/, key: '$1' },
  { class: 'missing-command', weight: 'clue', hint: 'CalledProcessError', pattern: /^(?:subprocess\.)?CalledProcessError: Command '\['([\w.+-]{1,60})', '-{1,2}(?:v|V|version)'\]' returned non-zero/, key: '$1', known: true },
  { class: 'missing-command', weight: 'clue', hint: '-NOTFOUND: not found', pattern: /CLANG_SCAN_DEPS-NOTFOUND: not found/, key: 'clang-scan-deps' },
  { class: 'missing-command', weight: 'clue', hint: 'not found', pattern: /(?:^|[\s'"])(?:\/bin\/)?(?:ba|da)?sh: (?:line )?(?:\d{1,6}: )?([\w.+-]{1,60}): (?:command )?not found/, key: '$1', run: true },
  { class: 'missing-command', weight: 'clue', hint: 'not found', pattern: /^\S{1,200}: \d{1,6}: ([\w.+-]{1,60}): not found$/, key: '$1', run: true },
  { class: 'missing-command', weight: 'clue', hint: 'ind executable', pattern: /not find executable ([a-z][\w.+-]{1,60})/, key: '$1', known: true },
  { class: 'missing-command', weight: 'clue', hint: 'not found', pattern: /: line \d{1,6}: ([\w.+-]{1,60}): (?:command )?not found$/, key: '$1', run: true },
]

const LIBRARIES: Rule[] = [
  { class: 'missing-library', weight: 'cause', hint: 'cannot find -l', pattern: /\bcannot find -l([\w.+-]{1,80})/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'cannot find ', pattern: /\bld(?:\.\w{1,10})?: cannot find (?:\/[^\s:]{0,200}\/)?(lib[\w.+-]{1,80}\.(?:a|so)): No such file/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'system library', pattern: /error: unable to find (?:dynamic|static) system library ['"]([\w.+-]{1,80})['"]/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'find library -l', pattern: /unable to find library -l([\w.+-]{1,80})/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', hint: 'libclang', pattern: /Unable to find libclang\b/, key: 'clang' },
  { class: 'missing-library', weight: 'cause', hint: 'shared or static library', pattern: /ERROR: \S{1,20} shared or static library '([^']{1,80})' not found/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'Error loading shared library', pattern: /Error loading shared library ([\w.+-]{1,80}): No such file/, key: '$1' },
  { class: 'missing-library', weight: 'cause', near: 'CMake Error', hint: 'Could NOT find', pattern: /^Could NOT find ([\w.+-]{1,80})/, key: '$1' },
  { class: 'missing-library', weight: 'cause', near: 'CMake Error', hint: 'package configuration file', pattern: /Could not find a package configuration file provided by "([\w.+-]{1,80})"/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'using the following names', pattern: /Could not find \w{1,80} using the following names: ([\w.+-]{1,80})/, key: '$1' },
  { class: 'missing-library', weight: 'cause', near: 'set to NOTFOUND', hint: '_', pattern: /^([A-Z0-9]{2,40})_(?:LIBRAR(?:Y|IES)|INCLUDE_DIRS?|INCLUDE_PATH|INCLUDES?)\b/, key: '$1', run: true },
  { class: 'missing-library', weight: 'cause', near: 'CMake Error', hint: 'target was not found', pattern: /\b(\w{1,60})::\w{1,60}" but the target was not found/, key: '$1' },
  { class: 'missing-library', weight: 'cause', near: 'CMake Error', hint: '::', pattern: /^(\w{1,60})::\w{1,60}$/, key: '$1', known: true },
  { class: 'missing-library', weight: 'cause', hint: 'development packages', pattern: /make sure the ([\w.+-]{1,60}(?: and [\w.+-]{1,60})?) development packages are installed/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'library files could not be found', pattern: /The headers or library files could not be found for ([\w.+-]{1,60})/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'RequiredDependencyException', pattern: /RequiredDependencyException: ([\w.+-]{1,60})$/, key: '$1' },
  { class: 'missing-library', weight: 'cause', hint: 'OpenSSL', pattern: /Could not find directory of OpenSSL installation/, key: 'OpenSSL' },
  { class: 'missing-library', weight: 'cause', hint: 'linking uWSGI', pattern: /error linking uWSGI/, key: 'libpython' },
]

/** Sentences of setup and configure scripts: any word could stand where the library's or the command's name stands. */
const SENTENCES: Rule[] = [
  {
    class: 'missing-library', weight: 'cause', known: true, hint: 'onfigure: error:', key: '$1',
    pattern: /^configure: error: (?:.{0,80}? )?['"]?([A-Za-z][\w.+-]{1,60})['"]? (?:(?:library|headers?|development (?:files|headers|library)) )?(?:is |was |could |are )?(?:required|not (?:be )?found|missing|not installed)/,
  },
  {
    class: 'missing-library', weight: 'cause', known: true, hint: 'onfigure: error:', key: '$1',
    pattern: /^configure: error: (?:.{0,80}? )?(?:[Cc]ould not|[Cc]annot|[Uu]nable to|[Cc]an't|[Ff]ailed to) (?:find|locate|detect) (?:the )?['"]?([\w.+-]{1,60})/,
  },
  {
    class: 'missing-command', weight: 'sentence', known: true, hint: 'not', key: '$1',
    pattern: /(?:^|[\s'"`(])([\w+-]{2,40})['"`]? (?:executable|command|binary|program|utility) ?(?:is |was |could |appears |seems )?not (?:to )?(?:be )?(?:found|installed)/,
  },
  {
    class: 'missing-command', weight: 'sentence', known: true, hint: 'ind', key: '$1',
    pattern: /(?:ould not|annot|an not|[Uu]nable to|an't|ailed to|id not) find (?:the |an? )?['"`]?([\w+-]{2,40})['"`]? (?:executable|command|binary|program|utility|in (?:your |the |\$)?PATH)/,
  },
  {
    class: 'missing-library', weight: 'sentence', known: true, hint: 'ind', key: '$1',
    pattern: /(?:ould not|annot|an not|[Uu]nable to|an't|ailed to|id not) find (?:the |any |an? )?(?:supported |required |system )?(?:library |libraries |package )?['"`]?([A-Za-z][\w.+-]{0,60}?)['"`]?(?:[,.:;!?)]|$| )/,
  },
  { class: 'missing-library', weight: 'sentence', hint: 'Berkeley DB', pattern: /(?:annot|an't|ould not) find .{0,40}\bBerkeley DB\b/, key: 'BerkeleyDB' },
  {
    class: 'missing-library', weight: 'sentence', known: true, hint: 'locate', key: '$1',
    pattern: /(?:ould not|annot|an not|[Uu]nable to|an't|ailed to) locate (?:the |any |an? )?(?:required |system )?(?:library |libraries |package )?['"`]?([A-Za-z][\w.+-]{0,60}?)['"`]?(?:[,.:;!?)]|$| )/,
  },
  {
    class: 'missing-library', weight: 'sentence', known: true, hint: 'not', key: '$1',
    pattern: /(?:^|[\s'"`(])([A-Za-z][\w.+-]{0,60})['"`]?(?: \([^)]{0,40}\))?(?: (?:C |system |shared |development )?(?:library|libraries|lib|headers?|files|installation|dependency))?(?: (?:is|was|were|are))? not (?:be )?(?:found|installed)\b/,
  },
  { class: 'missing-library', weight: 'sentence', known: true, hint: 'install', pattern: /\binstall\b.{0,80}?\b(lib[a-z][\w+]{0,40}?|[a-z][\w+]{1,40}?)[\d.]{0,5}-dev(?:el)?\b/, key: '$1' },
  { class: 'missing-library', weight: 'sentence', known: true, hint: 'ou installed', pattern: /[Hh]ave you installed (?:the )?([A-Za-z][\w.+-]{0,60}?)\b/, key: '$1' },
  {
    class: 'missing-library', weight: 'sentence', known: true, hint: 're', key: '$1',
    pattern: /(?:^|[\s'"`(])([A-Za-z][\w.+-]{0,60})['"`]?(?: (?:C )?(?:library|libraries|headers?|development files))?(?: version)?(?: >=? ?[\d.]{1,12})? (?:is|are) required\b/,
  },
]

export const MISSING: readonly Rule[] = [...HEADERS, ...PKG_CONFIG, ...COMMANDS, ...LIBRARIES, ...SENTENCES]
