import type { V1ObjectMeta } from '../api/generated/types.ts';
import type { KubeObject } from '../api/resource.ts';
import type { Draft } from './kind.ts';

/**
 * A wire type as it really arrives: nothing is sure to be there, whatever the description calls required, and (in a
 * draft) everything may be changed.
 */
export type Loose<T> = T extends readonly (infer Item)[]
  ? Loose<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]?: Loose<T[Key]> }
    : T;

/** Views a draft as its wire type. The structure was checked when the object was decoded. */
export const asLoose = <T>(draft: Draft | KubeObject): Loose<T> => draft as unknown as Loose<T>;

/** The draft's metadata, made when it is missing. */
export function metaOf(draft: Draft): Loose<V1ObjectMeta> {
  const known = draft['metadata'];
  if (typeof known === 'object' && known !== null) return known as Loose<V1ObjectMeta>;
  const made: Loose<V1ObjectMeta> = {};
  draft['metadata'] = made;
  return made;
}
