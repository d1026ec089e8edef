import { fromEnd } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';
import { crashes } from './crashes.ts';

/** Exit codes of processes that the kernel ended for what they did: name, what it means, what to do. */
const signals: Readonly<Record<number, readonly [string, string, string]>> = {
  132: [
    'SIGILL',
    'it executed an instruction that this processor does not have',
    'Use an image built for older processors, or nodes with newer ones.',
  ],
  134: [
    'SIGABRT',
    'it aborted itself, as C libraries and runtimes do on a broken invariant',
    'Read its last words; go back to the version that ran.',
  ],
  135: [
    'SIGBUS',
    'it touched memory that cannot be had: often shared memory beyond the 64 MiB of /dev/shm',
    'Mount an emptyDir with medium: Memory at /dev/shm.',
  ],
  136: [
    'SIGFPE',
    'it made an impossible calculation, such as a division by zero',
    'Go back to the version that ran, and report the fault.',
  ],
  139: [
    'SIGSEGV',
    'it touched memory that is not its own: a fault in native code, or libraries that do not fit (glibc against musl)',
    'Go back to the version that ran, or rebuild the image on the right base.',
  ],
};

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of crashes(snapshot)) {
    const known = signals[end.exitCode];
    if (!known) continue;
    const [name, meaning, fix] = known;
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} was ended by ${name} (exit code ${end.exitCode}): ${meaning}.`,
      evidence: [fromEnd(pod, container)],
      certainty: 'likely',
      remedy: {
        says: fix,
        commands: [`kubectl logs ${pod.ref.name} -n ${pod.namespace} -c ${container.name} --previous`],
        verify: watchCommand(pod),
      },
    };
  }
}

export const nativeCrash: Rule = {
  id: 'native-crash',
  title: 'The kernel ended the program for what it did',
  phase: 'run',
  codes: ['RUN-17', 'RUN-18'],
  symptoms: ['exit code 139', 'SIGSEGV', 'exit code 132', 'exit code 134', 'exit code 135', 'exit code 136'],
  severity: 'error',
  lint: 'never',
  rank: 60,
  meaning:
    'Exit codes above 128 are signals. These are sent by the kernel (or by the program to itself) when it does what cannot be done: foreign memory, unknown instructions, impossible arithmetic.',
  tell: 'The exit code less 128 is the number of the signal.',
  fix: 'Go back to the version that ran; check that image and processor, and the image’s libraries among each other, fit.',
  sick: [
    { when: 'it is a segmentation fault', yaml: crashingPod({ exit: 139 }), says: 'SIGSEGV' },
    { when: 'it is shared memory', yaml: crashingPod({ exit: 135 }), says: '/dev/shm' },
  ],
  healthy: [{ when: 'it runs', yaml: healthyPod() }],
  fault: {
    manifest: deploymentManifest({ container: 'command: [sh, -c, "exit 139"]' }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  check,
};
