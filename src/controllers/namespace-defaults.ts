import { configmaps, namespaces, serviceaccounts } from '../api/generated/resources.ts';
import { hasReason } from '../api/status.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { read, rule } from './support/access.ts';

const ignoreGoing = (error: unknown): void => {
  // Another writer was first, or the namespace is on its way out.
  if (hasReason(error, 'AlreadyExists') || hasReason(error, 'NotFound') || hasReason(error, 'Forbidden')) return;
  throw error;
};

/** Every namespace has a ServiceAccount `default` (pkg/controller/serviceaccount/serviceaccounts_controller.go). */
export const serviceAccountController: Controller = {
  name: 'service-account-controller',
  watches: [
    watched({ resource: namespaces, keys: (namespace, { gone }) => (gone ? [] : [namespace.metadata.name]) }),
    watched({
      resource: serviceaccounts,
      keys: (account, { gone }) =>
        gone && account.metadata.name === 'default' ? [account.metadata.namespace ?? ''] : [],
    }),
  ],
  access: [rule('', 'namespaces', read), rule('', 'serviceaccounts', `${read} create`)],
  async reconcile(key, { informers, client }) {
    const namespace = informers.informer(namespaces).get(key);
    if (!namespace || namespace.status?.phase === 'Terminating') return undefined;
    if (informers.informer(serviceaccounts).get(`${key}/default`)) return undefined;
    await client.create(serviceaccounts, { metadata: { name: 'default', namespace: key } }).catch(ignoreGoing);
    return undefined;
  },
};

const rootCa = 'kube-root-ca.crt';
const rootCaNote = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

/** Every namespace has the cluster's authority in a ConfigMap (pkg/controller/certificates/rootcacertpublisher). */
export function rootCaController(authority: string): Controller {
  return {
    name: 'root-ca-cert-publisher',
    watches: [
      watched({ resource: namespaces, keys: (namespace, { gone }) => (gone ? [] : [namespace.metadata.name]) }),
      watched({
        resource: configmaps,
        keys: (map) => (map.metadata.name === rootCa ? [map.metadata.namespace ?? ''] : []),
      }),
    ],
    access: [rule('', 'namespaces', read), rule('', 'configmaps', `${read} create update`)],
    async reconcile(key, { informers, client }) {
      const namespace = informers.informer(namespaces).get(key);
      if (!namespace || namespace.status?.phase === 'Terminating') return undefined;
      const present = informers.informer(configmaps).get(`${key}/${rootCa}`);
      const data = { 'ca.crt': authority };
      if (!present) {
        const metadata = { name: rootCa, namespace: key, annotations: rootCaNote };
        await client.create(configmaps, { metadata, data }).catch(ignoreGoing);
      } else if (present.data?.['ca.crt'] !== authority || Object.keys(present.data).length !== 1) {
        await client.update(configmaps, { ...present, data });
      }
      return undefined;
    },
  };
}
