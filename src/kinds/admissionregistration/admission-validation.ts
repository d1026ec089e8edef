import { duplicate, type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type {
  AdmissionregistrationV1ServiceReference,
  V1MatchResources,
  V1MutatingWebhook,
  V1RuleWithOperations,
} from '../../api/generated/types.ts';
import { fullyQualifiedName, portNumber } from '../../api/names.ts';
import { invalids, optionalOneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabelSelector } from '../labels.ts';

type Webhook = Loose<V1MutatingWebhook>;
type Rule = Loose<V1RuleWithOperations>;

/** Defaults of a webhook, mutating or validating. */
export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
}

/** Defaults of what a policy or its binding matches. */
export function defaultMatch(match: Loose<V1MatchResources> | undefined): void {
  if (!match) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

function validateList(list: readonly string[] | undefined, path: string): FieldError[] {
  if (!list?.length) return [required(path)];
  return list.length > 1 && list.includes('*')
    ? [invalid(path, list, "if '*' is present, must not specify other values")]
    : [];
}

/** Operations, groups, versions and resources that a webhook or policy asks for. */
export function validateRule(rule: Rule, path: string): FieldError[] {
  const errors = [
    ...validateList(rule.operations, `${path}.operations`),
    ...(rule.operations ?? []).flatMap((it, i) => optionalOneOf(`${path}.operations[${i}]`, it, operations)),
    ...validateList(rule.apiGroups, `${path}.apiGroups`),
    ...validateList(rule.apiVersions, `${path}.apiVersions`),
  ];
  if (!rule.resources?.length) errors.push(required(`${path}.resources`));
  return [...errors, ...optionalOneOf(`${path}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced'])];
}

function validateService(service: Loose<AdmissionregistrationV1ServiceReference>, path: string): FieldError[] {
  return [
    ...(service.name ? [] : [required(`${path}.name`, 'service name is required')]),
    ...(service.namespace ? [] : [required(`${path}.namespace`, 'service namespace is required')]),
    ...invalids(`${path}.port`, service.port ?? 443, portNumber(service.port ?? 443)),
  ];
}

function validateUrl(text: string, path: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  if (!URL.canParse(text)) return [required(path, `url must be a valid URL: ${JSON.stringify(text)}${form}`)];
  const url = new URL(text);
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') {
    errors.push(invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`));
  }
  if (url.username !== '') errors.push(invalid(path, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '') {
    errors.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'));
  }
  return errors;
}

function validateWebhook(webhook: Webhook, path: string): FieldError[] {
  const { name = '', clientConfig = {}, timeoutSeconds, sideEffects, admissionReviewVersions = [] } = webhook;
  const errors = invalids(`${path}.name`, name, fullyQualifiedName(name));
  (webhook.rules ?? []).forEach((rule, i) => {
    errors.push(...validateRule(rule, `${path}.rules[${i}]`));
  });
  errors.push(
    ...optionalOneOf(`${path}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']),
    ...optionalOneOf(`${path}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']),
    ...optionalOneOf(`${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']),
  );
  const effects = ['None', 'NoneOnDryRun'];
  if (sideEffects === undefined) {
    errors.push(required(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
  } else if (!effects.includes(sideEffects)) errors.push(notSupported(`${path}.sideEffects`, sideEffects, effects));
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)) {
    const detail = 'the timeout value must be between 1 and 30 seconds';
    errors.push(invalid(`${path}.timeoutSeconds`, timeoutSeconds, detail));
  }
  errors.push(
    ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
  );
  const { url, service } = clientConfig;
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(`${path}.clientConfig`, 'exactly one of url or service is required'));
  } else if (service) errors.push(...validateService(service, `${path}.clientConfig.service`));
  else if (url !== undefined) errors.push(...validateUrl(url, `${path}.clientConfig.url`));
  if (admissionReviewVersions.length === 0) {
    const detail = 'must specify one of v1, v1beta1';
    errors.push(required(`${path}.admissionReviewVersions`, detail));
  } else if (!admissionReviewVersions.some((it) => it === 'v1' || it === 'v1beta1')) {
    const detail = 'must include at least one of v1, v1beta1';
    errors.push(invalid(`${path}.admissionReviewVersions`, admissionReviewVersions, detail));
  }
  return errors;
}

/** The webhooks of a configuration. */
export function validateWebhooks(webhooks: readonly Webhook[] = []): FieldError[] {
  return webhooks.flatMap((webhook, i) => [
    ...validateWebhook(webhook, `webhooks[${i}]`),
    ...(webhooks.findIndex((it) => it.name === webhook.name) < i
      ? [duplicate(`webhooks[${i}].name`, webhook.name ?? '')]
      : []),
  ]);
}

/** What a policy matches; needed where `isPolicy`. */
export function validateMatch(
  match: Loose<V1MatchResources> | undefined,
  path: string,
  isPolicy: boolean,
): FieldError[] {
  if (!match) return isPolicy ? [required(path)] : [];
  const rules = match.resourceRules ?? [];
  return [
    ...optionalOneOf(`${path}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact']),
    ...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`),
    ...rules.flatMap((rule, i) => validateRule(rule as Rule, `${path}.resourceRules[${i}]`)),
    ...(match.excludeResourceRules ?? []).flatMap((rule, i) =>
      validateRule(rule as Rule, `${path}.excludeResourceRules[${i}]`),
    ),
    ...(isPolicy && rules.length === 0 ? [required(`${path}.resourceRules`)] : []),
  ];
}

interface ParamRefLike {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: object;
  readonly parameterNotFoundAction?: string;
}

/** A binding's reference to its parameters. */
export function validateParamRef(ref: ParamRefLike | undefined, path: string): FieldError[] {
  if (!ref) return [];
  const { name = '', selector, parameterNotFoundAction } = ref;
  const errors: FieldError[] = [];
  if (name === '' && !selector) errors.push(required(path, 'one of name or selector must be specified'));
  if (name !== '' && selector) {
    errors.push(forbiddenField(`${path}.name`, 'name and selector are mutually exclusive'));
  }
  if (parameterNotFoundAction === undefined) errors.push(required(`${path}.parameterNotFoundAction`));
  return [...errors, ...optionalOneOf(`${path}.parameterNotFoundAction`, parameterNotFoundAction, ['Allow', 'Deny'])];
}

export const paramKindText = (kind: { readonly apiVersion?: string; readonly kind?: string } | undefined): string =>
  kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>';

export function paramRefText(ref: ParamRefLike | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
  return ref?.selector ? JSON.stringify(ref.selector) : '<unset>';
}
