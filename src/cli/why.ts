import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../base/clock.ts';
import { UsageError } from '../cluster/options.ts';
import { isBad } from '../doctor/engine.ts';
import { explain } from '../doctor/explain.ts';
import type { Diagnosis, Finding } from '../doctor/finding.ts';
import { locate, type Place, type SourceFile } from '../doctor/locate.ts';
import { type Look, look } from '../doctor/look.ts';
import type { Reference } from '../doctor/reference.ts';
import { jsonReport } from '../doctor/report/json.ts';
import { junitReport } from '../doctor/report/junit.ts';
import { markdownReport } from '../doctor/report/markdown.ts';
import { sarifReport } from '../doctor/report/sarif.ts';
import { textReport } from '../doctor/report/text.ts';
import { TargetError, targetOf } from '../doctor/target.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './kube/connect.ts';
import type { CommandBuilder } from './main.ts';
import { complain, type Streams } from './output.ts';
import { fixFindings } from './why-fix.ts';
import { watchWhy } from './why-watch.ts';

interface WhyFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly filename?: readonly string[];
  readonly output: string;
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly watch?: boolean;
  readonly explain?: boolean;
}

const formats = ['text', 'json', 'markdown', 'sarif', 'junit'];
/** The rules' pages that come with this installation; they can be read without a network. */
const pageFolder = new URL('../../../docs/why/', import.meta.url);
const pages = pageFolder.href;

/** `coracle why`: names the root cause of what fails. Exit 0: healthy; 1: there are findings; 2: could not look. */
export const whyCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('why'))
    .description('say why pods fail: the cause, the evidence, the fix')
    .argument('[target...]', 'TYPE/NAME or TYPE NAME; nothing: all of the namespace')
    .option('-A, --all-namespaces', 'look at the whole cluster')
    .option('-f, --filename <files...>', 'manifests, to name file and line of the cause')
    .option('-o, --output <format>', formats.join(', '), 'text')
    .option('--explain', 'show which of the usual commands give it away')
    .option('--fix', 'show the repair, and make it after asking')
    .option('-y, --yes', 'with --fix: do not ask')
    .option('-w, --watch', 'keep looking, and tell what comes and goes')
    .action(async (args: readonly string[], flags: WhyFlags) => {
      exit(await why(args, flags, streams));
    });
};

async function why(args: readonly string[], flags: WhyFlags, streams: Streams): Promise<number> {
  if (!formats.includes(flags.output)) throw new UsageError(`unknown output "${flags.output}": ${formats.join(', ')}`);
  if (flags.yes && !flags.fix) throw new UsageError('--yes goes with --fix');
  const files = readFiles(flags.filename ?? []);
  let connection: Connection | undefined;
  try {
    connection = await connect(flags, streams);
    const { client, namespace } = connection;
    const target = scope(args, flags, namespace);
    const again = (): Promise<Look> => look({ client, clock: systemClock, namespace, ...(target && { target }) });
    const seen = await again();
    missing(seen, target);
    if (flags.watch) return await watchWhy({ first: seen, again, clock: systemClock, streams });
    const show = (it: Look): void => {
      streams.stdout.write(render(it, flags, files, streams));
    };
    show(seen);
    if (!flags.fix || healthy(seen.diagnosis)) return healthy(seen.diagnosis) ? 0 : 1;
    return await fixFindings({ seen, again, client, clock: systemClock, streams, yes: flags.yes === true });
  } catch (error) {
    return cannotLook(error, streams);
  } finally {
    connection?.client.close();
  }
}

function readFiles(names: readonly string[]): readonly SourceFile[] {
  return names.map((file) => {
    try {
      return { file, text: readFileSync(file, 'utf8') };
    } catch (error) {
      throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
    }
  });
}

/** No finding but notes, and nothing that nobody can explain. */
const healthy = (it: Diagnosis): boolean => !it.findings.some(isBad) && it.unexplained.length === 0;

function scope(args: readonly string[], flags: WhyFlags, namespace: string): Reference | undefined {
  const target = targetOf(args, namespace);
  if (target || flags.allNamespaces) return target;
  return { kind: 'Namespace', name: namespace };
}

/** A target that is not there is not healthy: it is a mistake of the question. */
function missing({ snapshot }: Look, target: Reference | undefined): void {
  if (!target || snapshot.find(target)) return;
  if (target.kind === 'Secret' && snapshot.secret(target.namespace ?? '', target.name)) return;
  const blind = snapshot.unseen.find((it) => it.what.startsWith(target.kind.toLowerCase()));
  // Who may not read namespaces may still ask about one.
  if (target.kind === 'Namespace' && blind) return;
  throw new TargetError(
    blind
      ? `cannot see ${target.kind} ${target.name}: ${blind.message}`
      : `there is no ${target.kind} "${target.name}"${target.namespace ? ` in namespace ${target.namespace}` : ''}`,
  );
}

function render(
  { diagnosis, snapshot }: Look,
  flags: WhyFlags,
  files: readonly SourceFile[],
  streams: Streams,
): string {
  const place = (it: Finding): Place | undefined => it.field && locate(files, it.field);
  const shown = (it: Finding): string | undefined => {
    const found = place(it);
    return found && `${found.file}:${found.line}:${found.column}`;
  };
  const steps = flags.explain ? explain : undefined;
  switch (flags.output) {
    case 'json':
      return `${JSON.stringify(jsonReport(diagnosis, snapshot.serverVersion), null, 2)}\n`;
    case 'sarif':
      return `${JSON.stringify(sarifReport(diagnosis, { version: '1', pages, place }), null, 2)}\n`;
    case 'junit':
      return junitReport(diagnosis);
    case 'markdown':
      return markdownReport(diagnosis, { pages, locate: shown, ...(steps && { steps }) });
    default: {
      const terminal = streams.stdout.isTTY === true;
      return textReport(diagnosis, {
        color: terminal && !streams.env['NO_COLOR'] && streams.env['TERM'] !== 'dumb',
        width: Math.min(120, terminal ? (streams.stdout.columns ?? 100) : 100),
        pages: fileURLToPath(pageFolder),
        locate: shown,
        ...(steps && { steps }),
      });
    }
  }
}

function cannotLook(error: unknown, streams: Streams): number {
  if (error instanceof UsageError) throw error;
  complain(streams, `coracle why: cannot look: ${error instanceof Error ? error.message : String(error)}`);
  return 2;
}
