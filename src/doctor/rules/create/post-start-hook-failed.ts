import { eventOf, fromEvent, fromSpec, fromWaiting } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { startExample, startFault } from './example.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const hook = container.spec.lifecycle?.postStart;
      if (!hook) continue;
      const event = eventOf(snapshot, pod, ['FailedPostStartHook'], undefined, container.name);
      const waiting = container.waiting?.reason === 'PostStartHookError';
      if (!waiting && !(event && container.restarts > 0)) continue;
      const what = hook.exec
        ? (hook.exec.command ?? []).join(' ')
        : hook.httpGet
          ? `GET ${hook.httpGet.path ?? '/'}`
          : 'its action';
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The postStart hook of container ${container.name} fails (${what}), and the kubelet kills the container for it each time.`,
        evidence: [
          ...(waiting ? [fromWaiting(pod, container)] : []),
          ...(event ? [fromEvent(event)] : []),
          fromSpec(pod.ref, `postStart: ${what}`, `spec.${container.path}.lifecycle.postStart`),
        ],
        field: containerField(pod, container, 'lifecycle.postStart'),
        remedy: {
          says: 'Repair the hook, or make it end well when it cannot do its work (`… || true`); it runs beside the main process, which may not be up yet.',
          commands: [`kubectl logs ${pod.ref.name} -c ${container.name} -n ${pod.namespace} --previous`],
          verify: watchCommand(pod),
        },
      };
    }
}

export const postStartHookFailed: Rule = {
  id: 'post-start-hook-failed',
  title: 'The postStart hook fails',
  phase: 'create',
  codes: ['CRT-18'],
  symptoms: ['FailedPostStartHook', 'PostStartHookError', 'CrashLoopBackOff'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'A `postStart` hook that fails is as bad as the container failing: the kubelet kills it and follows the restart policy.',
  tell: 'The event `FailedPostStartHook`. The log of the container often shows nothing: it was not its fault.',
  fix: 'Repair the hook; test it with `kubectl exec` in a container that has none.',
  sick: [
    {
      when: 'the hook exits with 1',
      yaml: `${startExample({ reason: 'Error', ended: true, exitCode: 137, message: '', container: '    lifecycle: {postStart: {exec: {command: [sh, -c, exit 1]}}}' })}---\nkind: Event\non: Pod/web\nfieldPath: spec.containers{app}\nreason: FailedPostStartHook\nmessage: "PostStartHook failed"\n`,
      says: 'sh -c exit 1',
    },
  ],
  healthy: [],
  fault: {
    manifest: startFault(
      '        command: [sleep, "3600"]\n        lifecycle: {postStart: {exec: {command: [sh, -c, exit 1]}}}',
    ),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
