/** `coracle`: a cluster in this process. */

export { type ClusterOptions, defaultOptions } from './options.ts';
export type { SimControls, SimNodeAction, SimRequest } from './sim/sim-controls.ts';
export { type Cluster, startCluster } from './start-cluster.ts';
