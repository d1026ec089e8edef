import type { V1Probe } from '../../../api/generated/types.ts';
import { eventOf, fromEvent } from '../../evidence.ts';
import type { Claim, Evidence, Field, Remedy } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import { eventTime, type Snapshot } from '../../snapshot/snapshot.ts';

export type ProbeKind = 'liveness' | 'readiness' | 'startup';
export const probeKinds: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

/** A probe that fails, with the kubelet's own words. */
export interface FailingProbe {
  readonly snapshot: Snapshot;
  readonly pod: PodFacts;
  readonly container: ContainerFacts;
  readonly kind: ProbeKind;
  readonly probe: V1Probe;
  /** What follows `Liveness probe failed: `. */
  readonly output: string;
  /** The kubelet could not even ask (`probe errored`). */
  readonly errored: boolean;
  readonly evidence: readonly Evidence[];
  /** The kubelet restarts the container for it. */
  readonly kills: boolean;
}

export const probeOf = ({ spec }: ContainerFacts, kind: ProbeKind): V1Probe | undefined =>
  kind === 'liveness' ? spec.livenessProbe : kind === 'readiness' ? spec.readinessProbe : spec.startupProbe;

const heading =
  /^(Liveness|Readiness|Startup) probe (failed|errored(?: and resulted in unknown state)?|warning): ([\s\S]*)$/;
/** A failure older than this, of a container that is ready, is history (milliseconds). */
const staleMs = 5 * 60_000;

/** Probes that fail now: by events, of containers that are not ready or were restarted for it. */
export function* failingProbes(snapshot: Snapshot): Iterable<FailingProbe> {
  for (const pod of snapshot.troubled) {
    const events = snapshot.events(pod.ref, pod.pod.metadata?.uid);
    for (const container of pod.containers) {
      const seen = new Set<ProbeKind>();
      for (const event of events) {
        const match =
          event.reason === 'Unhealthy' && isOf(event.involvedObject.fieldPath, container)
            ? heading.exec(event.message ?? '')
            : null;
        const kind = match?.[1]?.toLowerCase() as ProbeKind | undefined;
        const probe = kind && probeOf(container, kind);
        if (!match || !kind || !probe || seen.has(kind)) continue;
        if (container.status?.ready && snapshot.now - (eventTime(event) ?? 0) > staleMs) continue;
        if (kind === 'readiness' && container.status?.ready) continue;
        seen.add(kind);
        const killing = eventOf(snapshot, pod, ['Killing'], new RegExp(`failed ${kind} probe`), container.name);
        yield {
          snapshot,
          pod,
          container,
          kind,
          probe,
          output: (match[3] ?? '').trim(),
          errored: match[2]?.startsWith('errored') ?? false,
          evidence: [fromEvent(event), ...(killing ? [fromEvent(killing)] : [])],
          kills: kind !== 'readiness' && (killing !== undefined || container.restarts > 0),
        };
      }
    }
  }
}

const isOf = (fieldPath: string | undefined, container: ContainerFacts): boolean =>
  fieldPath === undefined || fieldPath.includes(`{${container.name}}`);

export const fieldOfProbe = (it: Pick<FailingProbe, 'pod' | 'container' | 'kind'>, below = ''): Field =>
  containerField(it.pod, it.container, `${it.kind}Probe${below}`);

/** `GET :8080/healthz`, `tcp :5432`, `pg_isready -U app`. */
export function showProbe(probe: V1Probe): string {
  if (probe.httpGet)
    return `${probe.httpGet.scheme === 'HTTPS' ? 'HTTPS ' : ''}GET :${probe.httpGet.port}${probe.httpGet.path ?? '/'}`;
  if (probe.tcpSocket) return `tcp :${probe.tcpSocket.port}`;
  if (probe.grpc) return `grpc :${probe.grpc.port}`;
  return (probe.exec?.command ?? []).join(' ');
}

/** The port number that a probe asks; undefined for exec, and for a name that the container does not have. */
export function portOf(probe: V1Probe, container: ContainerFacts): number | undefined {
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
  if (typeof port === 'number') return port;
  if (port === undefined) return undefined;
  return /^\d+$/.test(port) ? Number(port) : container.spec.ports?.find((it) => it.name === port)?.containerPort;
}

/** What follows of it for the container, for the end of a sentence. */
export const outcome = (it: FailingProbe): string =>
  it.kind === 'readiness'
    ? ', so it gets no traffic from Services'
    : it.kills
      ? `, and the kubelet restarts it (${it.container.restarts} time${it.container.restarts === 1 ? '' : 's'} so far)`
      : '';

export interface ProbeReading {
  readonly says: string;
  readonly remedy: Remedy;
  readonly evidence?: readonly Evidence[];
  readonly field?: Field;
  readonly certainty?: Claim['certainty'];
  readonly otherwise?: readonly string[];
  readonly rank?: number;
  readonly because?: Claim['because'];
}

type Described = Omit<Rule, 'check' | 'severity' | 'phase' | 'rank'> & Partial<Pick<Rule, 'severity' | 'rank'>>;

/** A rule that recognises why a probe fails. `read` gives undefined where it is something else. */
export function probeRule(described: Described, read: (it: FailingProbe) => ProbeReading | undefined): Rule {
  return {
    severity: 'error',
    phase: 'probe',
    rank: 75,
    ...described,
    *check(snapshot) {
      for (const it of failingProbes(snapshot)) {
        const reading = read(it);
        if (!reading) continue;
        yield {
          subject: it.pod.ref,
          container: it.container.name,
          field: fieldOfProbe(it),
          ...reading,
          remedy: { verify: watchCommand(it.pod), ...reading.remedy },
          evidence: [...it.evidence, ...(reading.evidence ?? [])],
        };
      }
    },
  };
}

/** The YAML of a pod whose probe fails. */
export function probeExample(more: {
  readonly kind?: ProbeKind;
  readonly probe: string;
  readonly output: string;
  readonly errored?: boolean;
  readonly container?: string;
  readonly restarts?: number;
}): string {
  const {
    kind = 'liveness',
    probe,
    output,
    errored = false,
    container = '',
    restarts = kind === 'readiness' ? 0 : 3,
  } = more;
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  return `
---
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeName: n1
  containers:
  - name: app
    image: nginx:1.27
    ${kind}Probe: ${probe}
${container}
status:
  phase: Running
  podIP: 10.244.0.5
  conditions: [{type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status: [app]"}]
  containerStatuses:
  - name: app
    image: nginx:1.27
    ready: false
    started: ${kind !== 'startup'}
    restartCount: ${restarts}
    state: {running: {startedAt: "2026-01-01T11:59:20Z"}}
${restarts > 0 ? '    lastState: {terminated: {exitCode: 137, reason: Error, startedAt: "2026-01-01T11:58:50Z", finishedAt: "2026-01-01T11:59:19Z"}}' : ''}
---
kind: Event
on: Pod/web
fieldPath: spec.containers{app}
reason: Unhealthy
count: 9
message: ${JSON.stringify(`${name} probe ${errored ? 'errored' : 'failed'}: ${output}`)}
${
  restarts > 0
    ? `---
kind: Event
on: Pod/web
type: Normal
fieldPath: spec.containers{app}
reason: Killing
message: ${JSON.stringify(`Container app failed ${kind} probe, will be restarted`)}
`
    : ''
}`;
}

/** A Deployment of nginx with a probe, for faults. */
export const probeFault = (probes: string, image = 'nginx:1.27', container = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: ${image}
        ports: [{containerPort: 80}]
${container}
${probes}
`;
