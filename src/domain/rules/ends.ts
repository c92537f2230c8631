/** How a run can end that says nothing of what the project is missing: limits, network, crashes, the image, repair and try-out. */
import { EVERYWHERE, type Rule } from './rule.ts'

export const RESOURCES: readonly Rule[] = [
  { class: 'out-of-disk', weight: 'decisive', steps: EVERYWHERE, hint: 'No space left on device', pattern: /No space left on device/, key: '' },
  { class: 'out-of-disk', weight: 'decisive', steps: EVERYWHERE, hint: 'quota exceeded', pattern: /Disk quota exceeded/, key: '' },
  { class: 'out-of-disk', weight: 'decisive', hint: 'NoSpaceLeft', pattern: /\bNoSpaceLeft\b/, key: '' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'Killed signal', pattern: /fatal error: Killed signal terminated program ([\w+-]{1,40})/, key: '$1' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'Killed', pattern: /(?:internal compiler error: Killed \(program ([\w+-]{1,40})\)|ld terminated with signal 9 \[Killed\])/, key: '$1' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'emory', pattern: /out of memory allocating|(?:virtual )?memory exhausted|LLVM ERROR: out of memory|Cannot allocate memory|error: OutOfMemory/, key: '$0' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'SIGKILL', pattern: /^error: [Cc]ommand '\[?'?([^' ,]{1,80}).*died with <Signals\.SIGKILL/, key: '$1' },
  { class: 'out-of-memory', weight: 'decisive', hint: 'SIGKILL', pattern: /didn't exit successfully: `(?:[^`\s]{0,200}\/)?([\w+-]{1,40})[ `].*\(signal: 9, SIGKILL/, key: '$1' },
  { class: 'out-of-memory', weight: 'cause', hint: 'bad_alloc', pattern: /terminate called after throwing an instance of 'std::bad_alloc'/, key: 'std::bad_alloc' },
  { class: 'out-of-memory', weight: 'clue', hint: 'Killed', pattern: /^Killed$/, key: '' },
  { class: 'out-of-memory', weight: 'cause', hint: 'MemoryError', pattern: /^MemoryError\b/, key: 'Python' },
  { class: 'timed-out', weight: 'decisive', steps: EVERYWHERE, hint: 'time limit', pattern: /^muslin: time limit of (\d{1,9} s) reached/, key: '$1' },
]

export const NETWORK: readonly Rule[] = [
  { class: 'needs-network', weight: 'cause', hint: '[Errno -', pattern: /\[Errno -[235]\] (?:Try again|Name does not resolve|Name or service not known|Temporary failure in name resolution)/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'resolve', pattern: /[Cc]ould(?:n't| not) resolve host(?:name|: [\w.-]{1,80})?|Temporary failure in name resolution/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'bad address', pattern: /^wget: bad address '[\w.-]{1,80}'/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'lookup', pattern: /dial tcp: lookup [\w.-]{1,80}/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'EAI_AGAIN', pattern: /getaddrinfo EAI_AGAIN(?: [\w.-]{1,80})?/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: 'Network', pattern: /Network (?:is )?unreachable/, key: '$0' },
  { class: 'needs-network', weight: 'cause', hint: '--offline', pattern: /attempting to make an HTTP request, but --offline was specified/, key: '$0' },
]

export const CRASHES: readonly Rule[] = [
  { class: 'build-failed', weight: 'cause', hint: 'status -11', pattern: /failed with status -11\b/, key: 'signal 11 of a program that it runs: a build requirement may need a newer musl' },
  { class: 'build-failed', weight: 'cause', hint: 'SIGSEGV', pattern: /died with <Signals\.SIGSEGV/, key: 'signal 11 of a program that it runs: a build requirement may need a newer musl' },
  // 127 is the shell's own word for it; what it said of the name may have gone into a file.
  { class: 'missing-command', weight: 'trace', hint: ' 127', pattern: /^(?:[\w.]{1,80}: )?[Cc]ommand '\[?'?([^' ,\]]{1,80}).*(?:status|code) 127\b/, key: 'that $1 calls' },
  { class: 'build-failed', weight: 'trace', hint: 'SIGABRT', pattern: /^error: [Cc]ommand '\[?'?([^' ,]{1,80}).*died with <Signals\.SIGABRT/, key: 'SIGABRT of $1, perhaps for lack of memory' },
  { class: 'build-failed', weight: 'trace', hint: 'ommand \'', pattern: /^error: [Cc]ommand '\[?'?([^' ,]{1,80}).*(exit (?:status|code) \d{1,4})/, key: '$2 of $1' },
]

/** The image's own lack: the shell that starts our commands, and auditwheel. */
export const IMAGE: readonly Rule[] = [
  { class: 'missing-command', weight: 'clue', steps: ['fetch', 'metadata', 'build', 'repair'], hint: 'exec: ', pattern: /^sh: (?:(?:line )?\d{1,6}: )?exec: (?:line \d{1,6}: )?([\w.+-]{1,60}): not found$/, key: '$1' },
  { class: 'missing-command', weight: 'cause', steps: ['repair'], hint: 'required utility', pattern: /Cannot find required utility [`']([\w.+-]{1,60})[`'] in PATH/, key: '$1' },
]

export const REPAIR: readonly Rule[] = [
  { class: 'repair-failed', weight: 'cause', steps: ['repair'], hint: 'could not be located', pattern: /required library "([^"]{1,100})" could not be located/, key: 'the library $1 is nowhere' },
  { class: 'repair-failed', weight: 'cause', steps: ['repair'], hint: 'cannot repair', pattern: /cannot repair .{0,200} because (?:of )?(.+)/, key: '$1' },
]

export const TRY: readonly Rule[] = [
  { class: 'not-musl', weight: 'cause', steps: ['try'], hint: 'symbol not found', pattern: /Error relocating .{0,200}: ([\w.@$]{1,100}): symbol not found/, key: 'the symbol $1 is nowhere' },
  { class: 'try-failed', weight: 'cause', steps: ['try'], hint: 'Error loading shared library', pattern: /Error loading shared library ([\w.+-]{1,80}): No such file/, key: 'the library $1 is nowhere' },
  { class: 'try-failed', weight: 'cause', steps: ['try'], hint: 'No module named', pattern: /No module named '[\w.]{1,100}'/, key: '$0' },
]
