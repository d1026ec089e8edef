/** Follows CustomResourceDefinitions: settles their names, serves their kinds, and clears up after them. */
import { equalJson } from '../../api/draft.ts';
import { customresourcedefinitions } from '../../api/generated/resources.ts';
import type { V1CustomResourceDefinition } from '../../api/generated/types.ts';
import type { Live, Resource } from '../../api/resource.ts';
import type { StructuralSchema } from '../../api/schema.ts';
import { hasReason } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { cleanupFinalizer } from '../../kinds/apiextensions/custom-resource-definition.ts';
import type { Draft } from '../../kinds/kind.ts';
import { loopbackUser } from '../authz/loopback.ts';
import type { ServerContext } from '../contracts.ts';
import { acceptNames, type Condition, conditionOf, isTrue, withCondition } from './crd-conditions.ts';
import { customKinds, hasRules, type RuleCheck, servedSchema } from './custom-kind.ts';

type Crd = Live<V1CustomResourceDefinition>;

/** How long to wait before trying a failed definition again, milliseconds. */
const retryAfter = 1000;
/** How long to wait between two looks at instances that are going, milliseconds. */
const drainInterval = 100;

interface Installed {
  readonly plural: string;
  readonly group: string;
  readonly spec: V1CustomResourceDefinition['spec'];
  readonly names: unknown;
}

/**
 * Starts to follow the definitions and resolves once those that are stored are served. Returns what stops it.
 * Rules in CEL are loaded only when a definition has any.
 */
