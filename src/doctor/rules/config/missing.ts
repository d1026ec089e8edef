import { configmaps, secrets } from '../../../api/generated/resources.ts';
import { eventOf, fromAbsence, fromEvent, fromSpec, fromWaiting, listed } from '../../evidence.ts';
import type { Action, Claim, Evidence } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearest } from '../../text/nearest.ts';
import { capital, literally } from '../../text/pattern.ts';
import { type ConfigReference, configReferences, elsewhere, keysOf, namesOf } from './references.ts';

export interface MissingOptions {
  readonly kind: ConfigReference['kind'];
  readonly via: readonly ConfigReference['via'][];
  /** Only those that exist in another namespace, or only those that do not. */
  readonly elsewhere: boolean;
}

const resourceOf = (kind: ConfigReference['kind']) => (kind === 'Secret' ? secrets : configmaps);

/** Whether what the cluster says of the pod fits a reference that cannot be resolved; planned pods always do. */
export function symptomOf(
  snapshot: Snapshot,
  pod: PodFacts,
  it: ConfigReference,
  message: RegExp,
): readonly Evidence[] | undefined {
  if (pod.planned) return [];
  if (it.container !== undefined) {
    const container = pod.containers.find((c) => c.name === it.container);
    // It ran once: what it needs was there then, and the kubelet would say so if it were not now.
    if (!container || container.running || (container.lastEnd && !container.waiting)) return undefined;
    const { reason, message: says = '' } = container.waiting ?? {};
    if (reason === 'CreateContainerConfigError') return message.test(says) ? [fromWaiting(pod, container)] : [];
    return container.lastEnd ? undefined : [];
  }
  if (!isCreating(pod)) return undefined;
  const event = eventOf(snapshot, pod, ['FailedMount'], message);
  return event ? [fromEvent(event)] : [];
}

/** Bound to a node, and nothing has started: what volumes that cannot be mounted look like. */
export function isCreating(pod: PodFacts): boolean {
  if (pod.pod.status?.phase !== 'Pending' || !pod.spec.nodeName) return false;
  return pod.containers.every((it) => !it.running && !it.lastEnd);
}

/** Claims for every reference to an object that does not exist. */
export function* missingObjects(snapshot: Snapshot, options: MissingOptions): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    for (const it of configReferences(pod)) {
      if (it.kind !== options.kind || !options.via.includes(it.via) || it.optional) continue;
      const quoted = literally(it.name);
      const message = new RegExp(`${it.kind.toLowerCase()} "?(?:[\\w.-]+/)?${quoted}"? not found`);
      const symptom = symptomOf(snapshot, pod, it, message);
      if (!symptom) continue;
      const absent = snapshot.lacks(resourceOf(it.kind), it.name, pod.namespace);
      const told = symptom.some((e) => message.test(e.text));
      // It is there now: history, the kubelet tries again by itself. Not to be seen: only what the kubelet says counts.
      if (!absent && (!told || snapshot.sees(resourceOf(it.kind), pod.namespace))) continue;
      const others = elsewhere(snapshot, pod.namespace, it);
      if (others.length > 0 !== options.elsewhere) continue;
      yield claimFor(snapshot, pod, it, { symptom: symptom.filter((e) => message.test(e.text)), absent, others });
    }
  }
}

interface Seen {
  readonly symptom: readonly Evidence[];
  readonly absent: boolean;
  readonly others: readonly string[];
}

function claimFor(snapshot: Snapshot, pod: PodFacts, it: ConfigReference, seen: Seen): Claim {
  const names = namesOf(snapshot, pod.namespace, it.kind);
  const alike = nearest(it.name, names);
  const wanted = { kind: it.kind, namespace: pod.namespace, name: it.name };
  const place = it.container ? `container ${it.container}` : `volume ${it.volume}`;
  const [guess] = alike;
  const rename =
    guess && seen.others.length === 0
      ? editPodSpec(snapshot, pod, [{ path: it.path, value: guess, was: it.name }], it.container)
      : undefined;
  const hint = seen.others.length
    ? `; it exists in namespace ${seen.others.join(', ')}, but references never cross namespaces`
    : guess
      ? ` (did you mean ${alike.join(' or ')}?)`
      : '';
  return {
    subject: pod.ref,
    ...(it.container && { container: it.container }),
    says: `${capital(place)} needs ${it.kind} ${pod.namespace}/${it.name}, which does not exist${hint}.`,
    evidence: [
      ...seen.symptom,
      ...(seen.absent ? [fromAbsence(wanted, listed(names))] : []),
      fromSpec(pod.ref, `${it.path.at(-1)}: ${it.name}`, `spec.${specPath(pod, it)}`),
    ],
    cause: `${pod.namespace}/${it.name}`,
    field: fieldOf(pod, specPath(pod, it)),
    certainty: 'certain',
    remedy: remedyFor(pod, it, seen, rename, guess),
  };
}

