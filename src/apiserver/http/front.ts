import type { ApiHandler } from '../../api/handler.ts';
import type { Store } from '../../store/store.ts';
import type { Authenticator, Authorizer, ConnectHandler, ServerContext } from '../contracts.ts';
import type { Core } from '../core.ts';

export interface HttpOptions {
  readonly maxBodyBytes?: number;
}

export interface HttpParts {
  readonly core: Core;
  readonly context: ServerContext;
  readonly handler: ApiHandler;
  readonly authenticator: Authenticator;
  readonly authorizer: () => Authorizer;
  readonly connect: Readonly<Record<string, ConnectHandler>>;
  readonly store: Store;
  readonly options: HttpOptions;
}

export interface HttpFront {
  close(): void;
}

export function createHttpFront(_parts: HttpParts): HttpFront {
  return { close: () => undefined };
}
