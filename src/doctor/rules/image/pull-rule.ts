import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { runningPod } from './example.ts';
import { type PullCause, type PullFailure, pullClaim, pullFailures } from './pull.ts';

/** What one kind of refusal adds to what all have in common. */
export interface PullRuleParts extends Omit<Rule, 'phase' | 'severity' | 'lint' | 'check' | 'healthy' | 'symptoms'> {
  readonly causes: readonly PullCause[];
  readonly symptoms?: readonly string[];
  readonly healthy?: Rule['healthy'];
  /** Undefined: not this rule's case. */
  readonly claim: (
    it: PullFailure,
    snapshot: Snapshot,
  ) =>
    | (Pick<Claim, 'says'> & Partial<Claim> & { readonly fix: string; readonly commands: readonly string[] })
    | undefined;
}

/** A rule about failed pulls of one kind. */
export function pullRule({ causes, claim, healthy, symptoms = [], ...rest }: PullRuleParts): Rule {
  return {
    ...rest,
    phase: 'image',
    severity: 'error',
    lint: 'never',
    symptoms: ['ErrImagePull', 'ImagePullBackOff', ...symptoms],
    healthy: healthy ?? [{ when: 'the image runs', yaml: runningPod('web', 'nginx:1.27') }],
    *check(snapshot) {
      for (const it of pullFailures(snapshot, ...causes)) {
        const made = claim(it, snapshot);
        if (!made) continue;
        const { fix, commands, ...more } = made;
        yield pullClaim(it, { ...more, remedy: more.remedy ?? { says: fix, commands, verify: watchCommand(it.pod) } });
      }
    },
  };
}
