import { configmaps } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import { commandOf, containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import { nearest } from '../../text/nearest.ts';
import { deploymentManifest } from '../example-pods.ts';
import { logRule, workloadArguments } from './log-rule.ts';

/** Where a variable of that name could be taken from: a key of a ConfigMap or Secret of the namespace. */
const pattern =
  /(?:environment variable|env(?:ironment)? var(?:iable)?s?)\s*[:=]?\s*["'`$]*([A-Za-z_][A-Za-z0-9_]*)["'`]*,?\s+(?:is|was|are|must|not|undefined|unset|required|missing|has)|KeyError: '([A-Z_][A-Z0-9_]*)'|(?:required|missing|undefined|unset) (?:required )?(?:environment )?(?:variable|env(?:ironment)? ?(?:var(?:iable)?)?)s?\s*[:=]?\s*["'`$]*([A-Za-z_][A-Za-z0-9_]*)|\b([A-Z][A-Z0-9_]{2,}) (?:is not (?:set|defined)|must be set|is required|environment variable (?:is )?(?:not set|missing|required))|([A-Z][A-Z0-9_]{2,}): (?:unbound variable|parameter (?:not set|null or not set))/;

export const envVariableMissing = logRule({
  id: 'env-variable-missing',
  title: 'An environment variable that the program needs is not set',
  codes: ['RUN-08'],
  symptoms: ['CrashLoopBackOff', "KeyError: 'X'", 'environment variable X is not set'],
  rank: 74,
  pattern,
  meaning: 'The program says that it misses a variable, and the container does not define it.',
  tell: 'The name in the program’s words is not among the container’s `env`. ConfigMaps and Secrets of the namespace that hold a key of that name are named.',
  fix: 'Set the variable.',
  logs: [
    {
      when: 'the program names the variable',
      log: 'Error: environment variable DATABASE_URL is not set\n',
      says: 'DATABASE_URL',
    },
    {
      when: 'Python misses it',
      log: "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    url = os.environ['API_URL']\nKeyError: 'API_URL'\n",
      says: 'API_URL',
    },
    { when: 'a shell script misses it', log: '/entrypoint.sh: line 4: DB_HOST: unbound variable\n', says: 'DB_HOST' },
  ],
  fault: {
    manifest: `${deploymentManifest({ container: `command: [sh, -c, 'test -n "$DATABASE_URL" || { echo "Error: environment variable DATABASE_URL is not set"; exit 1; }; sleep 3600']` })}---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-config}
data: {DATABASE_URL: "postgres://db/shop"}
`,
    runtimes: ['sim', 'containerd'],
    fixable: true,
    patienceSeconds: 10,
  },
  claim(it, snapshot) {
    const { pod, container } = it;
    const name = it.match.slice(1).find((text) => text !== undefined) ?? '';
    if (container.spec.env?.some((env) => env.name === name)) return undefined;
    const holders = [
      ...snapshot
        .in(configmaps, pod.namespace)
        .filter((map) => name in (map.data ?? {}))
        .map((map) => ({ kind: 'configMapKeyRef', object: map.metadata?.name ?? '' })),
      ...snapshot
        .secrets(pod.namespace)
        .filter((s) => s.keys.some((key) => key.name === name))
        .map((s) => ({ kind: 'secretKeyRef', object: s.metadata.name ?? '' })),
    ];
    const [holder] = holders;
    const alike = nearest(name, container.spec.env?.map((env) => env.name) ?? [], 1);
    const change =
      holder && holders.length === 1
        ? editPodSpec(
            snapshot,
            pod,
            [
              container.spec.env
                ? {
                    path: ['env', '-'],
                    value: { name, valueFrom: { [holder.kind]: { name: holder.object, key: name } } },
                  }
                : {
                    path: ['env'],
                    value: [{ name, valueFrom: { [holder.kind]: { name: holder.object, key: name } } }],
                  },
            ],
            container.name,
          )
        : undefined;
    const hint = holder
      ? `; ${holder.kind === 'secretKeyRef' ? 'Secret' : 'ConfigMap'} ${holder.object} holds a key of that name, but the container does not refer to it`
      : alike[0]
        ? ` (it has ${alike[0]}: a slip?)`
        : '';
    return {
      says: `Container ${container.name} needs the environment variable ${name}, which is not set${hint}.`,
      evidence: [
        ...it.evidence,
        computed(
          pod.ref,
          `variables of the container: ${container.spec.env?.map((env) => env.name).join(', ') || 'none'}${container.spec.envFrom ? `, and all of ${container.spec.envFrom.map((from) => from.configMapRef?.name ?? from.secretRef?.name).join(', ')}` : ''}`,
        ),
      ],
      field: containerField(pod, container, 'env'),
      remedy: {
        says: holder ? `Take it from ${holder.object}.` : 'Set the variable.',
        commands: [
          change ? commandOf(change) : `kubectl set env ${workloadArguments(pod)} -c ${container.name} ${name}=VALUE`,
        ],
        ...(change && { actions: [change] }),
        verify: watchCommand(pod),
      },
    };
  },
});
