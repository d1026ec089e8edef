import { nearestOne } from '../../text/nearest.ts';
import { deploymentManifest } from '../example-pods.ts';
import { commonPrograms } from './log-patterns.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const commandNotFoundInScript = logRule({
  id: 'command-not-found-in-script',
  title: 'A script calls a program that the image does not have',
  codes: ['RUN-20'],
  symptoms: ['exit code 127', 'not found', 'command not found'],
  rank: 72,
  pattern: /(?:^|: )(?:line )?\d*:? ?([\w./+-]+): (?:command )?not found\s*$/,
  meaning: 'A shell in the container could not find one of the commands of its script: misspelt, or not in this image.',
  tell: 'Exit code 127, and a line that ends in `not found`. (When the container’s own command is missing, it does not even start: `StartError`.)',
  fix: 'Correct the name, or use an image that has the program.',
  logs: [
    { when: 'sh cannot find it', log: 'sh: 1: crul: not found\n', says: 'crul', exit: 127 },
    {
      when: 'bash cannot find it',
      log: '/entrypoint.sh: line 3: envsubst: command not found\n',
      says: 'envsubst',
      exit: 127,
    },
  ],
  fault: {
    manifest: deploymentManifest({ container: 'command: [sh, -c, "crul example.com"]' }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it) {
    const program = it.match[1] ?? '';
    const guess = commonPrograms.includes(program) ? undefined : nearestOne(program, commonPrograms);
    return {
      says: `The script of container ${it.container.name} calls ${program}, which the image ${it.container.image} does not have${guess ? ` (did you mean ${guess}?)` : ''}.`,
      commands: [logsCommand(it)],
    };
  },
});
