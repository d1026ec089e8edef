import { type FieldError, invalid } from '../../api/field-error.ts';
import type {
  V1ResourceAttributes,
  V1SelfSubjectReview,
  V1SelfSubjectRulesReview,
  V1SubjectAccessReview,
  V1TokenReview,
} from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/handler.ts';
import { badRequest, invalidObject } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { Loose } from '../../kinds/draft.ts';
import { nodeIdentity } from '../authz/node-authorizer.ts';
import type { AccessAttributes, Authenticator, SpecialHandler } from '../contracts.ts';
import { bodyOf, created } from './answer.ts';

const authorization = 'authorization.k8s.io';
const authentication = 'authentication.k8s.io';

const userBody = (user: UserInfo) => ({
  username: user.name,
  ...(user.uid && { uid: user.uid }),
  groups: [...user.groups],
  ...(user.extra && { extra: user.extra }),
});

/** `tokenreviews`: whose token this is (pkg/registry/authentication/tokenreview). */
export function tokenReviewHandler(authenticator: () => Authenticator): SpecialHandler {
  return async (request) => {
    const sent = bodyOf<V1TokenReview>(request, 'TokenReview');
    const token = sent.spec?.token ?? '';
    if (token === '') throw badRequest('token is required for TokenReview in authentication');
    const audiences = sent.spec?.audiences ?? [];
    const verdict = await authenticator().reviewToken(token, audiences);
    return created({
      ...sent,
      apiVersion: `${authentication}/v1`,
      kind: 'TokenReview',
      metadata: { ...sent.metadata },
      status: {
        ...(verdict.authenticated && { authenticated: true }),
        user: verdict.user ? userBody(verdict.user) : {},
        ...(verdict.audiences && verdict.audiences.length > 0 && { audiences: verdict.audiences }),
        ...(verdict.error !== undefined && { error: verdict.error }),
      },
    } as V1TokenReview);
  };
}

/** `selfsubjectreviews`: who am I (`kubectl auth whoami`). */
export const selfSubjectReview: SpecialHandler = async (request, context) => {
  const answer: V1SelfSubjectReview = {
    apiVersion: `${authentication}/v1`,
    kind: 'SelfSubjectReview',
    metadata: { creationTimestamp: rfc3339(context.clock.now()) },
    status: { userInfo: userBody(request.user) },
  };
  return created(answer);
};

/** A field selector as text, from its raw form or from its parsed requirements. */
function selectorText(attributes: Loose<V1ResourceAttributes>): string | undefined {
  const { rawSelector, requirements } = attributes.fieldSelector ?? {};
  if (rawSelector) return rawSelector;
  const terms = (requirements ?? []).flatMap((requirement) =>
    requirement.operator === 'In' && requirement.values?.length === 1
      ? [`${requirement.key}=${requirement.values[0]}`]
      : [],
  );
  return terms.length > 0 ? terms.join(',') : undefined;
}

type ReviewSpec = Loose<V1SubjectAccessReview['spec']>;

function attributesOf(spec: ReviewSpec, user: UserInfo): AccessAttributes {
  const asked = spec.resourceAttributes;
  if (!asked) {
    return { user, verb: spec.nonResourceAttributes?.verb ?? '', path: spec.nonResourceAttributes?.path ?? '' };
  }
  const fieldSelector = selectorText(asked);
  return {
    user,
    verb: asked.verb ?? '',
    group: asked.group ?? '',
    version: asked.version ?? '',
    resource: asked.resource ?? '',
    ...(asked.subresource && { subresource: asked.subresource }),
    ...(asked.namespace && { namespace: asked.namespace }),
    ...(asked.name && { name: asked.name }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  };
}

function specErrors(spec: ReviewSpec, needsSubject: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.resourceAttributes && spec.nonResourceAttributes) {
    errors.push(
      invalid(
        'spec.nonResourceAttributes',
        spec.nonResourceAttributes,
        'cannot be specified in combination with resourceAttributes',
      ),
    );
  }
  if (!spec.resourceAttributes && !spec.nonResourceAttributes) {
    errors.push(
      invalid(
        'spec.resourceAttributes',
        null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    );
  }
  if (needsSubject && !spec.user && (spec.groups ?? []).length === 0) {
    errors.push(invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'));
  }
  return errors;
}

/** The subjectaccessreviews family: may somebody, or may I (pkg/registry/authorization). */
function accessReview(kind: string, self: boolean, local: boolean): SpecialHandler {
  return async (request, context) => {
    const sent = bodyOf<V1SubjectAccessReview>(request, kind);
    const spec: ReviewSpec = sent.spec ?? {};
    const errors = specErrors(spec, !self);
    if (local) {
      if (spec.nonResourceAttributes) {
        errors.push(
          invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'),
        );
      }
      const asked = spec.resourceAttributes?.namespace ?? '';
      if (spec.resourceAttributes && asked !== request.namespace) {
        errors.push(invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'));
      }
    }
    if (errors.length > 0) throw invalidObject(authorization, kind, '', errors);
    const extra: Record<string, readonly string[]> = {};
    for (const [key, values] of Object.entries(spec.extra ?? {})) extra[key.toLowerCase()] = values ?? [];
    const user: UserInfo = self
      ? request.user
      : { name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid && { uid: spec.uid }), extra };
    const decision = await context.authorizer.authorize(attributesOf(spec, user));
    return created({
      apiVersion: `${authorization}/v1`,
      kind,
      metadata: { ...sent.metadata, ...(local && { namespace: request.namespace }) },
      spec,
      status: { allowed: decision.allowed, ...(decision.reason !== '' && { reason: decision.reason }) },
    } as V1SubjectAccessReview);
  };
}

export const subjectAccessReview = accessReview('SubjectAccessReview', false, false);
export const selfSubjectAccessReview = accessReview('SelfSubjectAccessReview', true, false);
export const localSubjectAccessReview = accessReview('LocalSubjectAccessReview', false, true);

/** `selfsubjectrulesreviews`: all that I may do in a namespace (`kubectl auth can-i --list`). */
export const selfSubjectRulesReview: SpecialHandler = async (request, context) => {
  const sent = bodyOf<V1SelfSubjectRulesReview>(request, 'SelfSubjectRulesReview');
  const namespace = sent.spec?.namespace ?? '';
  if (namespace === '') throw badRequest('no namespace on request');
  const { resourceRules, nonResourceRules, incomplete } = context.authorizer.rulesFor(request.user, namespace);
  const answer: V1SelfSubjectRulesReview = {
    apiVersion: `${authorization}/v1`,
    kind: 'SelfSubjectRulesReview',
    metadata: {},
    spec: {},
    status: {
      resourceRules,
      nonResourceRules,
      incomplete,
      ...(nodeIdentity(request.user) !== undefined && {
        evaluationError: 'node authorizer does not support user rule resolution',
      }),
    },
  };
  return created(answer);
};