/** The place below the pod spec, as people write it: `containers[0].envFrom[0].configMapRef.name`. */
export function specPath(pod: PodFacts, it: ConfigReference, path: readonly (string | number)[] = it.path): string {
  const below = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  const container = pod.containers.find((c: ContainerFacts) => c.name === it.container);
  return container ? `${container.path}${below}` : below.slice(1);
}

function remedyFor(
  pod: PodFacts,
  it: ConfigReference,
  seen: Seen,
  rename: Action | undefined,
  guess: string | undefined,
): Claim['remedy'] {
  const flag = `-n ${pod.namespace}`;
  const verify = watchCommand(pod);
  const kind = it.kind.toLowerCase();
  const [other] = seen.others;
  if (other !== undefined)
    return {
      says: `Copy the ${it.kind} into namespace ${pod.namespace}.`,
      commands: [
        `kubectl get ${kind} ${it.name} -n ${other} -o yaml | sed '/^  \\(namespace\\|uid\\|resourceVersion\\|creationTimestamp\\):/d' | kubectl apply ${flag} -f -`,
      ],
      verify,
    };
  if (rename && guess) return { says: `Refer to ${guess}.`, commands: [commandOf(rename)], actions: [rename], verify };
  const literals = (it.keys.length > 0 ? it.keys.map((key) => key.name) : ['KEY'])
    .map((key) => ` --from-literal=${key}=VALUE`)
    .join('');
  return {
    says: `Create the ${it.kind}, or mark the reference optional: true.`,
    commands: [`kubectl create ${kind}${it.kind === 'Secret' ? ' generic' : ''} ${it.name} ${flag}${literals}`],
    verify,
  };
}

/** Claims for every key that an existing object does not have. */
export function* missingKeys(
  snapshot: Snapshot,
  options: { readonly kind?: ConfigReference['kind']; readonly via: readonly ConfigReference['via'][] },
): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    for (const it of configReferences(pod)) {
      if ((options.kind && it.kind !== options.kind) || !options.via.includes(it.via) || it.optional) continue;
      const keys = keysOf(snapshot, pod.namespace, it);
      for (const key of it.keys) {
        if (keys?.includes(key.name)) continue;
        const message =
          it.container !== undefined
            ? new RegExp(`couldn't find key ${literally(key.name)} in ${it.kind} [\\w.-]+/${literally(it.name)}$`)
            : new RegExp(`references non-existent (?:config|secret) key: ${literally(key.name)}`);
        const symptom = symptomOf(snapshot, pod, it, message);
        const told = symptom?.filter((e) => message.test(e.text)) ?? [];
        if (!symptom || (keys === undefined && told.length === 0)) continue;
        // The object is missing as a whole, which another rule says.
        if (keys === undefined && snapshot.sees(resourceOf(it.kind), pod.namespace)) continue;
        yield keyClaim(snapshot, pod, it, key, told, keys);
      }
    }
  }
}

function keyClaim(
  snapshot: Snapshot,
  pod: PodFacts,
  it: ConfigReference,
  key: ConfigReference['keys'][number],
  told: readonly Evidence[],
  keys: readonly string[] | undefined,
): Claim {
  const alike = nearest(key.name, keys ?? []);
  const [guess] = alike;
  const rename = guess
    ? editPodSpec(snapshot, pod, [{ path: key.path, value: guess, was: key.name }], it.container)
    : undefined;
  const object = { kind: it.kind, namespace: pod.namespace, name: it.name };
  const place = it.container ? `container ${it.container}` : `volume ${it.volume}`;
  const path = specPath(pod, it, key.path);
  return {
    subject: pod.ref,
    ...(it.container && { container: it.container }),
    says: `${capital(place)} asks ${it.kind} ${pod.namespace}/${it.name} for the key ${key.name}, which it does not have${guess ? ` (did you mean ${alike.join(' or ')}?)` : ''}.`,
    evidence: [
      ...told,
      ...(keys
        ? [
            {
              text: `keys of ${it.kind} ${it.name}: ${listed(keys, 12)}`,
              source: { kind: 'computed' as const, object },
            },
          ]
        : []),
      fromSpec(pod.ref, `key: ${key.name}`, `spec.${path}`),
    ],
    cause: `${pod.namespace}/${it.name}/${key.name}`,
    field: fieldOf(pod, path),
    remedy:
      rename && guess
        ? { says: `Ask for ${guess}.`, commands: [commandOf(rename)], actions: [rename], verify: watchCommand(pod) }
        : {
            says: `Add the key to the ${it.kind}, or mark the reference optional: true.`,
            commands: [
              it.kind === 'ConfigMap'
                ? `kubectl patch configmap ${it.name} -n ${pod.namespace} --type=merge -p '{"data":{"${key.name}":"VALUE"}}'`
                : `kubectl patch secret ${it.name} -n ${pod.namespace} --type=merge -p '{"stringData":{"${key.name}":"VALUE"}}'`,
            ],
            verify: watchCommand(pod),
          },
  };
}
