import { nodes, replicasets } from '../../../api/generated/resources.ts';
import { eventOf, fromEvent, fromSpec, fromWaiting } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import { containerField } from '../../remedy.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { type ImageReference, parseImage, repositoryKey } from '../../text/image-reference.ts';
import { literally } from '../../text/pattern.ts';

/** Why a registry or a runtime refused, as far as its words tell. */
export type PullCause =
  | 'not-found'
  | 'denied'
  | 'unauthorized'
  | 'token-expired'
  | 'rate-limit'
  | 'no-host'
  | 'no-dns'
  | 'unreachable'
  | 'plain-http'
  | 'untrusted'
  | 'platform'
  | 'schema'
  | 'no-space'
  | 'throttled'
  | 'other';

/** In this order: the first that fits is meant. Texts of containerd, CRI-O, Docker, and of Go's net and crypto packages. */
const patterns: readonly (readonly [PullCause, RegExp])[] = [
  ['throttled', /pull QPS exceeded$/],
  ['no-space', /no space left on device/],
  ['schema', /is no longer supported since containerd|schema ?1 .*(?:deprecated|not supported|no longer supported)/i],
  ['platform', /no match for platform in manifest|no matching manifest for [\w/]+ in the manifest list/],
  ['rate-limit', /429 Too Many Requests|toomanyrequests/i],
  ['token-expired', /authorization token has expired|token (?:has |is )expired/i],
  ['plain-http', /server gave HTTP response to HTTPS client/],
  ['untrusted', /x509: |tls: failed to verify certificate|certificate signed by unknown authority/],
  ['no-host', /dial tcp: lookup \S+(?: on \S+)?: no such host/],
  ['no-dns', /dial tcp: lookup \S+/],
  ['denied', /pull access denied|insufficient_scope|requested access to the resource is denied/],
  [
    'unauthorized',
    /40[13] (?:Unauthorized|Forbidden)|no basic auth credentials|authentication required|unauthorized:/i,
  ],
  ['not-found', /code = NotFound|manifest unknown|: not found$|404 Not Found/],
  [
    'unreachable',
    /i\/o timeout|connection refused|TLS handshake timeout|deadline exceeded|connection reset|no route to host|network is unreachable|: EOF|Client\.Timeout|50[234] /,
  ],
];

/** What kind of refusal an error text tells of. Pure. */
export const pullCause = (text: string): PullCause => patterns.find(([, it]) => it.test(text))?.[0] ?? 'other';

/** A container whose image cannot be pulled, with the reason in the runtime's words. */
export interface PullFailure {
  readonly pod: PodFacts;
  readonly container: ContainerFacts;
  readonly image: string;
  /** Undefined where the name is malformed. */
  readonly ref: ImageReference | undefined;
  readonly cause: PullCause;
  /** The error; '' where neither status nor events tell. */
  readonly text: string;
  readonly evidence: readonly Evidence[];
}

const waitingReasons: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff']);

/** All containers that wait for an image which did not come. */
export function* pullFailures(snapshot: Snapshot, ...causes: readonly PullCause[]): Iterable<PullFailure> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (!waitingReasons.has(container.waiting?.reason ?? '')) continue;
      const failure = failureOf(snapshot, pod, container);
      if (causes.includes(failure.cause)) yield failure;
    }
}

function failureOf(snapshot: Snapshot, pod: PodFacts, container: ContainerFacts): PullFailure {
  const { image } = container;
  const message = container.waiting?.message ?? '';
  // Kubelets from 1.32 on repeat the error in the status; before that only the event has it. A throttled pull hides the error before it.
  const told =
    /ErrImagePull: (.*)$/s.exec(message)?.[1] ?? (message.startsWith('Back-off pulling image') ? '' : message);
  const hidden = told === '' || pullCause(told) === 'throttled';
  const pattern = new RegExp(`^Failed to pull image "${literally(image)}": (?!pull QPS exceeded)`);
  const event = hidden ? eventOf(snapshot, pod, ['Failed'], pattern) : undefined;
  const text = event ? (event.message ?? '').replace(pattern, '') : told;
  return {
    pod,
    container,
    image,
    ref: parseImage(image),
    text,
    cause: pullCause(text),
    evidence: [
      ...(event ? [fromEvent(event)] : []),
      ...(event && message !== '' ? [] : [fromWaiting(pod, container)]),
      fromSpec(pod.ref, `image: ${image}`, `spec.${container.path}.image`),
    ],
  };
}

/** What all claims about a pull have in common. */
export const pullClaim = (it: PullFailure, rest: Pick<Claim, 'says' | 'remedy'> & Partial<Claim>): Claim => ({
  subject: it.pod.ref,
  container: it.container.name,
  evidence: it.evidence,
  field: containerField(it.pod, it.container, 'image'),
  ...rest,
});

/** One finding for a registry, however many workloads pull from it. */
export const registryCause = (it: PullFailure): string => `registry/${it.ref?.host ?? it.image}`;

/** The tags of a repository that this cluster knows: on nodes, in pods that run, in older ReplicaSets. Newest-looking last. */
export function knownTags(snapshot: Snapshot, wanted: ImageReference): readonly string[] {
  const tags = new Set<string>();
  const add = (name: string | undefined): void => {
    const ref = name === undefined ? undefined : parseImage(name);
    if (ref?.tag && ref.digest === undefined && repositoryKey(ref) === repositoryKey(wanted)) tags.add(ref.tag);
  };
  for (const node of snapshot.all(nodes))
    for (const it of node.status?.images ?? []) for (const n of it.names ?? []) add(n);
  for (const pod of snapshot.pods) for (const it of pod.containers) if (it.status?.imageID) add(it.image);
  return [...tags].sort(new Intl.Collator('en', { numeric: true }).compare);
}

/** The image that the container had in the newest other ReplicaSet which has ready pods. */
export function lastGoodImage(snapshot: Snapshot, pod: PodFacts, container: string): string | undefined {
  if (pod.workload.kind !== 'Deployment') return undefined;
  const own = pod.pod.metadata?.ownerReferences?.find((it) => it.kind === 'ReplicaSet')?.name;
  const revision = (annotations: Readonly<Record<string, string>> | undefined): number =>
    Number(annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const older = snapshot
    .in(replicasets, pod.namespace)
    .filter(
      (it) =>
        it.metadata?.name !== own &&
        it.metadata?.ownerReferences?.some((o) => o.kind === 'Deployment' && o.name === pod.workload.name) &&
        (it.status?.readyReplicas ?? 0) > 0,
    )
    .sort((a, b) => revision(b.metadata?.annotations) - revision(a.metadata?.annotations))[0];
  return older?.spec?.template?.spec?.containers.find((it) => it.name === container)?.image;
}
