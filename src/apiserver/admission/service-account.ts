import { serviceaccounts } from '../../api/generated/resources.ts';
import type {
  V1Container,
  V1EphemeralContainer,
  V1Pod,
  V1ServiceAccount,
  V1Volume,
} from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { randomSuffix } from '../../base/random.ts';
import type { Loose } from '../../kinds/draft.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';
import { draftOf, isFor, isMirrorPod, refuse } from './request.ts';

const prefix = 'kube-api-access-';
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The life that marks a token as mounted by this plugin; it is extended to a year (pkg/serviceaccount/claims.go). */
const tokenSeconds = 3607;
/** How long a pod waits for its namespace's `default` account, which a controller makes. */
const patienceMs = 2000;

/** The account; for `default` of a young namespace, once its controller has made it. */
function findAccount(
  context: ServerContext,
  namespace: string,
  name: string,
): Live<V1ServiceAccount> | undefined | Promise<Live<V1ServiceAccount> | undefined> {
  const found = context.reader.get(serviceaccounts, namespace, name);
  if (found || name !== 'default') return found;
  return new Promise((resolve) => {
    const finish = (account: Live<V1ServiceAccount> | undefined): void => {
      stop();
      timer.cancel();
      resolve(account);
    };
    const timer = context.clock.after(patienceMs, () => finish(undefined), { background: true });
    const stop = context.reader.subscribe(serviceaccounts, ({ type, object }) => {
      const { metadata } = object;
      if (type !== 'DELETED' && metadata.namespace === namespace && metadata.name === name) finish(object);
    });
  });
}

const tokenVolume = (name: string): Loose<V1Volume> => ({
  name,
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});

function mountToken(context: ServerContext, pod: Loose<V1Pod>): void {
  const { spec } = pod;
  if (!spec) return;
  const existing = spec.volumes?.find((volume) => volume.name?.startsWith(prefix));
  const name = existing?.name ?? `${prefix}${randomSuffix(context.random)}`;
  let needed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    needed = true;
  }
  if (needed && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

const enforced = (account: Live<V1ServiceAccount>): boolean =>
  ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(
    account.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] ?? '',
  );

function containerError(
  containers: readonly Loose<V1Container | V1EphemeralContainer>[],
  label: string,
  account: Live<V1ServiceAccount>,
): string | undefined {
  const known = new Set((account.secrets ?? []).map((secret) => secret.name));
  const end = `is not allowed because service account ${account.metadata.name} does not reference that secret`;
  for (const container of containers) {
    for (const variable of container.env ?? []) {
      const secret = variable.valueFrom?.secretKeyRef?.name;
      if (secret !== undefined && !known.has(secret)) {
        return `${label} ${container.name} with envVar ${variable.name} referencing secret.secretName="${secret}" ${end}`;
      }
    }
    for (const source of container.envFrom ?? []) {
      const secret = source.secretRef?.name;
      if (secret !== undefined && !known.has(secret)) {
        return `${label} ${container.name} with envFrom referencing secret.secretName="${secret}" ${end}`;
      }
    }
  }
  return undefined;
}

function secretError(pod: Loose<V1Pod>, account: Live<V1ServiceAccount>): string | undefined {
  const known = new Set((account.secrets ?? []).map((secret) => secret.name));
  const { name } = account.metadata;
  for (const volume of pod.spec?.volumes ?? []) {
    const secret = volume.secret?.secretName;
    if (volume.secret && !known.has(secret)) {
      return `volume with secret.secretName="${secret}" is not allowed because service account ${name} does not reference that secret`;
    }
  }
  const inContainers =
    containerError(pod.spec?.initContainers ?? [], 'init container', account) ??
    containerError(pod.spec?.containers ?? [], 'container', account);
  if (inContainers !== undefined) return inContainers;
  const pulls = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name));
  for (const [index, secret] of (pod.spec?.imagePullSecrets ?? []).entries()) {
    if (!pulls.has(secret.name)) {
      return `imagePullSecrets[${index}].name="${secret.name}" is not allowed because service account ${name} does not reference that imagePullSecret`;
    }
  }
  return undefined;
}

function checkMirror(request: AdmissionRequest, pod: Loose<V1Pod>): void {
  if (pod.spec?.serviceAccountName) throw refuse(request, 'a mirror pod may not reference service accounts');
  const text = JSON.stringify(pod.spec ?? {});
  if (/"(?:secretRef|secretKeyRef|nodePublishSecretRef|secretName)":|"secret":\{|"imagePullSecrets":\[\{/.test(text)) {
    throw refuse(request, 'a mirror pod may not reference secrets');
  }
  if (pod.spec?.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken))) {
    throw refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
}

/** Gives every pod a service account, its token and its pull secrets (plugin/pkg/admission/serviceaccount). */
export function serviceAccount(context: ServerContext): AdmissionPlugin {
  const lookUp = async (request: AdmissionRequest, name: string): Promise<Live<V1ServiceAccount>> => {
    const namespace = request.namespace ?? '';
    const account = await findAccount(context, namespace, name);
    if (account) return account;
    throw refuse(request, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`);
  };
  return {
    name: 'ServiceAccount',
    resources: ['pods'],
    async admit(request) {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'pods')) return;
      const pod = draftOf<V1Pod>(request);
      if (isMirrorPod(pod)) return checkMirror(request, pod);
      pod.spec ??= {};
      if (!pod.spec.serviceAccountName) pod.spec.serviceAccountName = 'default';
      pod.spec.serviceAccount = pod.spec.serviceAccountName;
      const account = await lookUp(request, pod.spec.serviceAccountName);
      if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) {
        mountToken(context, pod);
      }
      if ((pod.spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
        pod.spec.imagePullSecrets = (account.imagePullSecrets ?? []).map(({ name }) => ({ ...(name && { name }) }));
      }
    },
    async validate(request) {
      const ephemeral = request.operation === 'UPDATE' && isFor(request, '', 'pods', 'ephemeralcontainers');
      if (!ephemeral && (request.operation !== 'CREATE' || !isFor(request, '', 'pods'))) return;
      const pod = draftOf<V1Pod>(request);
      if (!ephemeral && isMirrorPod(pod)) return checkMirror(request, pod);
      const name = pod.spec?.serviceAccountName;
      if (!name) {
        throw refuse(request, `no service account specified for pod ${request.namespace}/${pod.metadata?.name ?? ''}`);
      }
      const account = await lookUp(request, name);
      if (!enforced(account)) return;
      const error = ephemeral
        ? containerError(pod.spec?.ephemeralContainers ?? [], 'ephemeral container', account)
        : secretError(pod, account);
      if (error !== undefined) throw refuse(request, error);
    },
  };
}
