/** The client of any Kubernetes API: typed calls, informers, events, leader election. */
export type { PatchType, UserInfo, WatchEvent, WatchStream } from '../api/handler.ts';
export type { KubeObject, Live, LiveMeta, ObjectList, Resource } from '../api/resource.ts';
export { StatusError } from '../api/status.ts';
export type {
  Client,
  DeleteOptions,
  ListOptions,
  PatchOptions,
  ReadOptions,
  WatchOptions,
  WriteOptions,
} from './client.ts';
export type { ClientConfig } from './client-config.ts';
export type { EventRecorder } from './event-recorder.ts';
export { type HttpsClient, httpsClient, pathOf } from './https-client.ts';
export { inProcessClient } from './in-process-client.ts';
export type { Informer, InformerHandler, InformerOptions, InformerSet } from './informer.ts';
export { keyOf, splitKey } from './informer.ts';
export { createInformers } from './informers.ts';
export {
  clientConfig,
  fileToken,
  inClusterConfig,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigContext,
  KubeconfigError,
  type KubeconfigUser,
  loadKubeconfig,
} from './kubeconfig.ts';
export { type LeaderElection, runWhenLeader } from './leader-election.ts';
export { createRecorder, referenceTo } from './recorder.ts';
export type { RawRequest, RawResponse } from './transport.ts';
