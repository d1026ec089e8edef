import { fromSpec } from '../../evidence.ts';
import { containerField } from '../../remedy.ts';
import { deploymentManifest } from '../example-pods.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const badConfiguration = logRule({
  id: 'bad-configuration',
  title: 'The program does not understand a flag or its configuration',
  codes: ['RUN-09'],
  symptoms: ['unknown flag', 'unrecognized arguments', 'invalid config', 'yaml: unmarshal errors'],
  rank: 70,
  pattern:
    /(unknown (?:shorthand )?flag: ?[^\n]+|flag provided but not defined: [^\n]+|unrecognized (?:arguments?|option)[^\n]*|unknown option[^\n]*|invalid option[^\n]*|(?:invalid|bad|malformed) config(?:uration)?[^\n]*|yaml: unmarshal errors[^\n]*|yaml: line \d+[^\n]*|error (?:parsing|reading|loading) config(?:uration)?[^\n]*|\[emerg\] (?:unknown directive|invalid)[^\n]*|failed to (?:parse|load) config(?:uration)?[^\n]*)/i,
  meaning: 'The program says itself that an argument or a setting is wrong.',
  tell: 'Its words name the flag or the line. Compare with `args` and with the mounted configuration.',
  fix: 'Correct the flag or the setting.',
  logs: [
    { when: 'a flag is unknown', log: 'Error: unknown flag: --listn\n', says: '--listn', exit: 2 },
    {
      when: 'nginx rejects its file',
      log: 'nginx: [emerg] unknown directive "sever" in /etc/nginx/nginx.conf:3\n',
      says: 'unknown directive',
    },
  ],
  fault: {
    manifest: deploymentManifest({ container: `command: [sh, -c, "echo 'Error: unknown flag: --listn'; exit 2"]` }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it) {
    const words = [...(it.container.spec.command ?? []), ...(it.container.spec.args ?? [])];
    const flag = /--?[\w-]+/.exec(it.match[0])?.[0];
    const index = flag ? (it.container.spec.args ?? []).findIndex((arg) => arg.includes(flag.replace(/^-+/, ''))) : -1;
    return {
      says: `Container ${it.container.name} does not accept how it was started: ${it.match[0].trim().replace(/[.]$/, '')}.`,
      evidence: [
        ...it.evidence,
        ...(words.length > 0 ? [fromSpec(it.pod.ref, words.join(' '), `spec.${it.container.path}.args`)] : []),
      ],
      ...(index >= 0 && { field: containerField(it.pod, it.container, `args[${index}]`) }),
      commands: [logsCommand(it)],
    };
  },
});
