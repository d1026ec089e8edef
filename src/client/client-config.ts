/** Where a cluster is and how to prove who asks; what a kubeconfig context comes down to. PEM texts, not base64. */
export interface ClientConfig {
  /** `https://host:port`, with an optional path prefix. */
  readonly server: string;
  /** PEM of the authorities that may sign the server's certificate; absent: the system's. */
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** The name expected in the server's certificate, where it differs from the host. */
  readonly tlsServerName?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Asked before each request; `fresh` is true when the server refused the last one. */
  readonly token?: (fresh: boolean) => Promise<string | undefined>;
  readonly basic?: { readonly username: string; readonly password: string };
  readonly impersonate?: {
    readonly user: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  /** `name/version`; the part before the slash is the field manager. */
  readonly userAgent?: string;
  /** The context's namespace. */
  readonly namespace?: string;
}
