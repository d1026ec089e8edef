/** Attributes of HTML elements that hold one link (apimachinery/pkg/util/proxy/transport.go). */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  track: ['src'],
  video: ['poster', 'src'],
};

/** A link of the backend, as the client must follow it: absolute paths of the same host go below the proxy's path. */
export function rewriteLink(link: string, prefix: string, host: string): string {
  const match = /^(?:(?:https?:)?\/\/([^/?#]*))?(\/[^?#]*)?([?#].*)?$/.exec(link);
  if (!match) return link;
  const [, linkHost, path = '', rest = ''] = match;
  if (linkHost !== undefined && linkHost !== host) return link;
  if (!path.startsWith('/') || path.startsWith(`${prefix}/`) || path === prefix) return link;
  return `${prefix}${path}${rest}`;
}

/** Rewrites the links of an HTML page, leaving all else as it is. */
export function rewriteHtml(page: string, prefix: string, host: string): string {
  return page.replace(
    /<([a-zA-Z][a-zA-Z0-9]*)\b((?:[^<>"']|"[^"]*"|'[^']*')*)>/g,
    (whole, tag: string, rest: string) => {
      const names = linkAttributes[tag.toLowerCase()];
      if (!names) return whole;
      const changed = rest.replace(
        /([a-zA-Z-]+)(\s*=\s*)("([^"]*)"|'([^']*)'|[^\s"'>]+)/g,
        (attribute, name: string, equals: string, value: string, double?: string, single?: string) => {
          if (!names.includes(name.toLowerCase())) return attribute;
          const link = double ?? single ?? value;
          return `${name}${equals}"${rewriteLink(link, prefix, host)}"`;
        },
      );
      return `<${tag}${changed}>`;
    },
  );
}
