import { type FieldError, forbiddenField, invalid, required } from '../../api/field-error.ts';
import type {
  V1Container,
  V1ContainerStatus,
  V1Pod,
  V1PodSpec,
  V1ResourceRequirements,
  V1Toleration,
} from '../../api/generated/types.ts';
import { dns1123Subdomain, inclusiveRangeReason } from '../../api/names.ts';
import { invalids, ipReasons } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { jsonDiff } from '../json-diff.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { isSidecar, podQosClass } from './pod-resources.ts';
import { mirrorAnnotation, validatePod, validatePodAnnotations, validateTolerations } from './pod-validation.ts';

type Pod = Loose<V1Pod>;
type Spec = Loose<V1PodSpec>;
const maxInt32 = 2 ** 31 - 1;

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

function validateAnnotationUpdate(next: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const after = next.metadata?.annotations?.[mirrorAnnotation];
  const before = old.metadata?.annotations?.[mirrorAnnotation];
  const at = `metadata.annotations[${mirrorAnnotation}]`;
  if (before !== undefined && after !== before) {
    errors.push(forbiddenField(at, 'may not remove or update mirror pod annotation'));
  } else if (before === undefined && after !== undefined) {
    errors.push(forbiddenField(at, 'may not add mirror pod annotation'));
  }
  return errors;
}

function validateImages(
  next: readonly Loose<V1Container>[],
  old: readonly Loose<V1Container>[],
  path: string,
): { readonly errors: FieldError[]; readonly stop: boolean } {
  if (next.length !== old.length) {
    return { errors: [forbiddenField(path, 'pod updates may not add or remove containers')], stop: true };
  }
  const errors: FieldError[] = [];
  next.forEach(({ image = '' }, i) => {
    if (image === '') errors.push(required(`${path}[${i}].image`));
    if (image.trim() !== image) {
      errors.push(invalid(`${path}[${i}].image`, image, 'must not have leading or trailing whitespace'));
    }
  });
  return { errors, stop: false };
}

const withoutSeconds = ({ tolerationSeconds: _seconds, ...rest }: Loose<V1Toleration>): object => rest;

