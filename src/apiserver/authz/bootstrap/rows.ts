/**
 * The roles and bindings every cluster begins with: facts of plugin/pkg/auth/authorizer/rbac/bootstrappolicy (v1.36), as rows. Lists are
 * words parted by blanks; the API group `core` is ''.
 */
export interface RuleRow {
  readonly groups?: string;
  readonly resources?: string;
  readonly names?: string;
  readonly urls?: string;
  readonly verbs: string;
}
export interface RoleRow {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly aggregates?: readonly Readonly<Record<string, string>>[];
  readonly rules: readonly RuleRow[];
}
export interface BindingRow {
  readonly name: string;
  readonly namespace?: string;
  /** `ClusterRole NAME`. */
  readonly role: string;
  /** `Group NAME`, `User NAME`, `ServiceAccount NAMESPACE/NAME`. */
  readonly subjects: readonly string[];
}
