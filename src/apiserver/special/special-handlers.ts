import { noSpans, type SpanSink } from '../../api/trace.ts';
import type { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import type { AdmissionPlugin, Authenticator, SpecialHandler } from '../contracts.ts';
import { bindingHandler } from './binding.ts';
import { evictionHandler } from './eviction.ts';
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  tokenReviewHandler,
} from './reviews.ts';
import { tokenRequestHandler } from './token-request.ts';

export interface SpecialOptions {
  readonly tokens: ServiceAccountTokens;
  readonly authenticator: () => Authenticator;
  readonly spans?: SpanSink;
  /** The plugins that also see bindings, evictions and token requests. Default: none. */
  readonly admission?: () => readonly AdmissionPlugin[];
}

/** What answers requests that store nothing of their own, by `resource.group/subresource`. */
export function specialHandlers(options: SpecialOptions): Readonly<Record<string, SpecialHandler>> {
  const spans = options.spans ?? noSpans;
  const admission = options.admission ?? (() => []);
  const binding = bindingHandler({ spans, admission });
  return {
    'pods/binding': binding,
    bindings: binding,
    'pods/eviction': evictionHandler({ admission }),
    'serviceaccounts/token': tokenRequestHandler({ tokens: options.tokens, admission }),
    'tokenreviews.authentication.k8s.io': tokenReviewHandler(options.authenticator),
    'selfsubjectreviews.authentication.k8s.io': selfSubjectReview,
    'subjectaccessreviews.authorization.k8s.io': subjectAccessReview,
    'selfsubjectaccessreviews.authorization.k8s.io': selfSubjectAccessReview,
    'localsubjectaccessreviews.authorization.k8s.io': localSubjectAccessReview,
    'selfsubjectrulesreviews.authorization.k8s.io': selfSubjectRulesReview,
  };
}
