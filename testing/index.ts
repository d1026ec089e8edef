/** `coracle/testing`: an API server in the test's own process. */
export { createTestServer, type TestServer, type TestServerOptions } from './test-server.ts';
