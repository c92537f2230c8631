/** What Python, its projects and Rust's tools say. */
import type { Rule } from './rule.ts'

const PYTHON: Rule[] = [
  { class: 'unsupported-python', weight: 'cause', hint: 'different Python', pattern: /requires a different Python: (.+)/, key: '$1' },
  { class: 'unsupported-python', weight: 'cause', hint: 'on Python version', pattern: /Cannot install on Python version .+/, key: '$0' },
  { class: 'unsupported-python', weight: 'cause', hint: 'Missing parentheses', pattern: /^SyntaxError: Missing parentheses in call to 'print'/, key: 'it is written for Python 2' },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'No module named',
    pattern: /No module named '(?:distutils|imp|asynchat|asyncore|smtpd|cgi|crypt|pipes|telnetlib|lib2to3|ConfigParser|commands|urllib2|__builtin__)\b(?:\.\w{1,60})*'/, key: '$0',
  },
  { class: 'unsupported-python', weight: 'cause', hint: 'numpy.distutils', pattern: /No module named 'numpy\.distutils(?:\.\w{1,60}){0,5}'/, key: '$0' },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'has no attribute', key: 'its code uses $1.$2, which this Python does not have',
    pattern: /^AttributeError: module '(ast|asyncio|collections|configparser|gettext|imp|importlib|inspect|locale|os|pkgutil|platform|string|sys|time|types|typing|unittest)' has no attribute '(\w{1,60})'/,
  },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'cannot import name', key: 'its code uses $2.$1, which this Python does not have',
    pattern: /^ImportError: cannot import name '(\w{1,60})' from '([\w.]{1,60})' \([^)]{0,200}\/lib\/python3\.\d{1,2}\/(?!site-packages\/|dist-packages\/)/,
  },
  { class: 'build-failed', weight: 'cause', hint: 'cython_sources', pattern: /AttributeError: .{0,80}cython_sources/, key: 'AttributeError: cython_sources, which Cython 3 does not have' },
  { class: 'build-failed', weight: 'cause', hint: 'use_2to3', pattern: /error in .{1,100} setup command: use_2to3 is invalid/, key: 'use_2to3, which newer setuptools does not have' },
  { class: 'build-failed', weight: 'cause', hint: 'cannot import name', pattern: /^ImportError: cannot import name '(\w{1,60})' from '((?:setuptools|wheel|pkg_resources|Cython|numpy|packaging|setuptools_scm)\b[\w.]{0,60})'/, key: '$1, which newer $2 does not have' },
  { class: 'build-requirement-unbuildable', weight: 'cause', hint: 'No matching distribution', steps: ['fetch', 'metadata', 'build'], pattern: /No matching distribution found for ([^\s,]{1,100})/, key: '$1' },
  { class: 'build-requirement-unbuildable', weight: 'cause', hint: 'suitable distribution', pattern: /Could not find suitable distribution for Requirement\.parse\('([^']{1,100})'\)/, key: '$1' },
  { class: 'missing-command', weight: 'decisive', hint: 'puccinialin', pattern: /^File ".{0,200}\/puccinialin\//, key: 'cargo' },
  { class: 'missing-python-module', weight: 'cause', hint: 'No module named', pattern: /^(?:\w{1,40}: )?(?:ModuleNotFoundError|ImportError): No module named '?([a-zA-Z_][\w.]{0,80}\w)'?/, key: '$1' },
  { class: 'missing-python-module', weight: 'cause', hint: 'No module named', pattern: /: No module named ([a-zA-Z_][\w.]{0,80})$/, key: '$1', known: true },
  { class: 'missing-python-module', weight: 'cause', hint: 'distribution was not found', pattern: /DistributionNotFound: The '([A-Za-z][\w-]{0,60})[^']{0,40}' distribution was not found/, key: '$1' },
  { class: 'missing-python-module', weight: 'cause', hint: 'PackageNotFoundError', pattern: /PackageNotFoundError: No package metadata was found for ([A-Za-z][\w.-]{0,60})/, key: '$1' },
  { class: 'missing-python-module', weight: 'sentence', hint: 'ython', pattern: /\b([Cc]ython)\b.{0,40} (?:is |was |could |must be )?(?:required|needed|not (?:be )?(?:found|installed|available)|installed)\b/, key: 'Cython' },
  { class: 'missing-python-module', weight: 'sentence', hint: 'um', pattern: /\b[Nn]um[Pp]y\b (?:is |was |could |must be )?(?:required|needed|not (?:be )?(?:found|installed|available)|installed)\b/, key: 'numpy' },
  { class: 'bad-sdist', weight: 'cause', hint: 'BackendUnavailable', pattern: /BackendUnavailable: Cannot import '([\w.]{1,80})'/, key: 'it does not require its build backend $1' },
  { class: 'bad-sdist', weight: 'cause', hint: 'Python project', pattern: /does not appear to be a Python project/, key: 'it holds no setup.py and no pyproject.toml' },
  { class: 'bad-sdist', weight: 'cause', hint: 'TOMLDecodeError', pattern: /TOMLDecodeError: .+/, key: '$0' },
]

