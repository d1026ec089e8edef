import { posix } from 'node:path';
import type { V1Pod } from '../../api/generated/types.ts';
import type { PodSandboxConfig, PortMapping } from '../../runtime/cri.ts';
import { type KubeletContext, podEvent } from '../context.ts';
import { podDns } from './dns.ts';
import { kernelHostname, podHostname } from './hosts.ts';
import { podLabels } from './labels.ts';
import { allContainers, isHostNetwork, isSidecar } from './observed.ts';
import { podCgroup, podResources } from './resources.ts';
import { podNamespaces } from './security.ts';

/** `/var/log/pods/<namespace>_<name>_<uid>`. */
export function podLogDirectory(root: string, pod: V1Pod): string {
  return posix.join(root, `${pod.metadata?.namespace}_${pod.metadata?.name}_${pod.metadata?.uid}`);
}

const protocols = new Set(['TCP', 'UDP', 'SCTP']);

function portMappings(pod: V1Pod): PortMapping[] {
  const containers = [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])];
  const seen = new Set<string>();
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap((port): PortMapping[] => {
      const protocol = port.protocol ?? 'TCP';
      if (!protocols.has(protocol)) return [];
      const key = `${protocol}/${port.hostIP ?? ''}/${port.hostPort ?? 0}/${port.containerPort}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [
        {
          protocol: protocol as PortMapping['protocol'],
          containerPort: port.containerPort,
          hostPort: port.hostPort ?? 0,
          hostIp: port.hostIP ?? '',
        },
      ];
    }),
  );
}

/** A pod's sandbox as the runtime takes it. Throws for host names that cannot be. Upstream: generatePodSandboxConfig. */
export async function sandboxConfig(context: KubeletContext, pod: V1Pod, attempt: number): Promise<PodSandboxConfig> {
  const dns = podDns({
    pod,
    host: await context.hostDns(),
    clusterDns: context.clusterDns,
    clusterDomain: context.clusterDomain,
  });
  for (const { reason, message } of dns.warnings) podEvent(context, pod, 'Warning', reason, message);
  const host = podHostname(pod, context.clusterDomain);
  const security = pod.spec?.securityContext;
  return {
    metadata: {
      name: pod.metadata?.name ?? '',
      uid: pod.metadata?.uid ?? '',
      namespace: pod.metadata?.namespace ?? '',
      attempt,
    },
    hostname: isHostNetwork(pod) ? '' : kernelHostname(host.hostname, host.domain, pod.spec?.setHostnameAsFQDN),
    logDirectory: podLogDirectory(context.podLogsDir, pod),
    dnsConfig: dns.config,
    portMappings: portMappings(pod),
    labels: podLabels(pod),
    annotations: { ...pod.metadata?.annotations },
    linux: {
      cgroupParent: podCgroup(context.cgroupRoot, pod),
      sysctls: Object.fromEntries((security?.sysctls ?? []).map((it) => [it.name.replaceAll('/', '.'), it.value])),
      securityContext: {
        namespaceOptions: podNamespaces(pod),
        ...(security?.runAsUser !== undefined && { runAsUser: security.runAsUser }),
        ...(security?.runAsGroup !== undefined && { runAsGroup: security.runAsGroup }),
        supplementalGroups: [
          ...(security?.fsGroup !== undefined ? [security.fsGroup] : []),
          ...(security?.supplementalGroups ?? []),
        ],
        privileged: allContainers(pod).some((it) => it.securityContext?.privileged === true),
        seccomp: { profileType: 'RuntimeDefault', localhostRef: '' },
        readonlyRootfs: false,
      },
      resources: podResources(pod),
    },
  };
}
