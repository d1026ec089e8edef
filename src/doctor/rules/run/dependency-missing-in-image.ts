import { deploymentManifest } from '../example-pods.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const dependencyMissingInImage = logRule({
  id: 'dependency-missing-in-image',
  title: 'The image lacks a module or library',
  codes: ['RUN-23'],
  symptoms: [
    'ModuleNotFoundError',
    'Cannot find module',
    'ClassNotFoundException',
    'error while loading shared libraries',
    'GLIBC not found',
  ],
  rank: 72,
  pattern:
    /ModuleNotFoundError: No module named '([^']+)'|Cannot find (?:module|package) '([^']+)'|(?:ClassNotFoundException|NoClassDefFoundError): (\S+)|error while loading shared libraries: ([^\s:]+)|version `([^']+)' not found|cannot load such file -- (\S+)|Could not load file or assembly '([^',]+)/,
  meaning:
    'The program was built against something that the image does not hold: a package that was not installed, a library of another base image.',
  tell: 'The program names it.',
  fix: 'Build the image with it; keep build and run images on the same base.',
  logs: [
    { when: 'Python lacks a module', log: "ModuleNotFoundError: No module named 'requests'\n", says: 'requests' },
    {
      when: 'a library is missing',
      log: '/app/server: error while loading shared libraries: libssl.so.1.1: cannot open shared object file: No such file or directory\n',
      says: 'libssl.so.1.1',
      exit: 127,
    },
    {
      when: 'glibc is too old',
      log: "/app/server: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /app/server)\n",
      says: 'GLIBC_2.34',
    },
  ],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "echo \\"ModuleNotFoundError: No module named 'requests'\\"; exit 1"]`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it) {
    const what = it.match.slice(1).find((m) => m !== undefined) ?? '';
    return {
      says: `The image ${it.container.image} lacks ${what}, which its program needs.`,
      cause: `${it.container.image}/${what}`,
      commands: [logsCommand(it)],
    };
  },
});
