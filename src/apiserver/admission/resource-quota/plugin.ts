import { resourcequotas } from '../../../api/generated/resources.ts';
import type { V1ResourceQuota } from '../../../api/generated/types.ts';
import { addQuantity, compareQuantity, type Quantity, subQuantity } from '../../../api/quantity.ts';
import type { Live } from '../../../api/resource.ts';
import { asLoose } from '../../../kinds/draft.ts';
import type { Draft } from '../../../kinds/kind.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../../contracts.ts';
import { refuse } from '../request.ts';
import { amountsOf, type ResourceAmounts } from '../resource-list.ts';
import { inScope } from './scopes.ts';
import { evaluatorFor } from './usage.ts';

interface Charge {
  readonly quota: string;
  readonly namespace: string;
  readonly amounts: ResourceAmounts;
}

const show = (amounts: ResourceAmounts): string =>
  [...amounts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${amount.text}`)
    .join(',');

const pick = (amounts: ResourceAmounts, names: readonly string[]): ResourceAmounts =>
  new Map(
    names.flatMap((name) => {
      const amount = amounts.get(name);
      return amount ? [[name, amount] as const] : [];
    }),
  );

/** What the request adds to what is used: for an update the difference to before. */
function deltaOf(request: AdmissionRequest, usage: (object: object) => ResourceAmounts): ResourceAmounts {
  const next = usage(request.object ?? {});
  if (!request.old) return next;
  const before = usage(request.old);
  const delta: ResourceAmounts = new Map();
  for (const [name, amount] of next) {
    const old = before.get(name);
    delta.set(name, old ? subQuantity(amount, old) : amount);
  }
  return delta;
}

/** The quota's words for a request that does not fit; undefined where it does. */
function exceeded(quota: V1ResourceQuota & { metadata: { name: string } }, delta: ResourceAmounts): string | undefined {
  const hard = amountsOf(quota.status?.hard);
  const used = amountsOf(quota.status?.used);
  const over = [...delta]
    .filter(([name, amount]) => {
      const limit = hard.get(name);
      if (!limit || amount.nano <= 0n) return false;
      const known = used.get(name);
      return compareQuantity(known ? addQuantity(known, amount) : amount, limit) > 0;
    })
    .map(([name]) => name);
  if (over.length === 0) return undefined;
  return `exceeded quota: ${quota.metadata.name}, requested: ${show(pick(delta, over))}, used: ${show(pick(used, over))}, limited: ${show(pick(hard, over))}`;
}

/** `status.used` after adding (or taking back) amounts. */
function charged(draft: Draft, amounts: ResourceAmounts, sign: 1 | -1): Draft {
  const quota = asLoose<V1ResourceQuota>(draft);
  const used = amountsOf(quota.status?.used as Record<string, string> | undefined);
  const next: Record<string, string> = {};
  for (const [name, amount] of used) next[name] = amount.text;
  for (const [name, amount] of amounts) {
    const known: Quantity | undefined = used.get(name);
    if (!known && sign < 0) continue;
    const total = known ? (sign > 0 ? addQuantity(known, amount) : subQuantity(known, amount)) : amount;
    next[name] = total.text;
  }
  quota.status = { ...quota.status, used: next };
  return draft;
}

/**
 * Keeps a namespace within its ResourceQuotas: each write that adds usage is charged to `status.used` before it is stored, and the charge is
 * taken back when the write fails (k8s.io/apiserver/pkg/admission/plugin/resourcequota).
 */
export function resourceQuota(context: ServerContext): AdmissionPlugin {
  /** What has been charged for a write under way, by its draft. */
  const charges = new WeakMap<Draft, readonly Charge[]>();
  /** Writes of one namespace are charged one after another, so that they do not race for the same quota. */
  const queues = new Map<string, Promise<unknown>>();

  const inTurn = async <T>(namespace: string, work: () => Promise<T>): Promise<T> => {
    const before = queues.get(namespace) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    queues.set(namespace, settled);
    try {
      return await mine;
    } finally {
      if (queues.get(namespace) === settled) queues.delete(namespace);
    }
  };
  const refund = async (list: readonly Charge[]): Promise<void> => {
    for (const { quota, namespace, amounts } of list) {
      await context.mutate(resourcequotas, namespace, quota, (draft) => charged(draft, amounts, -1));
    }
  };
  const charge = async (
    request: AdmissionRequest,
    quotas: readonly { readonly quota: Live<V1ResourceQuota>; readonly amounts: ResourceAmounts }[],
  ): Promise<void> => {
    const done: Charge[] = [];
    const namespace = request.namespace ?? '';
    try {
      for (const { quota, amounts } of quotas) {
        const { name } = quota.metadata;
        const check = (live: Live<V1ResourceQuota>): void => {
          const message = exceeded(live, amounts);
          if (message !== undefined) throw refuse(request, message);
        };
        if (request.dryRun) {
          check(quota);
          continue;
        }
        await context.mutate(resourcequotas, namespace, name, (draft, live) => {
          check(live);
          return charged(draft, amounts, 1);
        });
        done.push({ quota: name, namespace, amounts });
      }
    } catch (error) {
      await refund(done);
      throw error;
    }
    if (request.object && done.length > 0) charges.set(request.object, done);
  };

  return {
    name: 'ResourceQuota',
    validate(request) {
      const { namespace, object } = request;
      if (!namespace || !object || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
      const quotas = context.reader.list(resourcequotas, namespace);
      if (quotas.length === 0) return;
      const evaluator = evaluatorFor(request.resource);
      if (!evaluator.handles(request)) return;
      const isPod = request.resource.plural === 'pods' && request.resource.group === '';
      const concerned = quotas.flatMap((quota) => {
        const names = Object.keys(quota.status?.hard ?? {}).filter(evaluator.counts);
        return names.length > 0 && inScope(quota, object, isPod) ? [{ quota, names }] : [];
      });
      for (const { quota, names } of concerned) {
        const missing = evaluator.missing?.(names, object);
        if (missing !== undefined) throw refuse(request, `failed quota: ${quota.metadata.name}: ${missing}`);
        const unknown = names.filter((name) => quota.status?.used?.[name] === undefined).sort();
        if (unknown.length > 0) {
          throw refuse(request, `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.join(',')}`);
        }
      }
      const delta = deltaOf(request, evaluator.usage);
      const due = concerned
        .map(({ quota, names }) => ({
          quota,
          // What an object stops using is noticed by the quota controller; only growth is charged here.
          amounts: new Map([...pick(delta, names)].filter(([, amount]) => amount.nano > 0n)),
        }))
        .filter(({ amounts }) => amounts.size > 0);
      if (due.length === 0) return;
      return inTurn(namespace, () => charge(request, due));
    },
    async rollback(request) {
      const list = request.object && charges.get(request.object);
      if (!list || !request.object) return;
      charges.delete(request.object);
      await refund(list);
    },
  };
}