export async function followCustomResources(context: ServerContext): Promise<() => void> {
  const { clock, kinds, log, reader } = context;
  const installed = new Map<string, Installed>();
  /** Names waiting for their turn: at most one entry a definition. */
  const waiting = new Set<string>();
  let running = false;
  let stopped = false;

  const now = (): string => rfc3339(clock.now());
  const get = (name: string): Crd | undefined => reader.get(customresourcedefinitions, undefined, name);
  const othersOf = (crd: Crd): readonly Crd[] =>
    reader
      .list(customresourcedefinitions)
      .filter((it) => it.spec.group === crd.spec.group && it.metadata.name !== crd.metadata.name);

  const setStatus = (name: string, change: (status: Draft) => Draft | undefined): Promise<unknown> =>
    context.mutate(customresourcedefinitions, undefined, name, (draft) => {
      const status = (draft['status'] ?? {}) as Draft;
      const next = change(status);
      if (!next || equalJson(next, status)) return undefined;
      draft['status'] = next;
      return draft;
    });

  const setCondition = (name: string, condition: Omit<Condition, 'lastTransitionTime'>): Promise<unknown> =>
    setStatus(name, (status) => ({
      ...status,
      conditions: withCondition((status['conditions'] ?? []) as readonly Condition[], condition, now()),
    }));

  const rulesOf = async (crd: Crd): Promise<(schema: StructuralSchema) => RuleCheck | undefined> => {
    const some = crd.spec.versions.some((version) => version.served && hasRules(servedSchema(version)));
    if (!some) return () => undefined;
    const { checkRules } = await import('../../api/cel/rules.ts');
    return (schema) => (hasRules(schema) ? (object, old) => checkRules(schema, object, old) : undefined);
  };

  const install = async (crd: Crd): Promise<void> => {
    const name = crd.metadata.name;
    const names = crd.status?.acceptedNames;
    const known = installed.get(name);
    if (known && equalJson(known.spec, crd.spec) && equalJson(known.names, names)) return;
    const definitions = customKinds(crd, await rulesOf(crd));
    if (definitions.length === 0) uninstall(name);
    else {
      kinds.install(definitions);
      installed.set(name, { plural: crd.spec.names.plural, group: crd.spec.group, spec: crd.spec, names });
    }
  };

  const uninstall = (name: string): void => {
    const known = installed.get(name);
    if (!known) return;
    installed.delete(name);
    kinds.uninstall(known.group, known.plural);
  };

  /** Names first, then the kinds are served, and only then the definition says that it is established. */
  const settle = async (crd: Crd): Promise<void> => {
    const { name } = crd.metadata;
    const naming = acceptNames(crd, othersOf(crd));
    const known = conditionOf(crd, 'NamesAccepted');
    const settled =
      equalJson(naming.acceptedNames, crd.status?.acceptedNames) &&
      known?.status === naming.condition.status &&
      known.reason === naming.condition.reason;
    if (!settled) {
      await setStatus(name, (status) => {
        let conditions = withCondition((status['conditions'] ?? []) as readonly Condition[], naming.condition, now());
        if (!isTrue(crd, 'Established')) {
          const accepted = naming.condition.status === 'True';
          conditions = withCondition(
            conditions,
            {
              type: 'Established',
              status: 'False',
              reason: accepted ? 'Installing' : 'NotAccepted',
              message: accepted ? 'the initial names have been accepted' : 'not all names are accepted',
            },
            now(),
          );
        }
        return { ...status, acceptedNames: naming.acceptedNames, conditions };
      });
      return;
    }
    if (naming.condition.status !== 'True' && !isTrue(crd, 'Established')) return;
    await install(crd);
    if (isTrue(crd, 'Established')) return;
    await setCondition(name, {
      type: 'Established',
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    });
  };

  const resourceOf = (crd: Crd): Resource | undefined =>
    kinds.list().find(({ resource }) => resource.group === crd.spec.group && resource.plural === crd.spec.names.plural)
      ?.resource;

  const deleteInstances = async (crd: Crd): Promise<number> => {
    const resource = resourceOf(crd);
    if (!resource) return 0;
    const instances = reader.list(resource);
    const namespaces = new Set(
      instances.filter((it) => it.metadata.deletionTimestamp === undefined).map((it) => it.metadata.namespace),
    );
    for (const namespace of namespaces) {
      await context.dispatch({
        verb: 'deletecollection',
        group: resource.group,
        version: resource.version,
        resource: resource.plural,
        ...(namespace !== undefined && { namespace }),
        options: {},
        user: loopbackUser,
      });
    }
    return reader.list(resource).length;
  };

  const terminate = async (crd: Crd): Promise<void> => {
    const { name } = crd.metadata;
    if (!crd.metadata.finalizers?.includes(cleanupFinalizer)) return;
    const terminating = (status: string, reason: string, message: string): Promise<unknown> =>
      setCondition(name, { type: 'Terminating', status, reason, message });
    if (!installed.has(name) && isTrue(crd, 'Established')) await install(crd);
    if (!isTrue(crd, 'Established')) await terminating('False', 'NeverEstablished', 'resource was never established');
    else {
      await terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
      if ((await deleteInstances(crd)) > 0) {
        clock.after(drainInterval, () => enqueue(name), { background: true });
        return;
      }
      await terminating('False', 'InstanceDeletionCompleted', 'removed all instances');
    }
    uninstall(name);
    await context.mutate(customresourcedefinitions, undefined, name, (draft) => {
      const metadata = draft['metadata'] as { finalizers?: string[] };
      metadata.finalizers = (metadata.finalizers ?? []).filter((it) => it !== cleanupFinalizer);
      return draft;
    });
  };

  const reconcile = async (name: string): Promise<void> => {
    const crd = get(name);
    if (!crd) uninstall(name);
    else if (crd.metadata.deletionTimestamp !== undefined) await terminate(crd);
    else await settle(crd);
  };

  const attempt = async (name: string): Promise<void> => {
    try {
      await reconcile(name);
    } catch (error) {
      if (hasReason(error, 'NotFound')) return;
      log.warn('custom resource definition could not be settled', { name, error });
      if (!stopped) clock.after(retryAfter, () => enqueue(name), { background: true });
    }
  };

  const drain = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (!stopped) {
      const [name] = waiting;
      if (name === undefined) break;
      waiting.delete(name);
      await attempt(name);
    }
    running = false;
  };

  const enqueue = (name: string): void => {
    if (stopped) return;
    waiting.add(name);
    void drain();
  };

  for (const crd of reader.list(customresourcedefinitions)) waiting.add(crd.metadata.name);
  await drain();
  const unsubscribe = reader.subscribe(customresourcedefinitions, (change) => {
    enqueue(change.object.metadata.name);
    if (change.type !== 'DELETED') return;
    // A name that has become free may be what another definition was waiting for.
    for (const other of othersOf(change.object)) if (!isTrue(other, 'NamesAccepted')) enqueue(other.metadata.name);
  });
  for (const crd of reader.list(customresourcedefinitions)) enqueue(crd.metadata.name);
  return () => {
    stopped = true;
    unsubscribe();
  };
}
