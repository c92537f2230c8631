/** The environment of commands in a run. Nothing of the server's own environment is in it. */
import { PLACE, type Limits } from './session.ts'

/** A build environment's Python, with the requirements in it. */
export const VENV = `${PLACE}/venv`

/** For every command: pip reads no configuration and asks nobody, Python says where it crashed. */
export const PLAIN: Record<string, string> = {
  HOME: `${PLACE}/home`,
  TMPDIR: '/tmp',
  LC_ALL: 'C.UTF-8',
  PYTHONFAULTHANDLER: '1',
  PYTHONUNBUFFERED: '1',
  PYTHONNOUSERSITE: '1',
  PIP_CONFIG_FILE: '/dev/null',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
}

/** Memory that one compiler may need at worst: more at once would end the build without need. */
const COMPILER_BYTES = 1 << 30

/** For commands that run the sdist's own code. `sourceDate` is in seconds since 1970, `network`: they have one. */
export function buildEnvironment(limits: Limits, sourceDate: number, network: boolean): Record<string, string> {
  const jobs = String(Math.max(1, Math.min(Math.floor(limits.cpu), Math.floor(limits.memory / COMPILER_BYTES))))
  return {
    ...PLAIN,
    SOURCE_DATE_EPOCH: String(sourceDate),
    MAKEFLAGS: `-j${jobs}`,
    MAX_JOBS: jobs,
    CMAKE_BUILD_PARALLEL_LEVEL: jobs,
    CARGO_BUILD_JOBS: jobs,
    // Else maturin downloads a whole toolchain where it finds no cargo.
    MATURIN_NO_INSTALL_RUST: '1',
    // The order of sets decides what is written: the same build must give the same bytes.
    PYTHONHASHSEED: '0',
    // Without a network cargo, and a pip that the project starts itself, fail at once, not after their retries.
    ...(network ? {} : { CARGO_NET_OFFLINE: 'true', PIP_NO_INDEX: '1' }),
  }
}

/** `more` over `environment`; options for compilers come after those that are there, so that both hold. */
export function withOptions(environment: Record<string, string>, more: Record<string, string>): Record<string, string> {
  const both = Object.entries(more).map(([name, value]) => [name, OPTIONS.includes(name) && environment[name] ? `${environment[name]} ${value}` : value])
  return { ...environment, ...Object.fromEntries(both) as Record<string, string> }
}

const OPTIONS = ['CFLAGS', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS', 'RUSTFLAGS']

/** The command as if the build environment were activated; the image's own PATH, which only the image knows, comes after it. */
export function inVenv(command: string[]): string[] {
  return ['sh', '-c', `${ACTIVATE}; exec "$@"`, 'sh', ...command]
}

/** As pip's own `--python` does it, which loads all of pip first to find that out: a quarter of a second each time. */
const BY_PYTHON = 'import importlib.util, os, sys; pip = importlib.util.find_spec("pip").submodule_search_locations[0]; os.execv(sys.argv[1], [sys.argv[1], os.path.join(pip, "__pip-runner__.py"), *sys.argv[2:]])'

/** The image's pip, run by the Python at `python` for its environment. `--isolated` takes every PIP_* of the image away. */
export function pip(python: string, command: string[]): string[] {
  return ['python3', '-c', BY_PYTHON, python, '--isolated', ...command]
}

const ACTIVATE = `PATH=${VENV}/bin:$PATH; export PATH VIRTUAL_ENV=${VENV}`
