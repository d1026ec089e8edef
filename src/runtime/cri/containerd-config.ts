import { pauseImageName } from './pause-image.ts';

/** Where a private containerd lives and how it is to behave. */
export interface ContainerdSettings {
  /** Everything of it lies below this directory. */
  readonly dir: string;
  /** Where `exec` and the like are served: an address that the kubelet reaches. */
  readonly streamAddress: string;
  /** Needed where the process may not lower oom_score_adj (no CAP_SYS_RESOURCE): else every sandbox fails. */
  readonly restrictOomScoreAdj: boolean;
  readonly cniBinDir: string;
}

export const containerdPaths = (dir: string) => ({
  config: `${dir}/config.toml`,
  socket: `${dir}/containerd.sock`,
  root: `${dir}/root`,
  state: `${dir}/state`,
  opt: `${dir}/opt`,
  certs: `${dir}/certs.d`,
  cni: `${dir}/net.d`,
  log: `${dir}/containerd.log`,
});

/** The configuration file (version 2, which containerd 1.x and 2.x read) of a containerd of our own. */
export function containerdConfig(settings: ContainerdSettings): string {
  const paths = containerdPaths(settings.dir);
  const text = (value: string): string => JSON.stringify(value);
  return `version = 2
root = ${text(paths.root)}
state = ${text(paths.state)}

[grpc]
  address = ${text(paths.socket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(paths.opt)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(pauseImageName)}
  stream_server_address = ${text(settings.streamAddress)}
  stream_server_port = "0"
  restrict_oom_score_adj = ${settings.restrictOomScoreAdj}
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(paths.certs)}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(settings.cniBinDir)}
    conf_dir = ${text(paths.cni)}
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`;
}
