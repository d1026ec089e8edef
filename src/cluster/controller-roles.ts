import { clusterrolebindings, clusterroles } from '../api/generated/resources.ts';
import type { KubeObject, Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import type { Client } from '../client/client.ts';
import type { AccessRule, Controller } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';

async function ensure<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  same: (present: T) => boolean,
): Promise<void> {
  const name = object.metadata?.name ?? '';
  try {
    const present = await client.get(resource, name);
    if (!same(present)) await client.update(resource, { ...present, ...object, metadata: present.metadata });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create(resource, object);
  }
}

/**
 * Lets each controller do what it declares, by a ClusterRole of its own beside upstream's `system:controller:NAME`: what the controllers
 * here write differs in detail (a patch where upstream updates).
 */
export async function ensureControllerRoles(
  client: Client,
  controllers: readonly Pick<Controller, 'name' | 'access'>[],
): Promise<void> {
  const byName = new Map<string, AccessRule[]>();
  for (const { name, access } of controllers) byName.set(name, [...(byName.get(name) ?? []), ...access]);
  for (const [name, access] of byName) {
    const role = `coracle:controller:${name}`;
    const rules = access.map(({ apiGroups, resources, verbs }) => ({ apiGroups, resources, verbs }));
    await ensure(client, clusterroles, { metadata: { name: role }, rules }, (present) =>
      semanticEqual(present.rules, rules),
    );
    await ensure(
      client,
      clusterrolebindings,
      {
        metadata: { name: role },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'ServiceAccount', name, namespace: 'kube-system' }],
      },
      () => true,
    );
  }
}
