import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { withTag } from '../../text/image-reference.ts';
import { nearest } from '../../text/nearest.ts';
import { imageFault, pullExample, resolving, runningPod } from './example.ts';
import { knownTags, lastGoodImage, pullClaim, pullFailures } from './pull.ts';

const image = 'nginx:1.72';
const full = 'docker.io/library/nginx:1.72';
const sick = pullExample(image, resolving(full, 'NotFound', `${full}: not found`));

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pullFailures(snapshot, 'not-found')) {
    const { pod, container, ref } = it;
    const tags = ref ? knownTags(snapshot, ref) : [];
    const good = lastGoodImage(snapshot, pod, container.name);
    const [near] = ref?.tag ? nearest(ref.tag, tags) : [];
    const better = good && good !== it.image ? good : near && withTag(it.image, near);
    const change = better
      ? editPodSpec(snapshot, pod, [{ path: ['image'], value: better, was: it.image }], container.name)
      : undefined;
    const what = ref?.digest ? 'digest' : 'tag';
    yield pullClaim(it, {
      says: `The image ${it.image} does not exist: its registry answers, but has no such ${what}${better ? ` (${good === better ? 'the version before ran' : 'did you mean'} ${better}${good === better ? '' : '?'})` : ''}.`,
      evidence: [
        ...it.evidence,
        ...(tags.length > 0
          ? [computed(pod.ref, `tags of this image that the cluster knows: ${tags.join(', ')}`)]
          : []),
      ],
      otherwise: ['a private registry may answer "not found" for an image that these credentials may not see'],
      remedy: change
        ? {
            says:
              good === better && pod.workload.kind === 'Deployment'
                ? `Go back to ${better}, which still runs.`
                : `Use ${better}.`,
            commands: [
              good === better
                ? `kubectl rollout undo deployment/${pod.workload.name} -n ${pod.namespace}`
                : `kubectl set image ${pod.workload.kind.toLowerCase()}/${pod.workload.name} ${container.name}=${better} -n ${pod.namespace}`,
            ],
            actions: [change],
            verify: watchCommand(pod),
          }
        : {
            says: 'Find the tag that was meant in the registry, and set it; or push the image.',
            commands: [
              `kubectl set image ${pod.workload.kind.toLowerCase()}/${pod.workload.name} ${container.name}=${withTag(it.image, 'TAG')} -n ${pod.namespace}`,
            ],
            verify: watchCommand(pod),
          },
    });
  }
}

export const imageTagNotFound: Rule = {
  id: 'image-tag-not-found',
  title: 'The image tag or digest does not exist',
  phase: 'image',
  codes: ['IMG-01', 'IMG-24'],
  symptoms: ['ErrImagePull', 'ImagePullBackOff', '…: not found', 'manifest unknown'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'The registry was reached and let the node in, but it has no image of that tag (or digest). Most often the tag is a slip, or was never pushed.',
  tell: '`not found` or `manifest unknown`, without `pull access denied` (a repository that is missing or private) and without network errors. A new ReplicaSet that cannot pull while the old one still runs means that the last rollout brought the wrong tag.',
  fix: 'Set a tag that exists. Where an older ReplicaSet still runs, `kubectl rollout undo` brings back what worked.',
  sick: [
    { when: 'the registry has no such tag', yaml: sick, says: 'nginx:1.72 does not exist' },
    {
      when: 'another pod runs a tag of nearly that name',
      yaml: sick + runningPod('other', 'nginx:1.27'),
      says: 'did you mean nginx:1.27',
    },
    {
      when: 'an older kubelet tells it in an event only',
      yaml: `${pullExample(image, `Back-off pulling image "${image}"`, { bare: true })}---
kind: Event
on: Pod/web
reason: Failed
message: 'Failed to pull image "nginx:1.72": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.72": failed to resolve reference "docker.io/library/nginx:1.72": docker.io/library/nginx:1.72: not found'
`,
      says: 'does not exist',
    },
  ],
  healthy: [{ when: 'the image runs', yaml: runningPod('web', 'nginx:1.27') }],
  fault: { manifest: imageFault('nginx:1.72'), runtimes: ['sim'], fixable: false },
  check,
};
