import type { DnsPlugin } from '../chain.ts';
import { CorefileError } from '../corefile.ts';
import { canonicalName, type DnsRecord } from '../records.ts';

/** `rewrite [stop|continue] name [exact|suffix|prefix|substring|regex] FROM TO`: another name is asked, the answer carries the one asked for. */
export const rewritePlugin: DnsPlugin = {
  name: 'rewrite',
  async setup({ args, body, line }) {
    const words = args[0] === 'stop' || args[0] === 'continue' ? args.slice(1) : args;
    if (words[0] !== 'name' || body.length > 0) throw new CorefileError(line, 'rewrite: only name rules are supported');
    const kinds = ['exact', 'suffix', 'prefix', 'substring', 'regex'];
    const kind = kinds.includes(words[1] ?? '') ? (words[1] ?? '') : 'exact';
    const [from, to] = kinds.includes(words[1] ?? '') ? words.slice(2) : words.slice(1);
    if (from === undefined || to === undefined) throw new CorefileError(line, 'rewrite: name needs FROM and TO');
    const [source, target] = [from.toLowerCase(), to.toLowerCase()];
    const pattern = kind === 'regex' ? regex(source, line) : undefined;
    const rewritten = (name: string): string => {
      const full = `${name}.`;
      switch (kind) {
        case 'suffix':
          return full.endsWith(source) ? full.slice(0, -source.length) + target : full;
        case 'prefix':
          return full.startsWith(source) ? target + full.slice(source.length) : full;
        case 'substring':
          return full.replace(source, target);
        case 'regex':
          return pattern?.test(full) ? full.replace(pattern, target.replaceAll(/\{(\d+)\}/g, '$$$1')) : full;
        default:
          return name === canonicalName(source) ? target : full;
      }
    };
    return (next) => async (request) => {
      const name = canonicalName(request.name);
      const other = canonicalName(rewritten(name));
      if (other === name) return next(request);
      const reply = await next({ ...request, name: other });
      const back = (it: DnsRecord): DnsRecord => (canonicalName(it.name) === other ? { ...it, name } : it);
      return { ...reply, answers: reply.answers.map(back) };
    };
  },
};

function regex(source: string, line: number): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new CorefileError(line, `rewrite: ${source} is no regular expression`);
  }
}
