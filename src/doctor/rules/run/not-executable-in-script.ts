import { logRule, logsCommand } from './log-rule.ts';

export const notExecutableInScript = logRule({
  id: 'not-executable-in-script',
  title: 'A script calls a file that may not be executed',
  codes: ['RUN-21'],
  symptoms: ['exit code 126', 'Permission denied'],
  rank: 77,
  pattern: /(?:^|: )(?:line )?\d*:? ?(\/?[\w./+-]+): (?:Permission denied|cannot execute[^\n]*|Is a directory)\s*$/i,
  meaning: 'A shell found the file, but it has no execute bit (or is a directory).',
  tell: 'Exit code 126.',
  fix: 'Set the execute bit (`chmod +x`, for ConfigMaps `defaultMode: 0755`), or call it through its interpreter.',
  logs: [
    {
      when: 'the file has no execute bit',
      log: '/bin/sh: /scripts/run.sh: Permission denied\n',
      says: '/scripts/run.sh',
      exit: 126,
    },
  ],
  claim(it) {
    if (it.container.lastEnd?.exitCode !== 126) return undefined;
    return {
      says: `The script of container ${it.container.name} may not execute ${it.match[1]}: the file has no execute permission.`,
      commands: [logsCommand(it)],
    };
  },
});
