/** `coracle/testing`: an API server in the test's own process. */

/** An image of one's own for simulated nodes. */
export {
  defineImage,
  type ImageDefinition,
  type SimConnection,
  type SimContext,
} from '../src/runtime/sim/images/define-image.ts';
export { createTestServer, type TestServer, type TestServerOptions } from './test-server.ts';
