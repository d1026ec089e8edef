import type { FieldError } from '../api/field-error.ts';
import type { UserInfo } from '../api/handler.ts';
import type { KubeObject, Resource } from '../api/resource.ts';
import type { StructuralSchema } from '../api/schema.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** A plain JSON object on its way in: still mutable, owned by whoever handles the request. */
export type Draft = { [field: string]: unknown };

/** What a strategy may know of the request. */
export interface StrategyContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly user: UserInfo;
  readonly warn: (message: string) => void;
}

/** A column of `kubectl get`, as in the server's printer (pkg/printers/internalversion). */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: number;
  /** The cell for an object. `now` in epoch milliseconds, for ages. Numbers stay numbers. */
  cell(object: KubeObject, now: number): unknown;
}

/** How one subresource changes the stored object or answers without one. */
export interface SubresourceStrategy {
  /** Mutates `next` so that only what this subresource may change differs from `old` (status: metadata and spec are kept). */
  prepareForUpdate?(next: Draft, old: KubeObject, context: StrategyContext): void;
  validateUpdate?(next: KubeObject, old: KubeObject): readonly FieldError[];
}

/** Where a kind keeps its replica counts, for `scale`. JSON paths such as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Gives the serialized label selector: a string, or a LabelSelector object. */
  readonly selector?: string;
}

/**
 * A kind as data and pure functions. Everything the API server does for a kind derives from this value; a
 * CustomResourceDefinition builds the same value at run time.
 */
export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  /** The structural schema of the object, with every reference resolved on demand. */
  readonly schema: () => StructuralSchema;
  /** Another version of the same kind in which objects are stored; conversion goes through it. */
  readonly storage?: {
    /** Where the stored kind is of another group: events.k8s.io/v1 events are stored as core/v1 ones. */
    readonly group?: string;
    readonly version: string;
    toStorage(object: Draft): Draft;
    fromStorage(object: Draft): Draft;
  };
  /**
   * Reads a sent object: drops what the schema does not know and names it (`unknown field "spec.x"`). Default: as a built-in type
   * (api/decode.ts). Throws BadRequest for what cannot be read.
   */
  readonly decode?: (raw: Draft) => { readonly object: Draft; readonly unknown: readonly string[] };
  /** Fills in defaults, in place. Runs on every decoded object, stored or sent; must be idempotent. */
  readonly defaults?: (object: Draft) => void;
  /** Clears what clients may not set (status), sets generation and the like. Before admission. */
  readonly prepareForCreate?: (object: Draft, context: StrategyContext) => void;
  readonly prepareForUpdate?: (next: Draft, old: T, context: StrategyContext) => void;
  readonly validate?: (object: T) => readonly FieldError[];
  readonly validateUpdate?: (next: T, old: T) => readonly FieldError[];
  /** Warnings for the client. */
  readonly warnings?: (object: T, old: T | undefined) => readonly string[];
  readonly subresources?: Readonly<Record<string, SubresourceStrategy>>;
  readonly scale?: ScalePaths;
  readonly columns: readonly Column[];
  /** Field-selector values besides metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** True where an update to a missing object creates it (upstream's AllowCreateOnUpdate). */
  readonly createOnUpdate?: boolean;
  /** True where metadata.generation counts spec changes. */
  readonly hasGeneration?: boolean;
  /** How names are checked; default: a DNS subdomain. Returns the reasons against it. */
  readonly validateName?: (name: string, isPrefix: boolean) => readonly string[];
  /**
   * Seconds of grace before deletion, for kinds that are deleted gracefully (pods); undefined = delete at once.
   * `requested` is what the client asked for.
   */
  readonly gracePeriod?: (object: T, requested: number | undefined) => number | undefined;
  /** How deletion treats dependents when the client does not say; default background. */
  readonly defaultDeletion?: 'Orphan' | 'Background';
}
