import { services } from '../../../api/generated/resources.ts';
import type { V1Service } from '../../../api/generated/types.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { referenceOf } from '../../reference.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentManifest } from '../example-pods.ts';
import { logRule, logsCommand } from './log-rule.ts';

const pattern =
  /(?:dial tcp|connect(?:ing)? to|connect ECONNREFUSED|ECONNREFUSED|connection to server at)\s*"?([\w.-]+|\[[0-9a-f:]+\])?"?(?: \([^)]*\))?[:, ]*(?:port )?(\d{1,5})?.*(?:connection refused|ECONNREFUSED|Connection refused)|(?:Connection refused|connection refused|ECONNREFUSED)[^\n]*?([\w.-]+\.[\w.-]+|\d+\.\d+\.\d+\.\d+)?:(\d{1,5})/;

/** The Service that an address or name means, seen from a namespace. */
export function serviceOf(snapshot: Snapshot, namespace: string, host: string): V1Service | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$|:/.test(host)) return snapshot.all(services).find((it) => it.spec?.clusterIP === host);
  const [name = '', own = namespace] = host.split('.');
  return snapshot.get(services, name, own);
}

/** Pods that a Service selects. */
export function backends(snapshot: Snapshot, service: V1Service): readonly PodFacts[] {
  const selector = Object.entries(service.spec?.selector ?? {});
  if (selector.length === 0) return [];
  return snapshot
    .podsIn(service.metadata?.namespace ?? '')
    .filter((it) => selector.every(([key, value]) => it.pod.metadata?.labels?.[key] === value));
}

export const dependencyRefused = logRule({
  id: 'dependency-refused',
  title: 'Something that the program needs refuses the connection',
  codes: ['RUN-10'],
  symptoms: ['connect: connection refused', 'ECONNREFUSED', 'Connection refused'],
  rank: 66,
  unready: true,
  pattern,
  meaning:
    '“Refused” means that the host was reached, and nothing listens on that port: the server is down or still starting, or the port is wrong. A firewall or a NetworkPolicy gives timeouts instead.',
  tell: 'Where the address belongs to a Service of the cluster, its pods are looked at; when they are in trouble themselves, that is the cause and this its consequence.',
  fix: 'Repair what should answer, or correct host and port.',
  logs: [
    {
      when: 'an address refuses',
      log: 'Error: dial tcp 192.0.2.7:5432: connect: connection refused\n',
      says: '192.0.2.7:5432',
    },
    { when: 'Node.js is refused', log: 'Error: connect ECONNREFUSED 192.0.2.7:6379\n', says: '192.0.2.7:6379' },
  ],
  sick: [],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "echo 'Error: dial tcp 127.0.0.1:5432: connect: connection refused'; exit 1"]`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it, snapshot): ReturnType<Parameters<typeof logRule>[0]['claim']> {
    const { pod, container, match } = it;
    const inline = /([\w.-]+|\[[0-9a-f:]+\]):(\d{1,5})\b(?=[^\n]*refused)|ECONNREFUSED ([\w.-]+):(\d{1,5})/i.exec(
      it.line,
    );
    const host = inline?.[1] ?? inline?.[3] ?? match[1] ?? match[3];
    const port = inline?.[2] ?? inline?.[4] ?? match[2] ?? match[4];
    if (!host) return undefined;
    const local = /^(?:127\.|localhost$|::1|\[::1\])/.test(host);
    const service = local ? undefined : serviceOf(snapshot, pod.namespace, host);
    const behind = service ? backends(snapshot, service) : [];
    const target = service ? `Service ${service.metadata?.namespace}/${service.metadata?.name}` : undefined;
    const extra: Partial<Claim> = service
      ? {
          because: [{ ...referenceOf(service), kind: 'Service' }, ...behind.map((b) => b.ref)],
          cause: `service/${service.metadata?.namespace}/${service.metadata?.name}`,
        }
      : {};
    return {
      says: `Container ${container.name} cannot connect to ${host}${port ? `:${port}` : ''}${target ? ` (${target})` : ''}: nothing listens there${local ? ', inside its own pod: localhost means the pod itself, never the node or another pod' : ''}.`,
      evidence: [
        ...it.evidence,
        ...(service
          ? [
              computed(
                { ...referenceOf(service), kind: 'Service' },
                `${behind.length} pods behind it, ${behind.filter((b) => b.pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')).length} ready`,
              ),
            ]
          : []),
      ],
      ...extra,
      commands: [
        ...(service ? [`coracle why service/${service.metadata?.name} -n ${service.metadata?.namespace}`] : []),
        logsCommand(it),
      ],
    };
  },
});
