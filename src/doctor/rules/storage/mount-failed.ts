import { creatingExample } from '../create/example.ts';
import { creatingRule } from '../create/simple.ts';

const meanings: readonly (readonly [RegExp, string, string])[] = [
  [
    /Connection timed out|No route to host|Connection refused/i,
    'the file server cannot be reached',
    'Check the address of the server, and that the nodes may reach it (port 2049 for NFS).',
  ],
  [/access denied by server/i, 'the file server does not let this node in', 'Export the directory to the nodes.'],
  [
    /bad option; for several filesystems|need a \/sbin\/mount\.|you might need a \/sbin\/mount/i,
    'the node lacks the helper to mount it',
    'Install the helper (nfs-common, cifs-utils) on the nodes.',
  ],
  [
    /wrong fs type|bad superblock/i,
    'the disk holds another file system, or a damaged one',
    'Check fsType, and the disk (fsck).',
  ],
  [
    /No such file or directory/i,
    'the path does not exist there',
    'Create the directory on the server, or correct the path.',
  ],
];

export const mountFailed = {
  ...creatingRule(
    {
      id: 'mount-failed',
      title: 'The volume cannot be mounted',
      codes: ['STO-13'],
      symptoms: ['FailedMount', 'mount failed: exit status 32'],
      lint: 'never',
      rank: 86,
      meaning:
        'The mount command of the node failed: the file server is away or refuses, a helper program is missing, or the file system is not what was expected.',
      tell: '`MountVolume.SetUp failed … mount failed: exit status 32` with the output of mount.',
      fix: 'As the output says; try the same mount by hand on the node.',
      sick: [
        {
          when: 'the server does not answer',
          yaml: creatingExample(
            'FailedMount',
            'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs 10.0.0.9:/srv /var/lib/kubelet/pods/1/volumes/kubernetes.io~nfs/nfs\nOutput: mount.nfs: Connection timed out',
          ),
          says: 'cannot be reached',
        },
      ],
      healthy: [],
    },
    ['FailedMount'],
    /failed for volume "([^"]+)" ?: (?:rpc error: .*)?mount failed: (.*)$/s,
    ({ pod, match }) => {
      const output = /Output: ([\s\S]*)$/.exec(match[2] ?? '')?.[1]?.trim() ?? match[2] ?? '';
      const [, why, fix] = meanings.find(([pattern]) => pattern.test(output)) ?? [];
      return {
        says: `The volume ${match[1]} cannot be mounted on node ${pod.spec.nodeName}${why ? `: ${why}` : ''} (${output.split('\n')[0]}).`,
        cause: `mount/${match[1]}/${why ?? output.slice(0, 60)}`,
        remedy: {
          says: fix ?? 'Try the same mount by hand on the node.',
          commands: [
            `${/Mounting arguments: (.*)/.exec(match[2] ?? '') ? `mount ${/Mounting arguments: (.*) \S+$/m.exec(match[2] ?? '')?.[1] ?? ''} /mnt` : 'mount'}   # on node ${pod.spec.nodeName}`,
          ],
        },
      };
    },
  ),
  phase: 'storage' as const,
};
