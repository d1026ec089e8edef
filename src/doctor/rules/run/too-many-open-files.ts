import { deploymentManifest } from '../example-pods.ts';
import { logRule } from './log-rule.ts';

export const tooManyOpenFiles = logRule({
  id: 'too-many-open-files',
  title: 'Too many open files or file watches',
  codes: ['RUN-31'],
  symptoms: ['too many open files', 'inotify', 'failed to create fsnotify watcher'],
  rank: 77,
  pattern:
    /too many open files|inotify_(?:add_watch|init)[^\n]*|failed to create fsnotify watcher[^\n]*|EMFILE|System limit for number of file watchers reached/i,
  meaning:
    'A bound of the node was reached: open files of a process, or inotify instances and watches of a user, which all containers of the node share.',
  tell: 'The words `inotify` or `watcher` mean `fs.inotify.*`; otherwise it is the number of open files.',
  fix: 'Raise `fs.inotify.max_user_instances` and `max_user_watches` on the node.',
  logs: [{ when: 'no more watches', log: 'failed to create fsnotify watcher: too many open files\n', says: 'bound' }],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "echo 'failed to create fsnotify watcher: too many open files'; exit 1"]`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim: (it) => ({
    says: `Container ${it.container.name} reached a bound of node ${it.pod.spec.nodeName}: ${it.match[0].trim()}.`,
    commands: [
      `sysctl -w fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=524288   # on node ${it.pod.spec.nodeName}`,
    ],
  }),
});
