import { fromSpec } from '../../evidence.ts';
import { deploymentManifest } from '../example-pods.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const shellSyntaxError = logRule({
  id: 'shell-syntax-error',
  title: 'The shell does not understand its script',
  codes: ['RUN-22'],
  symptoms: ['exit code 2', 'syntax error'],
  rank: 73,
  pattern: /((?:[Ss]yntax error|unterminated quoted string|unexpected EOF|unexpected "[^"]*")[^\n]*)/,
  meaning: 'The script given to `sh -c` (or a script file) breaks the shell’s grammar, or uses what only bash knows.',
  tell: 'Exit code 2 and `syntax error`.',
  fix: 'Correct the script; try it with `sh -n`.',
  logs: [{ when: 'fi has no if', log: '/bin/sh: syntax error: unexpected "fi"\n', says: 'unexpected "fi"', exit: 2 }],
  fault: {
    manifest: deploymentManifest({ container: 'command: [sh, -c, "if true; fi"]' }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it) {
    const words = [...(it.container.spec.command ?? []), ...(it.container.spec.args ?? [])];
    if (!/sh|[Ss]yntax/.test(it.line)) return undefined;
    return {
      says: `The shell in container ${it.container.name} does not understand its script: ${(it.match[1] ?? '').trim()}.`,
      evidence: [
        ...it.evidence,
        ...(words.length > 0 ? [fromSpec(it.pod.ref, words.join(' '), `spec.${it.container.path}.command`)] : []),
      ],
      commands: [logsCommand(it)],
    };
  },
});
