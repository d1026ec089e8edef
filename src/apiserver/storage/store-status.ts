import { unavailable } from '../../api/status.ts';
import { type Store, StoreUnavailableError } from '../../store/store.ts';

const told = (error: unknown): never => {
  throw error instanceof StoreUnavailableError ? unavailable(`the store is not available: ${error.message}`) : error;
};

/** The same store, whose refusals (a full disk, a quota, no leader) are Statuses: 503 ServiceUnavailable, which clients try again. */
export function withStatus(store: Store): Store {
  return {
    ...store,
    get: (key, revision) => store.get(key, revision).catch(told),
    range: (range, options) => store.range(range, options).catch(told),
    commit: (transaction) => store.commit(transaction).catch(told),
    grantLease: (ttlSeconds) => store.grantLease(ttlSeconds).catch(told),
  };
}
