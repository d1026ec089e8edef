import { type CelEngine, type CelOutcome, loadCelEngine } from '../../../api/cel/engine.ts';
import {
  mutatingadmissionpolicies,
  mutatingadmissionpolicybindings,
  namespaces,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from '../../../api/generated/resources.ts';
import type {
  V1MatchResources,
  V1MutatingAdmissionPolicy,
  V1ParamKind,
  V1ParamRef,
  V1ValidatingAdmissionPolicy,
  V1Validation,
  V1Variable,
} from '../../../api/generated/types.ts';
import { jsonPatch } from '../../../api/json-patch.ts';
import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { type KubeObject, type Live, parseApiVersion } from '../../../api/resource.ts';
import { type StatusError, statusError } from '../../../api/status.ts';
import type { Draft } from '../../../kinds/kind.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../../contracts.ts';
import { isExempt, ruleMatches, selectorsMatch, versionsOf } from '../matching.ts';
import { refuse } from '../request.ts';
import { baseVariables, matchConditions } from './match-conditions.ts';
import { mergeConfiguration } from './merge-configuration.ts';

const codes: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function matchesResources(
  context: ServerContext,
  request: AdmissionRequest,
  constraints: V1MatchResources | undefined,
  /** What an absent list of rules means: nothing for a policy, everything for a binding. */
  withoutRules: boolean,
): boolean {
  if (!constraints) return withoutRules;
  const versions = versionsOf(context, request, constraints.matchPolicy);
  const named = (rule: Parameters<typeof ruleMatches>[0]): boolean => ruleMatches(rule, request, versions);
  if ((constraints.excludeResourceRules ?? []).some(named)) return false;
  const rules = constraints.resourceRules ?? [];
  if (rules.length > 0 ? !rules.some(named) : !withoutRules) return false;
  return selectorsMatch(context, request, constraints);
}

/** The parameter objects of a binding; a text says why there are none where that matters. */
function paramsOf(
  context: ServerContext,
  request: AdmissionRequest,
  kind: V1ParamKind | undefined,
  ref: V1ParamRef | undefined,
): readonly (Live | null)[] | string {
  if (!kind) return [null];
  if (!ref) return [null];
  const gvk = { ...parseApiVersion(kind.apiVersion ?? ''), kind: kind.kind ?? '' };
  const definition = context.kinds.byKind(gvk);
  if (!definition) {
    return `failed to find resource referenced by paramKind: '${kind.apiVersion ?? ''}, Kind=${kind.kind ?? ''}'`;
  }
  const { resource } = definition;
  const namespace = resource.namespaced ? (ref.namespace ?? request.namespace) : undefined;
  if (resource.namespaced && namespace === undefined)
    return 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources';
  const found = ref.name
    ? [context.reader.get(resource, namespace, ref.name)].filter((object) => object !== undefined)
    : context.reader.list(resource, namespace).filter((object) => {
        const selector = requirementsOf(ref.selector);
        return selector !== undefined && matchesLabels(selector, object.metadata.labels ?? {});
      });
  if (found.length > 0) return found;
  return ref.parameterNotFoundAction === 'Deny'
    ? 'no params found for policy binding with `Deny` parameterNotFoundAction'
    : [];
}

/** Compiles and evaluates; what does not compile is an error like any other. */
function evaluate(engine: CelEngine, expression: string, variables: Readonly<Record<string, unknown>>): CelOutcome {
  try {
    return engine.compile(expression)(variables);
  } catch (error) {
    return { error: `compilation error: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Everything an expression of the policy may speak of; variables are worked out when the first expression needs them. */
function scopeOf(
  engine: CelEngine,
  context: ServerContext,
  request: AdmissionRequest,
  params: KubeObject | null,
  variables: readonly V1Variable[] | undefined,
): Readonly<Record<string, unknown>> {
  const namespace = request.namespace ? context.reader.get(namespaces, undefined, request.namespace) : undefined;
  const base = { ...baseVariables(request), params, namespaceObject: namespace ?? null };
  const values: Record<string, unknown> = {};
  for (const variable of variables ?? []) {
    const outcome = evaluate(engine, variable.expression, { ...base, variables: values });
    // A variable in error is missing: only expressions that use it fail, for want of the key.
    if (outcome.error === undefined) values[variable.name] = outcome.value;
  }
  return { ...base, variables: values };
}

interface Denial {
  readonly message: string;
  readonly reason: string;
}

const failure = (message: string): Denial => ({ message, reason: '' });

function check(
  engine: CelEngine,
  validation: V1Validation,
  scope: Readonly<Record<string, unknown>>,
): Denial | undefined | string {
  const expression = validation.expression.trim();
  const outcome = evaluate(engine, expression, scope);
  if (outcome.error !== undefined) {
    return outcome.error.startsWith('compilation error')
      ? outcome.error
      : `expression '${expression}' resulted in error: ${outcome.error}`;
  }
  if (outcome.value === true) return undefined;
  let message = validation.message?.trim() ?? '';
  if (validation.messageExpression) {
    const { value } = evaluate(engine, validation.messageExpression, scope);
    if (typeof value === 'string' && value.trim() !== '' && !value.includes('\n')) message = value.trim();
  }
  return { message: message === '' ? `failed expression: ${expression}` : message, reason: validation.reason ?? '' };
}

function denied(request: AdmissionRequest, policy: string, binding: string, denial: Denial): StatusError {
  const refusal = refuse(
    request,
    `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${denial.message}`,
  );
  const reason = denial.reason === '' ? 'Invalid' : denial.reason;
  return statusError(codes[reason] ?? 422, reason, refusal.message, {
    ...refusal.status.details,
    causes: [{ message: denial.message }],
  });
}

/** What a policy finds against the request under one binding. */
async function denials(
  engine: CelEngine,
  context: ServerContext,
  request: AdmissionRequest,
  policy: Live<V1ValidatingAdmissionPolicy>,
  params: KubeObject | null,
): Promise<readonly Denial[]> {
  const { spec } = policy;
  const ignore = spec?.failurePolicy === 'Ignore';
  const conditions = await matchConditions(spec?.matchConditions, request, { params });
  if (conditions.error !== undefined) return ignore ? [] : [failure(conditions.error)];
  if (!conditions.matches) return [];
  const scope = scopeOf(engine, context, request, params, spec?.variables);
  const found: Denial[] = [];
  for (const validation of spec?.validations ?? []) {
    const result = check(engine, validation, scope);
    if (typeof result === 'string') {
      if (!ignore) found.push(failure(result));
    } else if (result) found.push(result);
  }
  return found;
}

/** ValidatingAdmissionPolicy: CEL expressions that must hold (k8s.io/apiserver/pkg/admission/plugin/policy/validating). */
export function validatingPolicies(context: ServerContext): AdmissionPlugin {
  const run = async (request: AdmissionRequest): Promise<void> => {
    const engine = await loadCelEngine();
    for (const binding of context.reader.list(validatingadmissionpolicybindings)) {
      const policy = context.reader.get(validatingadmissionpolicies, undefined, binding.spec?.policyName ?? '');
      if (!policy || !matchesResources(context, request, policy.spec?.matchConstraints, false)) continue;
      if (!matchesResources(context, request, binding.spec?.matchResources, true)) continue;
      const params = paramsOf(context, request, policy.spec?.paramKind, binding.spec?.paramRef);
      const found: Denial[] = [];
      if (typeof params === 'string') {
        if (policy.spec?.failurePolicy !== 'Ignore') found.push(failure(`failed to configure binding: ${params}`));
      } else {
        for (const param of params) found.push(...(await denials(engine, context, request, policy, param)));
      }
      const actions = binding.spec?.validationActions ?? [];
      for (const denial of found) {
        if (actions.includes('Warn')) {
          request.warn(
            `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${denial.message}`,
          );
        }
      }
      const [first] = found;
      if (first && actions.includes('Deny')) throw denied(request, policy.metadata.name, binding.metadata.name, first);
    }
  };
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(request) {
      if (isExempt(request) || context.reader.list(validatingadmissionpolicybindings).length === 0) return;
      return run(request);
    },
  };
}

/** Puts the content of `next` into the draft, which others hold. */
export function replaceDraft(draft: Draft, next: Draft): void {
  for (const key of Object.keys(draft)) if (!(key in next)) delete draft[key];
  Object.assign(draft, next);
}

function mutate(
  engine: CelEngine,
  request: AdmissionRequest,
  policy: Live<V1MutatingAdmissionPolicy>,
  scopeFor: () => Readonly<Record<string, unknown>>,
): void {
  for (const mutation of policy.spec?.mutations ?? []) {
    const { object } = request;
    if (!object) return;
    const expression =
      (mutation.patchType === 'JSONPatch' ? mutation.jsonPatch : mutation.applyConfiguration)?.expression ?? '';
    const outcome = evaluate(engine, typed(expression), scopeFor());
    if (outcome.error !== undefined) throw new Error(`expression '${expression}' resulted in error: ${outcome.error}`);
    const next =
      mutation.patchType === 'JSONPatch'
        ? jsonPatch(object, outcome.value)
        : mergeConfiguration(object, outcome.value, request.kind.schema());
    replaceDraft(object, next as Draft);
    request.kind.defaults?.(object);
  }
}

/** `Object.spec{…}` and `JSONPatch{…}` name types that need no checking here: both become plain maps. */
export const typed = (expression: string): string =>
  quoteKeys(expression.replace(/\b(?:Object(?:\.[A-Za-z_]\w*)*|JSONPatch)\s*\{/g, '\u0001{'));

/** Inside a typed literal field names stand bare; a map wants them quoted. */
function quoteKeys(expression: string): string {
  let out = '';
  const typedDepths: boolean[] = [];
  for (let i = 0; i < expression.length; i++) {
    const char = expression[i] ?? '';
    if (char === '"' || char === "'") {
      let end = i + 1;
      while (end < expression.length && expression[end] !== char) end += expression[end] === '\\' ? 2 : 1;
      out += expression.slice(i, end + 1);
      i = end;
    } else if (char === '\u0001') continue;
    else {
      if (char === '{') typedDepths.push(expression[i - 1] === '\u0001');
      else if (char === '}') typedDepths.pop();
      out += char;
      if (typedDepths.at(-1) && (char === '{' || char === ',')) {
        const key = /^(\s*)([A-Za-z_]\w*)(\s*:)/.exec(expression.slice(i + 1));
        if (key) {
          out += `${key[1]}"${key[2]}"${key[3]}`;
          i += key[0].length;
        }
      }
    }
  }
  return out;
}

/** MutatingAdmissionPolicy: CEL expressions that build patches (k8s.io/apiserver/pkg/admission/plugin/policy/mutating). */
export function mutatingPolicies(context: ServerContext): AdmissionPlugin {
  const run = async (request: AdmissionRequest): Promise<void> => {
    const engine = await loadCelEngine();
    for (const binding of context.reader.list(mutatingadmissionpolicybindings)) {
      const policy = context.reader.get(mutatingadmissionpolicies, undefined, binding.spec?.policyName ?? '');
      if (!policy || !matchesResources(context, request, policy.spec?.matchConstraints, false)) continue;
      if (!matchesResources(context, request, binding.spec?.matchResources, true)) continue;
      const ignore = policy.spec?.failurePolicy === 'Ignore';
      const fail = (message: string): void => {
        if (ignore) return;
        throw refuse(
          request,
          `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`,
        );
      };
      const params = paramsOf(context, request, policy.spec?.paramKind, binding.spec?.paramRef);
      if (typeof params === 'string') {
        fail(`failed to configure binding: ${params}`);
        continue;
      }
      for (const param of params) {
        const conditions = await matchConditions(policy.spec?.matchConditions, request, { params: param });
        if (conditions.error !== undefined) {
          fail(conditions.error);
          continue;
        }
        if (!conditions.matches) continue;
        try {
          mutate(engine, request, policy, () => scopeOf(engine, context, request, param, policy.spec?.variables));
        } catch (error) {
          fail(error instanceof Error ? error.message : String(error));
        }
      }
    }
  };
  return {
    name: 'MutatingAdmissionPolicy',
    admit(request) {
      if (isExempt(request) || !request.object) return;
      if (context.reader.list(mutatingadmissionpolicybindings).length === 0) return;
      return run(request);
    },
  };
}
