import { fromEnd, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeRef } from './nodes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const node = pod.spec.nodeName;
    const event = node ? snapshot.events(nodeRef(node)).find((it) => it.reason === 'Rebooted') : undefined;
    const ended = pod.containers.find((it) => it.lastEnd?.exitCode === 255 && it.lastEnd.reason === 'Unknown');
    if (!event || !ended) continue;
    yield {
      subject: pod.ref,
      container: ended.name,
      says: `Node ${node} was rebooted; container ${ended.name} ended with it (exit code 255, reason Unknown).`,
      evidence: [fromEvent(event), fromEnd(pod, ended)],
      severity: 'info',
      cause: `rebooted/${node}`,
      remedy: { says: 'Nothing, if the reboot was meant.', commands: [`kubectl describe node ${node}`] },
    };
  }
}

export const nodeRebooted: Rule = {
  id: 'node-rebooted',
  title: 'The node was rebooted',
  phase: 'node',
  codes: ['NOD-17'],
  symptoms: ['Rebooted', 'Unknown', 'exit code 255'],
  severity: 'info',
  lint: 'never',
  rank: 91,
  meaning:
    'After a reboot the runtime finds containers that it cannot account for and reports them as `Unknown` with 255. The program did not crash.',
  tell: 'The event `Rebooted` of the node; many containers with 255 at the same moment.',
  fix: 'None needed.',
  sick: [
    {
      when: 'the node says that it was rebooted',
      yaml: '\nkind: Pod\nmetadata: {name: web}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus:\n  phase: Running\n  conditions: [{type: Ready, status: "True"}]\n  containerStatuses: [{name: app, image: nginx:1.27, ready: true, restartCount: 1, state: {running: {startedAt: "2026-01-01T11:58:00Z"}}, lastState: {terminated: {exitCode: 255, reason: Unknown, finishedAt: "2026-01-01T11:57:30Z"}}}]\n---\nkind: Event\non: Node/n1\nreason: Rebooted\nmessage: "Node n1 has been rebooted, boot id: 1"\n',
      says: 'was rebooted',
    },
  ],
  healthy: [],
  check,
};
