import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearest } from '../../text/nearest.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';

interface Loose {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Defined, but only after its use. */
  readonly later: boolean;
}

const uses = (text: string): readonly string[] =>
  [...text.matchAll(/(\$?)\$\(([A-Za-z_][\w.-]*)\)/g)].filter((it) => it[1] === '').map((it) => it[2] ?? '');

/** `$(NAME)` that Kubernetes will leave as it stands, since no variable of that name is set before it. Shell scripts mean something else by it. */
export function looseVariables({ spec }: ContainerFacts): readonly Loose[] {
  const own = spec.env?.map((it) => it.name) ?? [];
  // What envFrom brings is not known from the pod alone.
  if (spec.envFrom && spec.envFrom.length > 0) return [];
  const found: Loose[] = [];
  spec.env?.forEach((it, i) => {
    for (const name of uses(it.value ?? ''))
      if (!own.slice(0, i).includes(name))
        found.push({ name, path: `env[${i}].value`, text: it.value ?? '', later: own.includes(name) });
  });
  const words = [...(spec.command ?? []), ...(spec.args ?? [])];
  const shell = /(?:^|\/)(?:ba|da|a|z)?sh$/.test(spec.command?.[0] ?? '');
  if (shell) return found;
  words.forEach((text, i) => {
    const inArgs = i >= (spec.command?.length ?? 0);
    const path = inArgs ? `args[${i - (spec.command?.length ?? 0)}]` : `command[${i}]`;
    for (const name of uses(text)) if (!own.includes(name)) found.push({ name, path, text, later: false });
  });
  return found;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (!pod.planned && !container.lastEnd) continue;
      const [it] = looseVariables(container);
      if (it) yield claimFor(pod, container, it);
    }
}

function claimFor(pod: PodFacts, container: ContainerFacts, it: Loose): Claim {
  const [guess] = nearest(it.name, container.spec.env?.map((e) => e.name) ?? []);
  return {
    subject: pod.ref,
    container: container.name,
    says: `Container ${container.name} gets the literal text $(${it.name}): ${it.later ? 'that variable is defined only after its use' : `no variable of that name is set${guess ? ` (did you mean ${guess}?)` : ''}`}.`,
    evidence: [fromSpec(pod.ref, it.text, `spec.${container.path}.${it.path}`)],
    certainty: 'likely',
    field: containerField(pod, container, it.path),
    remedy: {
      says: it.later
        ? 'Define the variable earlier in the list.'
        : 'Define the variable under env, or write $$(NAME) where the text is meant literally.',
      commands: [
        `kubectl edit ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace}   # ${container.path}.${it.path}`,
      ],
      verify: watchCommand(pod),
    },
  };
}

const container = 'args: ["--listen=$(PORT)"]\nenv: [{name: PROT, value: "8080"}]';

export const variableNotExpanded: Rule = {
  id: 'variable-not-expanded',
  title: 'A $(VARIABLE) that stays as it is',
  phase: 'config',
  codes: ['CFG-17'],
  symptoms: ['the literal text $(NAME) in arguments or logs'],
  severity: 'warning',
  lint: 'manifest',
  rank: 62,
  meaning:
    'In `command`, `args` and `env`, Kubernetes replaces `$(NAME)` by a variable of the same container, if that is defined (in `env`: further up). Otherwise the text stays as it is.',
  tell: 'The name is not among the container’s `env`, or comes later. In shell scripts (`sh -c`) the same letters mean a command, which this rule leaves alone.',
  fix: 'Define the variable before its use.',
  sick: [
    { when: 'the program crashes on it', yaml: crashingPod({ exit: 1, container }), says: 'did you mean PROT' },
    {
      when: 'it stands in a manifest',
      stage: 'manifests',
      yaml: deploymentManifest({ container: 'env: [{name: URL, value: "http://$(HOST)"}, {name: HOST, value: a}]' }),
      says: 'only after its use',
    },
  ],
  healthy: [
    {
      when: 'the variable is defined',
      yaml: deploymentManifest({ container: 'args: ["--listen=$(PORT)"]\nenv: [{name: PORT, value: "8080"}]' }),
      stage: 'manifests',
    },
    {
      when: 'a shell means a command by it',
      yaml: deploymentManifest({ container: 'command: [sh, -c, "echo $(date)"]' }),
      stage: 'manifests',
    },
    { when: 'the program runs', yaml: healthyPod({ container }) },
  ],
  check,
};
