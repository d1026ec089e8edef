import { fromEnd, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';
import { crashes, lasted } from './crashes.ts';

const shells =
  /(?:^|\/)(?:busybox|alpine|ubuntu|debian|fedora|centos|rockylinux|amazonlinux|bash|python|node)(?::|@|$)/;

/** Why a process without an error ended. */
function reading({ spec, image }: ContainerFacts): string {
  const words = [...(spec.command ?? []), ...(spec.args ?? [])];
  if (words.length === 0 && shells.test(image))
    return `the image ${image} starts a shell (or interpreter), which ends at once without a terminal`;
  if (words.length === 0) return 'its program does its work and ends';
  const script = words.join(' ');
  if (/&\s*$/.test(script)) return 'it starts its program in the background and ends';
  if (/\b(?:nginx|httpd|apachectl|redis-server|mysqld)\b/.test(script) && !/daemon off|-DFOREGROUND/.test(script))
    return 'a server that goes into the background leaves nothing running in front';
  return `its command ends by itself: ${script.length > 80 ? `${script.slice(0, 79)}…` : script}`;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of crashes(snapshot)) {
    if (end.exitCode !== 0 || container.role === 'init' || container.waiting?.reason !== 'CrashLoopBackOff') continue;
    const seconds = (lasted(end) ?? 0) / 1000;
    const why = reading(container);
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} does not crash: it ends without an error${seconds > 0 ? ` after ${Math.round(seconds)} s` : ''} and is started again, since a ${pod.workload.kind} wants it to run for ever; ${why}.`,
      evidence: [
        fromEnd(pod, container),
        fromSpec(pod.ref, `restartPolicy: ${pod.spec.restartPolicy ?? 'Always'}`, 'spec.restartPolicy'),
        ...(container.spec.command
          ? [fromSpec(pod.ref, `command: ${JSON.stringify(container.spec.command)}`, `spec.${container.path}.command`)]
          : []),
      ],
      remedy: {
        says: 'Run it as a Job if it is meant to end; otherwise keep its program in the foreground.',
        commands: [
          `kubectl create job ${pod.workload.name} -n ${pod.namespace} --image=${container.image}${container.spec.command ? ` -- ${container.spec.command.map((it) => JSON.stringify(it)).join(' ')}` : ''}`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

export const processCompleted: Rule = {
  id: 'process-completed',
  title: 'The program ends without an error and is started again',
  phase: 'run',
  codes: ['RUN-06'],
  symptoms: ['CrashLoopBackOff', 'Completed', 'exit code 0'],
  severity: 'error',
  lint: 'never',
  rank: 88,
  meaning:
    'Exit code 0 means success. Deployments, StatefulSets and DaemonSets run programs that never end; one that ends is started again, with growing pauses, and this looks like a crash.',
  tell: '`CrashLoopBackOff` with `Completed` and exit code 0 in the last state.',
  fix: 'Use a Job, or keep the program in the foreground (`nginx -g "daemon off;"`, no `&` at the end of a script).',
  sick: [
    {
      when: 'a command ends by itself',
      yaml: crashingPod({ exit: 0, reason: 'Completed', container: 'command: [echo, hello]' }),
      says: 'ends without an error',
    },
    {
      when: 'the image is a bare shell',
      yaml: crashingPod({ exit: 0, reason: 'Completed', image: 'ubuntu:24.04' }),
      says: 'starts a shell',
    },
  ],
  healthy: [{ when: 'it goes on running', yaml: healthyPod({ container: 'command: [sleep, infinity]' }) }],
  fault: {
    manifest: deploymentManifest({ container: 'command: [echo, hello]' }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  check,
};
