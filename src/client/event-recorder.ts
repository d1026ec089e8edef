import type { KubeObject } from '../api/resource.ts';

/**
 * Writes core/v1 Events about objects, as client-go's recorder does: repeated events are counted on the same object, similar ones
 * are aggregated, and a spam filter limits each source and object. Never throws and never blocks its caller.
 */
export interface EventRecorder {
  /** `object` needs apiVersion, kind, and metadata (name, namespace, uid). `fieldPath` e.g. `spec.containers{web}`. */
  event(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options?: {
      readonly fieldPath?: string;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly related?: KubeObject;
      readonly action?: string;
    },
  ): void;
  /** Resolves when everything recorded so far has been sent or given up. */
  flush(): Promise<void>;
}
