/**
 * Checks of names and other well-known strings. Each gives the reasons against the value, in upstream's words; an
 * empty list means it is fine. After k8s.io/apimachinery/pkg/util/validation and pkg/api/validate/content.
 */
const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const underscored = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoredSubdomain = `${underscored}(\\.${underscored})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelKeyFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const envFormat = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const configKeyFormat = '[-._a-zA-Z0-9]+';
const headerFormat = '[-A-Za-z0-9]+';
const percentFormat = '[0-9]+%';
const identifierFormat = '[A-Za-z_][A-Za-z0-9_]*';
const wildcardFormat = `\\*\\.${subdomain1123}`;

/** Label and subdomain grammars without nested repetition, so that no input makes them slow. */
const labelPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const label1035Pattern = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const underscoredPattern = /^_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/;
const labelKeyPattern = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const everyPart = (value: string, pattern: RegExp): boolean => value.split('.').every((part) => pattern.test(part));

const bytes = (value: string): number => Buffer.byteLength(value);

/** `msg (e.g. 'a',  or 'b', regex used for validation is '…')`, spaced as upstream spaces it. */
export function regexReason(message: string, format: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${shown}regex used for validation is '${format}')`;
}

export const maxLengthReason = (length: number): string => `must be no more than ${length} characters`;
const maxBytesReason = (length: number): string => `must be no more than ${length} bytes`;
export const inclusiveRangeReason = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;
const empty = 'must be non-empty';

const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/** `web-0`: at most 63 lower-case letters, digits and dashes. */
export function dns1123Label(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 63) reasons.push(maxLengthReason(63));
  if (!labelPattern.test(value)) {
    if (everyPart(value, labelPattern)) reasons.push('must not contain dots');
    else {
      reasons.push(
        regexReason(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          label1123,
          'my-name',
          '123-abc',
        ),
      );
    }
  }
  return reasons;
}

/** `web.example.com`: at most 253 characters of labels joined by dots. */
export function dns1123Subdomain(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 253) reasons.push(maxLengthReason(253));
  if (!everyPart(value, labelPattern)) reasons.push(regexReason(subdomainMessage, subdomain1123, 'example.com'));
  return reasons;
}

/** A subdomain whose labels may hold underscores (service resolvers' search paths). */
export function dns1123SubdomainWithUnderscore(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 253) reasons.push(maxLengthReason(253));
  if (!everyPart(value, underscoredPattern)) {
    reasons.push(
      regexReason(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        underscoredSubdomain,
        'example.com',
      ),
    );
  }
  return reasons;
}

/** A label that begins with a letter (Services). */
export function dns1035Label(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 63) reasons.push(maxLengthReason(63));
  if (!label1035Pattern.test(value)) {
    reasons.push(
      regexReason(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        label1035,
        'my-name',
        'abc-123',
      ),
    );
  }
  return reasons;
}

/** `*.example.com`. */
export function wildcardDns1123Subdomain(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 253) reasons.push(maxLengthReason(253));
  if (!value.startsWith('*.') || !everyPart(value.slice(2), labelPattern)) {
    reasons.push(
      regexReason(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        wildcardFormat,
        '*.example.com',
      ),
    );
  }
  return reasons;
}

const keyMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** A label key, annotation key or other qualified name: `name` or `example.com/name`. */
export function qualifiedName(value: string): readonly string[] {
  const reasons: string[] = [];
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${regexReason(keyMessage, labelKeyFormat, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') reasons.push(`prefix part ${empty}`);
    else {
      if (bytes(prefix) > 253) reasons.push(`prefix part ${maxBytesReason(253)}`);
      if (!everyPart(prefix, labelPattern)) {
        reasons.push(`prefix part ${regexReason(subdomainMessage, subdomain1123, 'example.com')}`);
      }
    }
  }
  if (name === '') reasons.push(`name part ${empty}`);
  else if (bytes(name) > 63) reasons.push(`name part ${maxBytesReason(63)}`);
  if (!labelKeyPattern.test(name)) {
    reasons.push(`name part ${regexReason(keyMessage, labelKeyFormat, 'MyName', 'my.name', '123-abc')}`);
  }
  return reasons;
}

/** A label's value: empty, or at most 63 characters. */
export function labelValue(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 63) reasons.push(maxBytesReason(63));
  if (value !== '' && !labelKeyPattern.test(value)) {
    reasons.push(
      regexReason(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        `(${labelKeyFormat})?`,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return reasons;
}

function dotReasons(value: string): readonly string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

/** The strict form of an environment variable's name (envFrom prefixes, older servers). */
export function envVarName(value: string): readonly string[] {
  const reasons: string[] = [];
  if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(value)) {
    reasons.push(
      regexReason(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
        envFormat,
        'my.env-name',
        'MY_ENV.NAME',
        'MyEnvName1',
      ),
    );
  }
  return [...reasons, ...dotReasons(value)];
}

/** What Kubernetes 1.34 and later take as an environment variable's name: printable ASCII without `=`. */
export function relaxedEnvVarName(value: string): readonly string[] {
  const reasons: string[] = [];
  if (value === '') reasons.push(`environment variable name ${empty}`);
  if (!/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) {
    reasons.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return reasons;
}

/** A key of a ConfigMap or Secret. */
export function configMapKey(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 253) reasons.push(maxLengthReason(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    reasons.push(
      regexReason(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configKeyFormat,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  return [...reasons, ...dotReasons(value)];
}

/** A named port: at most 15 characters with a letter among them. */
export function portName(value: string): readonly string[] {
  const reasons: string[] = [];
  if (bytes(value) > 15) reasons.push(maxLengthReason(15));
  if (!/^[-a-z0-9]+$/.test(value)) {
    reasons.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) reasons.push('must contain at least one letter (a-z)');
  if (value.includes('--')) reasons.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) reasons.push('must not begin or end with a hyphen');
  return reasons;
}

const range = (value: number, low: number, high: number): readonly string[] =>
  value >= low && value <= high ? [] : [inclusiveRangeReason(low, high)];
export const portNumber = (value: number): readonly string[] => range(value, 1, 65535);
/** A Unix user or group id. */
export const unixId = (value: number): readonly string[] => range(value, 0, 2147483647);

export const percent = (value: string): readonly string[] =>
  /^[0-9]+%$/.test(value)
    ? []
    : [
        regexReason(
          "a valid percent string must be a numeric string followed by an ending '%'",
          percentFormat,
          '1%',
          '93%',
        ),
      ];

export const httpHeaderName = (value: string): readonly string[] =>
  /^[-A-Za-z0-9]+$/.test(value)
    ? []
    : [
        regexReason(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          headerFormat,
          'X-Header-Name',
        ),
      ];

export const cIdentifier = (value: string): readonly string[] =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
    ? []
    : [
        regexReason(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          identifierFormat,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];

/** What no object's name may be, whatever its kind: it is a segment of a URL. */
export function pathSegmentName(value: string): readonly string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return pathSegmentPrefix(value);
}

/** The same for a generateName. */
export function pathSegmentPrefix(value: string): readonly string[] {
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

/** A domain of at least three segments (signer names and the like). */
export function fullyQualifiedName(value: string): readonly string[] {
  if (value === '') return [empty];
  const reasons = dns1123Subdomain(value);
  if (reasons.length > 0) return reasons;
  return value.split('.').length < 3 ? ['should be a domain with at least three segments separated by dots'] : [];
}

/** The name checks of kinds take a prefix for generateName: a trailing dash is then cut before checking. */
export const maskTrailingDash = (value: string): string =>
  value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value;
export const nameIsDns1123Subdomain = (name: string, isPrefix: boolean): readonly string[] =>
  dns1123Subdomain(isPrefix ? maskTrailingDash(name) : name);
export const nameIsDns1123Label = (name: string, isPrefix: boolean): readonly string[] =>
  dns1123Label(isPrefix ? maskTrailingDash(name) : name);
export const nameIsDns1035Label = (name: string, isPrefix: boolean): readonly string[] =>
  dns1035Label(isPrefix ? maskTrailingDash(name) : name);

/** Names of RBAC objects: anything that can stand in a path. The prefix rule is for generateName. */
export const pathSegmentNameOrPrefix = (value: string, isPrefix: boolean): readonly string[] =>
  isPrefix ? pathSegmentPrefix(value) : pathSegmentName(value);
