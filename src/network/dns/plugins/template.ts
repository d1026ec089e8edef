import type { DnsPlugin } from '../chain.ts';
import { CorefileError } from '../corefile.ts';
import { canonicalName, failure, isBelow, type Rcode } from '../records.ts';

/** `template CLASS TYPE ZONE… { rcode X }`: a fixed refusal for some queries; answers from templates are not supported. */
export const templatePlugin: DnsPlugin = {
  name: 'template',
  async setup({ args, body, line }, { zones }) {
    const [, type, ...own] = args;
    const rcode = body.find((it) => it.name === 'rcode')?.args[0];
    const other = body.find((it) => it.name !== 'rcode' && it.name !== 'match');
    if (rcode === undefined || other) throw new CorefileError(line, 'template: only rcode is supported');
    const apply = own.length > 0 ? own.map(canonicalName) : zones;
    const matches = body.filter((it) => it.name === 'match').flatMap((it) => it.args.map((text) => new RegExp(text)));
    return (next) => async (request) => {
      const name = canonicalName(request.name);
      const ours =
        (type === 'ANY' || type === request.type) &&
        apply.some((zone) => isBelow(name, zone)) &&
        (matches.length === 0 || matches.some((it) => it.test(`${name}.`)));
      return ours ? failure(rcode as Rcode) : next(request);
    };
  },
};
