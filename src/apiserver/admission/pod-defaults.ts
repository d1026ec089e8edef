import { priorityclasses, runtimeclasses } from '../../api/generated/resources.ts';
import type { V1Node, V1Pod, V1PriorityClass, V1RuntimeClass, V1Toleration } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import type { Loose } from '../../kinds/draft.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { quote } from '../authz/quote.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';
import { draftOf, isFor, refuse } from './request.ts';

/** New nodes start with the not-ready taint, until the node controller sees them ready (plugin/pkg/admission/nodetaint). */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  resources: ['nodes'],
  admit(request) {
    if (request.operation !== 'CREATE' || !isFor(request, '', 'nodes')) return;
    const node = draftOf<V1Node>(request);
    const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    node.spec ??= {};
    if (node.spec.taints?.some((known) => known.key === taint.key && known.effect === taint.effect)) return;
    node.spec.taints = [...(node.spec.taints ?? []), taint];
  },
};

/** The default class with the lowest value, where several claim to be it. */
function defaultClass(context: ServerContext): Live<V1PriorityClass> | undefined {
  return context.reader
    .list(priorityclasses)
    .filter((known) => known.globalDefault)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

/** Turns a pod's priority class into its priority (plugin/pkg/admission/priority). */
export function priority(context: ServerContext): AdmissionPlugin {
  const createPod = (request: AdmissionRequest): void => {
    const pod = draftOf<V1Pod>(request);
    pod.spec ??= {};
    const asked = pod.spec.priorityClassName;
    const known = asked ? context.reader.get(priorityclasses, undefined, asked) : defaultClass(context);
    if (asked && !known) throw refuse(request, `no PriorityClass with name ${asked} was found`);
    const value = known?.value ?? 0;
    const policy = known ? known.preemptionPolicy : 'PreemptLowerPriority';
    if (known && !asked) pod.spec.priorityClassName = known.metadata.name;
    if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
      throw refuse(
        request,
        `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    pod.spec.priority = value;
    if (policy === undefined) return;
    if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy) {
      throw refuse(
        request,
        `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    }
    pod.spec.preemptionPolicy = policy;
  };
  return {
    name: 'Priority',
    resources: ['pods', 'priorityclasses.scheduling.k8s.io'],
    admit(request) {
      if (!isFor(request, '', 'pods')) return;
      if (request.operation === 'CREATE') return createPod(request);
      if (request.operation !== 'UPDATE') return;
      const pod = draftOf<V1Pod>(request);
      const old: Live<V1Pod> | undefined = request.old;
      if (!pod.spec) return;
      if (pod.spec.priority === undefined && old?.spec?.priority !== undefined) pod.spec.priority = old.spec.priority;
      if (pod.spec.preemptionPolicy === undefined && old?.spec?.preemptionPolicy !== undefined) {
        pod.spec.preemptionPolicy = old.spec.preemptionPolicy;
      }
    },
    validate(request) {
      if (!isFor(request, 'scheduling.k8s.io', 'priorityclasses') || !request.object) return;
      const wanted = draftOf<V1PriorityClass>(request);
      if (!wanted.globalDefault) return;
      const present = defaultClass(context);
      if (present && (request.operation === 'CREATE' || present.metadata.name !== wanted.metadata?.name)) {
        throw refuse(
          request,
          `PriorityClass ${present.metadata.name} is already marked as default. Only one default can exist`,
        );
      }
    },
  };
}

const tolerates = (toleration: Loose<V1Toleration>, key: string): boolean =>
  (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect);

/** Pods stay 300 seconds on a node that fails (plugin/pkg/admission/defaulttolerationseconds). */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  resources: ['pods'],
  admit(request) {
    if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
    if (!isFor(request, '', 'pods') || !request.object) return;
    const { spec } = draftOf<V1Pod>(request);
    if (!spec) return;
    for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
      if (spec.tolerations?.some((toleration) => tolerates(toleration, key))) continue;
      spec.tolerations = [
        ...(spec.tolerations ?? []),
        { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ];
    }
  },
};

/** Overhead and scheduling of a pod's RuntimeClass (plugin/pkg/admission/runtimeclass). */
export function runtimeClass(context: ServerContext): AdmissionPlugin {
  const classOf = (request: AdmissionRequest): Live<V1RuntimeClass> | undefined => {
    const name = draftOf<V1Pod>(request).spec?.runtimeClassName;
    if (name === undefined) return undefined;
    const found = context.reader.get(runtimeclasses, undefined, name);
    if (!found) throw refuse(request, `pod rejected: RuntimeClass ${quote(name)} not found`);
    return found;
  };
  const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
  return {
    name: 'RuntimeClass',
    resources: ['pods'],
    admit(request) {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'pods')) return;
      const found = classOf(request);
      const { spec } = draftOf<V1Pod>(request);
      if (!found || !spec) return;
      if (found.overhead) {
        const given = spec.overhead ?? {};
        if (Object.keys(given).length > 0 && !semanticEqual(given, found.overhead.podFixed)) {
          throw refuse(request, mismatch);
        }
        spec.overhead = { ...found.overhead.podFixed };
      }
      if (!found.scheduling) return;
      const selector: Record<string, string | undefined> = { ...spec.nodeSelector };
      for (const [key, value] of Object.entries(found.scheduling.nodeSelector ?? {})) {
        const own = selector[key];
        if (own !== undefined && own !== value) {
          throw refuse(
            request,
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
          );
        }
        selector[key] = value;
      }
      if (Object.keys(selector).length > 0) spec.nodeSelector = selector;
      const more = (found.scheduling.tolerations ?? []).filter(
        (toleration) => !spec.tolerations?.some((known) => semanticEqual(known, toleration)),
      );
      if (more.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...structuredClone(more)];
    },
    validate(request) {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'pods')) return;
      const found = classOf(request);
      const overhead = draftOf<V1Pod>(request).spec?.overhead;
      if (found?.overhead) {
        if (!semanticEqual(overhead ?? {}, found.overhead.podFixed ?? {})) throw refuse(request, mismatch);
      } else if (overhead !== undefined) {
        throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      }
    },
  };
}
