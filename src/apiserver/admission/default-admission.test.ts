import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../../testing/test-server.ts';
import {
  limitranges,
  namespaces,
  nodes,
  persistentvolumeclaims,
  pods,
  priorityclasses,
  resourcequotas,
  runtimeclasses,
  serviceaccounts,
  services,
  storageclasses,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import { StatusError } from '../../api/status.ts';
import type { ServerContext } from '../contracts.ts';
import { defaultAdmission } from './default-admission.ts';

let server: TestServer;
let context: ServerContext;
beforeAll(async () => {
  server = await createTestServer({
    admission: (given) => {
      context = given;
      return defaultAdmission(given);
    },
  });
  await server.create(serviceaccounts, { metadata: { name: 'default', namespace: 'default' } });
});
afterAll(() => server.close());

const pod = (name: string, spec: Partial<V1Pod['spec']> = {}, namespace = 'default'): V1Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const refusal = async (work: Promise<unknown>): Promise<StatusError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};
const space = async (name: string, labels: Record<string, string> = {}) => {
  await server.create(namespaces, { metadata: { name, labels } });
  await server.create(serviceaccounts, { metadata: { name: 'default', namespace: name } });
};

describe('a pod on its way in', () => {
  it('gets its account, token, priority and tolerations', async () => {
    const live = await server.create(pods, pod('plain'));
    const { spec } = live;
    expect(spec).toMatchObject({
      serviceAccountName: 'default',
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
    });
    const volume = spec!.volumes![0]!;
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume.projected!.sources!.map((source) => Object.keys(source)[0])).toEqual([
      'serviceAccountToken',
      'configMap',
      'downwardAPI',
    ]);
    expect(spec!.containers[0]!.volumeMounts).toEqual([
      { name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
  });

  it('is refused without its account, class or namespace', async () => {
    expect((await refusal(server.create(pods, pod('a', { serviceAccountName: 'nobody' })))).message).toBe(
      'pods "a" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    );
    expect((await refusal(server.create(pods, pod('a', { priorityClassName: 'vip' })))).message).toBe(
      'pods "a" is forbidden: no PriorityClass with name vip was found',
    );
    expect((await refusal(server.create(pods, pod('a', { runtimeClassName: 'gvisor' })))).message).toBe(
      'pods "a" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
    );
    const missing = await refusal(server.create(pods, pod('a', {}, 'nowhere')));
    expect([missing.code, missing.message]).toEqual([404, 'namespaces "nowhere" not found']);
  });

  it('waits for the default account of a young namespace', async () => {
    await server.create(namespaces, { metadata: { name: 'young' } });
    const creating = server.create(pods, pod('early', {}, 'young'));
    await server.create(serviceaccounts, { metadata: { name: 'default', namespace: 'young' } });
    expect((await creating).spec!.serviceAccountName).toBe('default');
  });

  it('takes priority and overhead from its classes', async () => {
    await server.create(priorityclasses, { metadata: { name: 'high' }, value: 1000 });
    await server.create(runtimeclasses, {
      metadata: { name: 'kata' },
      handler: 'kata',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { kata: 'yes' } },
    });
    const live = await server.create(pods, pod('vip', { priorityClassName: 'high', runtimeClassName: 'kata' }));
    expect(live.spec).toMatchObject({ priority: 1000, overhead: { cpu: '250m' }, nodeSelector: { kata: 'yes' } });
  });
});

describe('namespaces', () => {
  it('take nothing in while they end, and some never end', async () => {
    await space('ending');
    await context.mutate(namespaces, undefined, 'ending', (draft) => ({ ...draft, status: { phase: 'Terminating' } }));
    const refused = await refusal(server.create(pods, pod('late', {}, 'ending')));
    expect(refused.message).toBe(
      'pods "late" is forbidden: unable to create new content in namespace ending because it is being terminated',
    );
    expect(refused.status.details?.causes).toEqual([
      { reason: 'NamespaceTerminating', message: 'namespace ending is being terminated', field: 'metadata.namespace' },
    ]);
    expect((await refusal(server.delete(namespaces, undefined, 'default'))).message).toBe(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });

  it('limit what containers ask for', async () => {
    await space('limited');
    await server.create(limitranges, {
      metadata: { name: 'l', namespace: 'limited' },
      spec: {
        limits: [
          { type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' } },
        ],
      },
    });
    const live = await server.create(pods, pod('small', {}, 'limited'));
    expect(live.spec!.containers[0]!.resources).toEqual({ requests: { cpu: '100m' }, limits: { cpu: '500m' } });
    expect(live.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    );
    const big = pod('big', { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '2' } } }] }, 'limited');
    expect((await refusal(server.create(pods, big))).message).toContain('pods "big" is forbidden: ');
    expect((await refusal(server.create(pods, big))).message).toContain(
      'maximum cpu usage per Container is 1, but limit is 2',
    );
    const claim = {
      metadata: { name: 'd', namespace: 'limited' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    };
    expect((await refusal(server.create(persistentvolumeclaims, claim))).message).toBe(
      'persistentvolumeclaims "d" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
    );
  });

  it('stay within their quota, also when many write at once', async () => {
    await space('counted');
    await server.create(resourcequotas, {
      metadata: { name: 'q', namespace: 'counted' },
      spec: { hard: { pods: '3', 'requests.cpu': '1', 'count/secrets': '0' } },
    });
    const sized = (name: string, cpu = '100m') =>
      pod(name, { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] }, 'counted');
    const hard = { pods: '3', 'requests.cpu': '1', 'count/secrets': '0' };
    await context.mutate(resourcequotas, 'counted', 'q', (draft) => ({ ...draft, status: { hard } }));
    expect((await refusal(server.create(pods, sized('soon')))).message).toBe(
      'pods "soon" is forbidden: status unknown for quota: q, resources: pods,requests.cpu',
    );
    await context.mutate(resourcequotas, 'counted', 'q', (draft) => ({
      ...draft,
      status: {
        hard,
        used: { pods: '0', 'requests.cpu': '0', 'count/secrets': '0' },
      },
    }));
    expect((await refusal(server.create(pods, pod('lazy', {}, 'counted')))).message).toBe(
      'pods "lazy" is forbidden: failed quota: q: must specify requests.cpu for: c',
    );
    expect((await refusal(server.create(pods, sized('huge', '1500m')))).message).toBe(
      'pods "huge" is forbidden: exceeded quota: q, requested: requests.cpu=1500m, used: requests.cpu=0, limited: requests.cpu=1',
    );
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c', 'd', 'e'].map((name) => server.create(pods, sized(name))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const used = () => context.reader.get(resourcequotas, 'counted', 'q')!.status!.used;
    expect(used()).toMatchObject({ pods: '3', 'requests.cpu': '300m' });
    await context.mutate(resourcequotas, 'counted', 'q', (draft) => ({
      ...draft,
      status: { hard: { pods: '9' }, used: { pods: '3' } },
    }));
    await refusal(server.create(pods, sized('a')));
    expect(used()).toEqual({ pods: '3' });
  });

  it('hold pods to their security level', async () => {
    await space('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    const refused = await refusal(server.create(pods, pod('free', { hostNetwork: true }, 'strict')));
    expect(refused.message).toBe(
      'pods "free" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
    const good = pod(
      'good',
      {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'c',
            image: 'i',
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
      'strict',
    );
    expect((await server.create(pods, good)).metadata.name).toBe('good');
    expect(
      (
        await refusal(
          server.create(namespaces, {
            metadata: { name: 'odd', labels: { 'pod-security.kubernetes.io/warn': 'high' } },
          }),
        )
      ).message,
    ).toContain('must be one of privileged, baseline, restricted');
  });
});

describe('services', () => {
  const service = (name: string, spec: object) => ({ metadata: { name, namespace: 'default' }, spec });
  const http = { name: 'http', port: 80, protocol: 'TCP' };
  it('get addresses and ports nobody else has', async () => {
    const first = await server.create(services, service('one', { ports: [http], selector: { a: 'b' } }));
    expect(first.spec!.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\./);
    expect(first.spec).toMatchObject({
      clusterIPs: [first.spec!.clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
    const taken = service('two', { clusterIP: first.spec!.clusterIP, ports: [http] });
    expect((await refusal(server.create(services, taken))).message).toBe(
      `Service "two" is invalid: spec.clusterIPs: Invalid value: ["${first.spec!.clusterIP}"]: failed to allocate IP ${first.spec!.clusterIP}: provided IP is already allocated`,
    );
    expect(
      (await refusal(server.create(services, service('far', { clusterIP: '10.0.0.1', ports: [http] })))).message,
    ).toContain('the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12');
    const node = await server.create(services, service('np', { type: 'NodePort', ports: [http] }));
    const port = node.spec!.ports![0]!.nodePort!;
    expect(port).toBeGreaterThanOrEqual(30000);
    expect(
      (
        await refusal(
          server.create(services, service('np2', { type: 'NodePort', ports: [{ ...http, nodePort: port }] })),
        )
      ).message,
    ).toBe(
      `Service "np2" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
    );
    const headless = await server.create(services, service('none', { clusterIP: 'None', selector: { a: 'b' } }));
    expect(headless.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] });
    const external = await server.create(services, service('ext', { type: 'ExternalName', externalName: 'x.example' }));
    expect(external.spec!.clusterIP).toBeUndefined();
  });

  it('keep theirs through updates and give them back in the end', async () => {
    const live = await server.create(services, service('kept', { type: 'NodePort', ports: [http] }));
    const again = await server.update(services, {
      metadata: { name: 'kept', namespace: 'default' },
      spec: { type: 'NodePort', ports: [http] },
    });
    expect(again.spec!.clusterIP).toBe(live.spec!.clusterIP);
    expect(again.spec!.ports![0]!.nodePort).toBe(live.spec!.ports![0]!.nodePort);
    await server.delete(services, 'default', 'kept');
    const heir = await server.create(services, service('heir', { clusterIP: live.spec!.clusterIP!, ports: [http] }));
    expect(heir.spec!.clusterIP).toBe(live.spec!.clusterIP);
  });
});

describe('the rest', () => {
  it('taints new nodes and defaults claims', async () => {
    const node = await server.create(nodes, { metadata: { name: 'n' } });
    expect(node.spec!.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
    await server.create(storageclasses, {
      metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'x',
    });
    const claim = await server.create(persistentvolumeclaims, {
      metadata: { name: 'd', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    expect(claim.spec!.storageClassName).toBe('fast');
    expect(claim.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
  });

  it('asks policies written in CEL', async () => {
    await server.create(validatingadmissionpolicies, {
      metadata: { name: 'suffix' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['namespaces'] }],
        },
        matchConditions: [
          { name: 'team', expression: "has(object.metadata.labels) && 'team' in object.metadata.labels" },
        ],
        variables: [{ name: 'name', expression: 'object.metadata.name' }],
        validations: [{ expression: "variables.name.endsWith('k8s')" }],
      },
    });
    await server.create(validatingadmissionpolicybindings, {
      metadata: { name: 'suffix-binding' },
      spec: { policyName: 'suffix', validationActions: ['Deny'] },
    });
    await server.create(namespaces, { metadata: { name: 'free-of-it' } });
    await server.create(namespaces, { metadata: { name: 'team-k8s', labels: { team: 'a' } } });
    const refused = await refusal(server.create(namespaces, { metadata: { name: 'team-x', labels: { team: 'a' } } }));
    expect([refused.code, refused.message]).toEqual([
      422,
      "namespaces \"team-x\" is forbidden: ValidatingAdmissionPolicy 'suffix' with binding 'suffix-binding' denied request: failed expression: variables.name.endsWith('k8s')",
    ]);
  });
});