/** C code that was written, or generated, for an older CPython or NumPy: gcc's words, then clang's. */
const C_API: Rule[] = [
  {
    class: 'unsupported-python', weight: 'cause', hint: 'error: ', run: true, key: 'its C code uses $2, which this Python does not have',
    pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: error: '?(?:Py\w{1,40}|struct _(?:ts|longobject|typeobject|frame|is))\b'?.{0,60} has no member named '(\w{1,60})'/,
  },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'no member named', run: true, key: 'its C code uses $2, which this Python does not have',
    pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: error: no member named '(\w{1,60})' in '(?:struct )?(?:Py\w{1,40}|_(?:ts|longobject|typeobject|frame|is))'/,
  },
  {
    class: 'build-failed', weight: 'cause', hint: 'error: ', run: true, key: 'its C code uses $2, which NumPy 2 does not have',
    pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: error: (?:implicit declaration of function|call to undeclared function|use of undeclared identifier|unknown type name) '((?:PyArray|PyUFunc|NPY|npy)_?\w{1,60})'/,
  },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'error: ', run: true, key: 'its C code uses $2, which this Python does not have',
    pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: error: (?:implicit declaration of function|call to undeclared function|use of undeclared identifier|unknown type name|invalid use of incomplete typedef|incomplete definition of type) '((?:struct )?_?Py[A-Z_]\w{1,60}|struct _frame)'/,
  },
  {
    class: 'unsupported-python', weight: 'cause', hint: 'declared', run: true, key: 'its C code uses $2, which this Python does not have',
    pattern: /^(?:[^\s:]{0,300}\/)?(?<source>[^\s:/]{1,100}:)\d+(?::\d+)?: error: '(_?Py[A-Z_]\w{1,60})' (?:undeclared|was not declared in this scope)/,
  },
]

const RUST: Rule[] = [
  { class: 'rust-too-old', weight: 'cause', hint: 'rustc', pattern: /requires rustc (?:>=? ?)?(\d+(?:\.\d+){0,2})/, key: '$1' },
  { class: 'rust-too-old', weight: 'cause', hint: 'Rust', pattern: /\brequires Rust (?:version )?(?:>=? ?)?(\d+(?:\.\d+){0,2})/, key: '$1' },
  { class: 'rust-too-old', weight: 'cause', hint: 'extension requirement', pattern: /Rust [\d.]{1,12} does not match extension requirement >=? ?(\d+(?:\.\d+){0,2})/, key: '$1' },
  { class: 'rust-too-old', weight: 'cause', hint: 'edition2024', pattern: /feature `edition2024` is required/, key: '1.85' },
  { class: 'rust-too-old', weight: 'cause', hint: 'lock file version', pattern: /lock file version `?4`? (?:requires|was found)/, key: '1.78' },
  { class: 'rust-too-old', weight: 'cause', hint: 'error[E0658]', pattern: /^error\[E0658\]: /, key: '' },
]

export const FROM_PYTHON: readonly Rule[] = [...PYTHON, ...C_API, ...RUST]
