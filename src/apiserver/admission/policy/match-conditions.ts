import { loadCelEngine } from '../../../api/cel/engine.ts';
import type { V1MatchCondition } from '../../../api/generated/types.ts';
import type { AdmissionRequest } from '../../contracts.ts';
import { reviewRequest } from '../review-request.ts';

/** Whether all match conditions hold; an error only where none says no (pkg/admission/plugin/webhook/matchconditions). */
export type MatchResult = { readonly matches: boolean; readonly error?: undefined } | { readonly error: string };

/** What every expression may speak of. */
export const baseVariables = (request: AdmissionRequest): Readonly<Record<string, unknown>> => ({
  object: request.object ?? null,
  oldObject: request.old ?? null,
  request: reviewRequest(request, ''),
});

export async function matchConditions(
  conditions: readonly V1MatchCondition[] | undefined,
  request: AdmissionRequest,
  more: Readonly<Record<string, unknown>> = {},
): Promise<MatchResult> {
  if (!conditions || conditions.length === 0) return { matches: true };
  const engine = await loadCelEngine();
  const variables = { ...baseVariables(request), ...more };
  const errors: string[] = [];
  for (const condition of conditions) {
    try {
      const outcome = engine.compile(condition.expression)(variables);
      if (outcome.error !== undefined)
        errors.push(`expression '${condition.expression}' resulted in error: ${outcome.error}`);
      else if (outcome.value === false) return { matches: false };
    } catch (error) {
      errors.push(`compilation failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return errors.length > 0
    ? { error: errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]` }
    : { matches: true };
}