function validateTolerationUpdate(next: Spec, old: Spec): FieldError[] {
  const tolerations = next.tolerations ?? [];
  const kept = (old.tolerations ?? []).every((before) =>
    tolerations.some((after) => semanticEqual(withoutSeconds(after), withoutSeconds(before))),
  );
  if (!kept) {
    return [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
  }
  return validateTolerations(tolerations, 'spec.tolerations');
}

function validateGateUpdate(next: Spec, old: Spec): FieldError[] {
  const known = new Set(old.schedulingGates?.map((it) => it.name));
  return (next.schedulingGates ?? []).flatMap(({ name = '' }, i) =>
    known.has(name)
      ? []
      : [
          forbiddenField(
            `spec.schedulingGates[${i}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

const startsWith = (list: readonly unknown[] = [], head: readonly unknown[] = []): boolean =>
  list.length >= head.length && semanticEqual(list.slice(0, head.length), head);

/** A gated pod may have its node constraints tightened; returns the errors. */
function validateTightening(next: Spec, old: Spec): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in old.nodeSelector) {
    if (next.nodeSelector?.[key] !== old.nodeSelector[key]) {
      const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(invalid('spec.nodeSelector', next.nodeSelector ?? null, detail));
      break;
    }
  }
  const termsOf = (spec: Spec) =>
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const before = termsOf(old);
  const after = termsOf(next);
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  if (before.length === 0) return errors;
  if (before.length !== after.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    return [...errors, invalid(path, after, detail)];
  }
  before.forEach((term, i) => {
    const { matchExpressions = [], matchFields = [] } = term;
    const now = after[i] ?? {};
    const wasEmpty = matchExpressions.length === 0 && matchFields.length === 0;
    const grew = (now.matchExpressions?.length ?? 0) > 0 || (now.matchFields?.length ?? 0) > 0;
    const kept = startsWith(now.matchExpressions, matchExpressions) && startsWith(now.matchFields, matchFields);
    if ((wasEmpty && grew) || !kept) {
      errors.push(invalid(`${path}[${i}]`, now, 'only additions are allowed (no mutations or deletions)'));
    }
  });
  return errors;
}

const withImages = (list: readonly Loose<V1Container>[] = [], from: readonly Loose<V1Container>[] = []) =>
  list.map((it, i) => {
    const { image: _image, ...rest } = it;
    const image = from[i]?.image;
    return image === undefined ? rest : { ...rest, image };
  });

/** What a user may change of a pod (ValidatePodUpdate), metadata's general rules apart. */
export function validatePodUpdate(next: Pod, old: Pod): FieldError[] {
  const errors = [...validatePod(next), ...validateAnnotationUpdate(next, old)];
  const after = next.spec ?? {};
  const before = old.spec ?? {};
  for (const list of ['containers', 'initContainers'] as const) {
    const checked = validateImages(after[list] ?? [], before[list] ?? [], `spec.${list}`);
    errors.push(...checked.errors);
    if (checked.stop) return errors;
  }
  const deadline = after.activeDeadlineSeconds;
  const oldDeadline = before.activeDeadlineSeconds;
  if (deadline !== undefined) {
    const at = 'spec.activeDeadlineSeconds';
    if (deadline < 0 || deadline > maxInt32) {
      return [...errors, invalid(at, deadline, inclusiveRangeReason(0, maxInt32))];
    }
    if (oldDeadline !== undefined && oldDeadline < deadline) {
      return [...errors, invalid(at, deadline, 'must be less than or equal to previous value')];
    }
  } else if (oldDeadline !== undefined) {
    const detail = 'must not update from a positive integer to nil value';
    errors.push(invalid('spec.activeDeadlineSeconds', null, detail));
  }
  errors.push(...validateTolerationUpdate(after, before), ...validateGateUpdate(after, before));
  if (semanticEqual(after, before)) return errors;
  const fixed: Record<string, unknown> = {
    ...after,
    containers: withImages(after.containers, before.containers),
    initContainers: withImages(after.initContainers, before.initContainers),
    activeDeadlineSeconds: oldDeadline,
    schedulingGates: before.schedulingGates,
    tolerations: before.tolerations,
  };
  if ((before.terminationGracePeriodSeconds ?? 0) < 0 && after.terminationGracePeriodSeconds === 1) {
    fixed['terminationGracePeriodSeconds'] = before.terminationGracePeriodSeconds;
  }
  if ((before.schedulingGates?.length ?? 0) > 0) {
    errors.push(...validateTightening(after, before));
    fixed['nodeSelector'] = before.nodeSelector;
    const { nodeAffinity: _now, ...others } = after.affinity ?? {};
    const nodeAffinity = before.affinity?.nodeAffinity;
    const affinity = { ...others, ...(nodeAffinity && { nodeAffinity }) };
    fixed['affinity'] = Object.keys(affinity).length > 0 || before.affinity ? affinity : undefined;
  }
  if (!semanticEqual(fixed, before)) {
    errors.push(
      forbiddenField('spec', `pod updates may not change fields other than ${updatable}\n${jsonDiff(before, fixed)}`),
    );
  }
  return errors;
}

/** Whether the rules of the container, else of the pod, start it again after this exit code. */
function mayRestart(
  container: Loose<V1Container> | undefined,
  podPolicy: string | undefined,
  exitCode: number,
): boolean {
  if (!container) return false;
  for (const { exitCodes } of container.restartPolicyRules ?? []) {
    const within = exitCodes?.values?.includes(exitCode) ?? false;
    if (exitCodes?.operator === 'In' ? within : exitCodes?.operator === 'NotIn' && !within) return true;
  }
  const policy = container.restartPolicy ?? podPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function validateTransitions(
  next: readonly Loose<V1ContainerStatus>[] = [],
  old: readonly Loose<V1ContainerStatus>[] = [],
  containers: readonly Loose<V1Container>[] = [],
  podPolicy: string | undefined,
  path: string,
): FieldError[] {
  return old.flatMap((before, i) => {
    const ended = before.state?.terminated;
    if (!ended) return [];
    const after = next.find((it) => it.name === before.name);
    if (!after || after.state?.terminated) return [];
    const container = containers.find((it) => it.name === before.name);
    return mayRestart(container, podPolicy, ended.exitCode ?? 0)
      ? []
      : [forbiddenField(`${path}[${i}].state`, 'may not be transitioned to non-terminated state')];
  });
}

/** What may be written to a pod's status (ValidatePodStatusUpdate). */
export function validatePodStatusUpdate(next: Pod, old: Pod): FieldError[] {
  const errors = [
    ...validateAnnotationUpdate(next, old),
    ...validatePodAnnotations(next.metadata?.annotations, next.spec ?? {}, 'metadata.annotations'),
  ];
  const { status = {}, spec = {} } = next;
  const before = old.status ?? {};
  const nominated = status.nominatedNodeName ?? '';
  if (nominated !== '' && nominated !== before.nominatedNodeName) {
    errors.push(...invalids('status.nominatedNodeName', nominated, dns1123Subdomain(nominated)));
    if (old.spec?.nodeName) {
      const detail = 'may not be set on pods that are already bound to a node';
      errors.push(forbiddenField('status.nominatedNodeName', detail));
    }
  }
  if ((status.observedGeneration ?? 0) < 0) {
    errors.push(invalid('status.observedGeneration', status.observedGeneration, 'must be a non-negative integer'));
  }
  errors.push(...immutable(status.qosClass, before.qosClass, 'status.qosClass'));
  // When some rule starts the whole pod anew, every container may leave its end.
  const restartsAll = [...(old.spec?.containers ?? []), ...(old.spec?.initContainers ?? [])].some((it) =>
    it.restartPolicyRules?.some((rule) => rule.action === 'RestartAllContainers'),
  );
  const policy = old.spec?.restartPolicy;
  if (!restartsAll) {
    errors.push(
      ...validateTransitions(
        status.containerStatuses,
        before.containerStatuses,
        old.spec?.containers,
        policy,
        'status.containerStatuses',
      ),
      ...validateTransitions(
        status.initContainerStatuses,
        before.initContainerStatuses,
        old.spec?.initContainers,
        policy,
        'status.initContainerStatuses',
      ),
    );
  }
  const ips = status.podIPs ?? [];
  ips.forEach(({ ip = '' }, i) => {
    errors.push(...invalids(`status.podIPs[${i}]`, ip, ipReasons(ip)));
  });
  if (
    ips.length > 1 &&
    !(ips.length === 2 && ips.some((it) => it.ip?.includes(':')) && ips.some((it) => it.ip?.includes('.')))
  ) {
    const detail = 'may specify no more than one IP for each IP family';
    errors.push(
      invalid(
        'status.podIPs',
        ips.map((it) => it.ip),
        detail,
      ),
    );
  }
  if (spec.nodeName !== old.spec?.nodeName) {
    errors.push(forbiddenField('status.nodeName', 'may not be changed directly'));
  }
  return errors;
}

/** What may be written to `ephemeralcontainers` (ValidatePodEphemeralContainersUpdate). */
export function validateEphemeralUpdate(next: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    return [forbiddenField('', 'static pods do not support ephemeral containers')];
  }
  const errors = validatePod(next);
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const after = next.spec?.ephemeralContainers?.find((it) => it.name === before.name);
    const subject = `existing ephemeral containers ${JSON.stringify(before.name)} may not be`;
    if (!after) errors.push(forbiddenField('spec.ephemeralContainers', `${subject} removed\n`));
    else if (!semanticEqual(before, after)) {
      errors.push(forbiddenField('spec.ephemeralContainers', `${subject} changed\n${jsonDiff(before, after)}`));
    }
  }
  return errors;
}

function withComputeOf(container: Loose<V1Container>, old: Loose<V1Container> | undefined): object {
  const resources: Record<string, unknown> = { ...container.resources };
  for (const list of ['requests', 'limits'] as const) {
    const amounts: Record<string, string | undefined> = { ...container.resources?.[list] };
    const before = old?.resources?.[list] ?? {};
    for (const name of ['cpu', 'memory']) {
      if (before[name] === undefined) delete amounts[name];
      else amounts[name] = before[name];
    }
    if (Object.keys(amounts).length > 0 || old?.resources?.[list]) resources[list] = amounts;
    else delete resources[list];
  }
  const { resizePolicy: _policy, ...rest } = container;
  return { ...rest, ...(old?.resizePolicy && { resizePolicy: old.resizePolicy }), resources };
}

function validateRemoval(
  next: Loose<V1ResourceRequirements> | undefined,
  old: Loose<V1ResourceRequirements> | undefined,
  path: string,
): FieldError[] {
  const removed = (list: 'requests' | 'limits'): boolean =>
    Object.keys(old?.[list] ?? {}).some((name) => next?.[list]?.[name] === undefined);
  return [
    ...(removed('requests') ? [forbiddenField(`${path}.requests`, 'resource requests cannot be removed')] : []),
    ...(removed('limits') ? [forbiddenField(`${path}.limits`, 'resource limits cannot be removed')] : []),
  ];
}

/** What may be written to `resize` (ValidatePodResize). */
export function validateResize(next: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    return [forbiddenField('', 'static pods cannot be resized')];
  }
  if (old.spec?.os?.name === 'windows') return [forbiddenField('', 'windows pods cannot be resized')];
  const errors = validatePod(next);
  if ((old.status?.qosClass ?? podQosClass(old)) !== podQosClass(next)) {
    const detail = 'Pod QOS Class may not change as a result of resizing';
    errors.push(invalid('spec', next.status?.qosClass ?? '', detail));
  }
  const running = old.status?.containerStatuses?.find((it) => it.state?.running);
  if (running && !running.resources) {
    errors.push(forbiddenField('spec', 'Pod running on node without support for resize'));
  }
  for (const list of ['containers', 'initContainers'] as const) {
    const after = next.spec?.[list] ?? [];
    const before = old.spec?.[list] ?? [];
    const path = `spec.${list}`;
    if (after.length !== before.length) {
      return [...errors, forbiddenField(path, `${list} may not be added or removed on resize`)];
    }
    const moved = before.findIndex((it, i) => it.name !== after[i]?.name);
    if (moved >= 0) {
      return [...errors, forbiddenField(`${path}[${moved}].name`, `${list} may not be renamed or reordered on resize`)];
    }
    before.forEach((container, i) => {
      const now = after[i] ?? {};
      if (list === 'initContainers' && !isSidecar(container)) {
        if (!semanticEqual(now, container)) {
          errors.push(forbiddenField('spec', 'resources for non-sidecar init containers are immutable'));
        }
        return;
      }
      errors.push(...validateRemoval(now.resources, container.resources, `${path}[${i}].resources`));
      if (!semanticEqual(withComputeOf(now, container), withComputeOf(container, container))) {
        errors.push(
          list === 'containers'
            ? forbiddenField('spec', 'only cpu and memory resources are mutable')
            : forbiddenField(
                `${path}[${i}]`,
                'only cpu and memory resources for init or sidecar containers are mutable',
              ),
        );
      }
    });
  }
  return errors;
}
