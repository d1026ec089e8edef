import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const { phase, reason = '', message = '' } = pod.pod.status ?? {};
    if (
      phase !== 'Failed' ||
      !(reason === 'NodeShutdown' || (reason === 'Terminated' && /node shutdown/.test(message)))
    )
      continue;
    yield {
      subject: pod.ref,
      says: `The pod ${reason === 'NodeShutdown' ? 'was refused' : 'was ended'} since node ${pod.spec.nodeName} was shutting down.`,
      evidence: [fromStatus(pod.ref, `${reason}: ${message}`, 'message')],
      cause: `shutdown/${pod.spec.nodeName}`,
      severity: pod.workload.kind === 'Pod' ? 'error' : 'info',
      remedy: {
        says:
          pod.workload.kind === 'Pod'
            ? 'Create the pod anew: a bare pod is not made again by anybody.'
            : 'Nothing: its controller has made another. The record can be deleted.',
        commands: [`kubectl delete pod ${pod.ref.name} -n ${pod.namespace}`],
      },
    };
  }
}

export const nodeShutdown: Rule = {
  id: 'node-shutdown',
  title: 'The node was shut down in good order',
  phase: 'node',
  codes: ['NOD-10'],
  symptoms: ['Terminated', 'NodeShutdown', 'Pod was terminated in response to imminent node shutdown.'],
  severity: 'info',
  lint: 'never',
  rank: 92,
  meaning:
    'The kubelet ended its pods when the machine was shut down (a reboot, a spot instance taken back). They stay as Failed records.',
  tell: 'Reason `Terminated` or `NodeShutdown` with that text.',
  fix: 'None needed for pods of controllers.',
  sick: [
    {
      when: 'the machine went down',
      yaml: '\nkind: Pod\nmetadata: {name: web}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Failed, reason: Terminated, message: "Pod was terminated in response to imminent node shutdown."}\n',
      says: 'shutting down',
    },
  ],
  healthy: [],
  check,
};
