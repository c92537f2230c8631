/** What compilers say of the code itself: nothing is missing, it does not fit. */
import type { Rule } from './rule.ts'

export const CODE: readonly Rule[] = [
  // Probes of distutils, autoconf and tempfile: a build goes on after them.
  { class: 'compiler-error', weight: 'clue', hint: 'error: ', pattern: /^(?:_configtest|conftest|\/tmp\/\w{1,40}|\.{0,2}\/?tmp\w{1,40})\.\w{1,4}:\d+(?::\d+)?: (?:fatal )?error: (.+)/, key: '$1', run: true },
  { class: 'compiler-error', weight: 'clue', hint: 'undefined ', pattern: /(?:_configtest|conftest)\.\w{1,4}\b.{0,200}\b(undefined (?:reference to|symbol:)) [`'"]?([^`'"]{1,100})/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'error: ', pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: (?:fatal )?error: (.+)/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: '.p', pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}\.p(?:yx|xd|xi):)\d+:\d+: (.+)/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'error[E', pattern: /^error\[E\d{4}\]: .+/, key: '$0', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'undefined ', pattern: /\b(undefined (?:reference to|symbol:)) [`'"]?([^`'"]{1,100})/, key: '$1 $2', run: true },
  { class: 'compiler-error', weight: 'cause', hint: 'option', pattern: /error: (unrecognized command-line option|unknown argument:?) ['"]?([^\s'";]{1,80})/, key: '$1 $2' },
  { class: 'build-failed', weight: 'cause', hint: 'Compatibility with CMake', near: 'CMake Error', pattern: /Compatibility with CMake < [\d.]{1,10} has been removed/, key: 'a CMakeLists.txt that is too old for this CMake' },
  { class: 'build-failed', weight: 'cause', hint: 'Invalid version of dependency', pattern: /ERROR: Invalid version of dependency, need '?([^'\s]{1,80})'? \['([^']{1,40})'/, key: '$1 older than it wants ($2)' },
  { class: 'bad-sdist', weight: 'cause', hint: 'No such file or directory', pattern: /^\S{1,80}: (?:fatal )?error: ([\w./+-]{1,150}\.(?:c|cc|cpp|cxx|C|m|f|f90|S)): No such file or directory/, key: '$1 is missing in it' },
]
