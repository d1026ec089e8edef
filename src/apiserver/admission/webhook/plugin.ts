import { copyJson, equalJson } from '../../../api/draft.ts';
import { mutatingwebhookconfigurations, validatingwebhookconfigurations } from '../../../api/generated/resources.ts';
import type { V1MutatingWebhook, V1ValidatingWebhook } from '../../../api/generated/types.ts';
import { jsonPatch } from '../../../api/json-patch.ts';
import { prune } from '../../../api/prune.ts';
import { badRequest, forbidden, internalError, type StatusError } from '../../../api/status.ts';
import { randomUuid } from '../../../base/random.ts';
import type { Draft } from '../../../kinds/kind.ts';
import type { AdmissionPlugin, AdmissionRequest, ClusterDialer, ServerContext } from '../../contracts.ts';
import { isExempt, ruleMatches, selectorsMatch, versionsOf } from '../matching.ts';
import { matchConditions } from '../policy/match-conditions.ts';
import { replaceDraft } from '../policy/plugin.ts';
import { shownName } from '../request.ts';
import { reviewRequest } from '../review-request.ts';
import { callWebhook } from './call.ts';
import { deniedBy, type ReviewAnswer, readReview } from './review.ts';

type Webhook = V1MutatingWebhook | V1ValidatingWebhook;

/** The versions of AdmissionReview that this server speaks. */
const spoken = ['v1'];

/** True where the webhook is to be called; throws where its conditions cannot be decided and it may not be passed over. */
async function concerns(context: ServerContext, webhook: Webhook, request: AdmissionRequest): Promise<boolean> {
  const versions = versionsOf(context, request, webhook.matchPolicy);
  if (!(webhook.rules ?? []).some((rule) => ruleMatches(rule, request, versions))) return false;
  if (!selectorsMatch(context, request, webhook)) return false;
  const conditions = await matchConditions(webhook.matchConditions, request);
  if (conditions.error === undefined) return conditions.matches;
  if (webhook.failurePolicy === 'Ignore') return false;
  throw forbidden(
    { group: request.resource.group, resource: request.resource.plural },
    shownName(request),
    conditions.error,
  );
}

const failedCalling = (webhook: Webhook, why: string): StatusError =>
  internalError(`failed calling webhook ${JSON.stringify(webhook.name)}: ${why}`);

/** Calls one webhook. Undefined where the call failed and its failure is to be ignored. */
async function ask(
  context: ServerContext,
  cluster: ClusterDialer | undefined,
  webhook: Webhook,
  request: AdmissionRequest,
  mutating: boolean,
): Promise<ReviewAnswer | undefined> {
  if (request.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  }
  const version = webhook.admissionReviewVersions.find((known) => spoken.includes(known));
  const uid = randomUuid(context.random);
  try {
    if (!version) throw new Error('webhook does not accept known AdmissionReview versions (v1)');
    const body = JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: `admission.k8s.io/${version}`,
      request: reviewRequest(request, uid),
    });
    const seconds = webhook.timeoutSeconds ?? 10;
    const text = await callWebhook(context, cluster, webhook.clientConfig, body, seconds).catch((error: unknown) => {
      throw new Error(`failed to call webhook: ${error instanceof Error ? error.message : String(error)}`);
    });
    return readReview(text, uid, version, mutating);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (webhook.failurePolicy === 'Ignore') {
      context.log.warn('a failing admission webhook was passed over', { webhook: webhook.name, error: why });
      return undefined;
    }
    throw failedCalling(webhook, why);
  }
}

/** Applies a webhook's patch to the draft; true where it changed something. */
function patchDraft(request: AdmissionRequest, webhook: Webhook, answer: ReviewAnswer): boolean {
  const { object, kind } = request;
  if (!object || answer.patch === undefined) return false;
  const before = copyJson(object);
  try {
    replaceDraft(object, jsonPatch(before, answer.patch) as Draft);
  } catch (error) {
    throw internalError(
      `failed calling webhook ${JSON.stringify(webhook.name)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  // What no schema knows is gone, as if the client had sent it.
  if (kind.resource.definition === undefined) prune(object, kind.schema());
  kind.defaults?.(object);
  return !equalJson(before, object);
}

const sortedWebhooks = <W extends Webhook>(
  configurations: readonly { readonly metadata: { readonly name: string }; readonly webhooks?: readonly W[] }[],
): readonly W[] =>
  [...configurations]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((configuration) => configuration.webhooks ?? []);

/** MutatingAdmissionWebhook: one webhook after another, each seeing what those before it changed. */
export function mutatingWebhooks(context: ServerContext, cluster?: ClusterDialer): AdmissionPlugin {
  const call = async (webhook: V1MutatingWebhook, request: AdmissionRequest): Promise<boolean> => {
    const answer = await ask(context, cluster, webhook, request, true);
    if (!answer) return false;
    for (const warning of answer.warnings) request.warn(warning);
    if (!answer.allowed) throw deniedBy(webhook.name, answer.status);
    return patchDraft(request, webhook, answer);
  };
  const run = async (request: AdmissionRequest, webhooks: readonly V1MutatingWebhook[]): Promise<void> => {
    const called: { readonly webhook: V1MutatingWebhook; readonly round: number }[] = [];
    let lastChange = -1;
    for (const webhook of webhooks) {
      if (!(await concerns(context, webhook, request))) continue;
      const round = called.length;
      called.push({ webhook, round });
      if (await call(webhook, request)) lastChange = round;
    }
    // Those who asked for it see the object once more where a later webhook changed it.
    for (const { webhook, round } of called) {
      if (webhook.reinvocationPolicy !== 'IfNeeded' || round >= lastChange) continue;
      if (await concerns(context, webhook, request)) await call(webhook, request);
    }
  };
  return {
    name: 'MutatingAdmissionWebhook',
    admit(request) {
      if (isExempt(request)) return;
      const configurations = context.reader.list(mutatingwebhookconfigurations);
      if (configurations.length === 0) return;
      const webhooks = sortedWebhooks(configurations);
      return webhooks.length === 0 ? undefined : run(request, webhooks);
    },
  };
}

/** ValidatingAdmissionWebhook: all at once; the first refusal, in their order, is the answer. */
export function validatingWebhooks(context: ServerContext, cluster?: ClusterDialer): AdmissionPlugin {
  const call = async (webhook: V1ValidatingWebhook, request: AdmissionRequest): Promise<void> => {
    const answer = await ask(context, cluster, webhook, request, false);
    if (!answer) return;
    for (const warning of answer.warnings) request.warn(warning);
    if (!answer.allowed) throw deniedBy(webhook.name, answer.status);
  };
  const run = async (request: AdmissionRequest, webhooks: readonly V1ValidatingWebhook[]): Promise<void> => {
    const due: V1ValidatingWebhook[] = [];
    for (const webhook of webhooks) if (await concerns(context, webhook, request)) due.push(webhook);
    const outcomes = await Promise.allSettled(due.map((webhook) => call(webhook, request)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  };
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(request) {
      if (isExempt(request)) return;
      const configurations = context.reader.list(validatingwebhookconfigurations);
      if (configurations.length === 0) return;
      const webhooks = sortedWebhooks(configurations);
      return webhooks.length === 0 ? undefined : run(request, webhooks);
    },
  };
}
