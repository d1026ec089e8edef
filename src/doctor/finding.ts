import type { JsonPatchOperation } from '../api/json-patch.ts';
import type { KubeObject } from '../api/resource.ts';
import type { Reference } from './reference.ts';

/** Where a piece of evidence was read, so that the reader can look for himself. */
export type Source =
  | { readonly kind: 'status' | 'spec' | 'condition'; readonly object: Reference; readonly field?: string }
  | {
      readonly kind: 'event';
      readonly object: Reference;
      readonly reason: string;
      /** Milliseconds since the epoch; absent where the event has no time. */
      readonly at?: number;
      readonly count?: number;
    }
  | {
      readonly kind: 'log';
      readonly object: Reference;
      readonly container: string;
      /** True: of the run before the present one (`kubectl logs --previous`). */
      readonly previous: boolean;
    }
  /** Looked for, and not there. */
  | { readonly kind: 'absence'; readonly object: Reference }
  /** Worked out from several objects; the text says from which. */
  | { readonly kind: 'computed'; readonly object: Reference };

/** One quoted fact. `text` is what stands there, never a Secret's value. */
export interface Evidence {
  readonly text: string;
  readonly source: Source;
}

/** A change to the cluster that `--fix` can make. */
export type Action =
  | {
      readonly kind: 'patch';
      readonly target: Reference;
      readonly operations: readonly JsonPatchOperation[];
      /** The API refuses to change these fields in place: the object is deleted and created anew with the change. */
      readonly replace?: boolean;
    }
  | { readonly kind: 'create'; readonly object: KubeObject }
  | { readonly kind: 'delete'; readonly target: Reference };

/** What repairs it. */
export interface Remedy {
  /** One sentence, imperative. */
  readonly says: string;
  /** Ready to paste; kubectl unless the repair is elsewhere. */
  readonly commands: readonly string[];
  /** What `--fix` does. Absent: only a person can decide. */
  readonly actions?: readonly Action[];
  /** A command whose answer shows that it worked. */
  readonly verify?: string;
}

/** How sure a claim is: proved by the evidence, the best reading of it, or one of several. */
export type Certainty = 'certain' | 'likely' | 'possible';

export type Severity = 'error' | 'warning' | 'info';

/** Where in the user's own object the cause stands; `path` begins at the object: `spec.template.spec.containers[0].image`. */
export interface Field {
  readonly object: Reference;
  readonly path: string;
}

/** What one rule says about one object. */
export interface Claim {
  /** The object that is sick (usually the pod), not the one that is missing. */
  readonly subject: Reference;
  /** The container it is about; claims about the same container of the same pod compete. */
  readonly container?: string;
  /** One sentence: what is wrong. No reader should need the evidence to understand it. */
  readonly says: string;
  /** At least one. The strongest first. */
  readonly evidence: readonly Evidence[];
  readonly remedy: Remedy;
  readonly certainty?: Certainty;
  readonly severity?: Severity;
  /** Overrides the rule's rank: see `Rule.rank`. */
  readonly rank?: number;
  /** Claims of one rule with the same cause are one finding. Default: the workload and the container. */
  readonly cause?: string;
  readonly field?: Field;
  /** Objects that, if sick themselves, are the reason for this: a Service's backends, a claim, a node. */
  readonly because?: readonly Reference[];
  /** Objects whose own trouble this explains: the pods of a dead node. */
  readonly explains?: readonly Reference[];
  /** Other readings of the same evidence, most likely first. */
  readonly otherwise?: readonly string[];
}

/** One cause, with all that suffer from it. */
export interface Finding extends Claim {
  readonly rule: string;
  readonly title: string;
  readonly phase: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly rank: number;
  readonly cause: string;
  /** All subjects of the merged claims, the first being `subject`. */
  readonly affected: readonly Reference[];
  /** What follows from it: findings about the same or dependent objects, as one line each. */
  readonly consequences: readonly Consequence[];
}

export interface Consequence {
  readonly rule: string;
  readonly subject: Reference;
  readonly says: string;
  readonly affected: number;
}

/** Something that could not be looked at: absence of evidence there proves nothing. */
export interface Unseen {
  /** `secrets`, `secrets in shop`, `log of pod shop/web`. */
  readonly what: string;
  readonly why: 'denied' | 'not served' | 'failed';
  readonly message: string;
}

/** The whole answer. */
export interface Diagnosis {
  /** Root causes, the most important first. */
  readonly findings: readonly Finding[];
  readonly unseen: readonly Unseen[];
  readonly looked: { readonly pods: number; readonly troubled: number; readonly objects: number };
  /** Troubled pods that no rule could explain. */
  readonly unexplained: readonly Reference[];
  readonly at: number;
}
