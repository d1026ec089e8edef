import { readFileSync } from 'node:fs';
import { StatusError } from '../api/status.ts';
import { systemClock } from '../base/clock.ts';
import { KubeconfigError } from '../client/kubeconfig.ts';
import { UsageError } from '../cluster/options.ts';
import { isBad } from '../doctor/engine.ts';
import type { Diagnosis, Finding } from '../doctor/finding.ts';
import { locate, type SourceFile } from '../doctor/locate.ts';
import { type Look, look } from '../doctor/look.ts';
import type { Reference } from '../doctor/reference.ts';
import { jsonReport } from '../doctor/report/json.ts';
import { textReport } from '../doctor/report/text.ts';
import { TargetError, targetOf } from '../doctor/target.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './kube/connect.ts';
import type { CommandBuilder } from './main.ts';
import { complain, type Streams } from './output.ts';

interface WhyFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly filename?: readonly string[];
  readonly output: string;
}

const formats = ['text', 'json'];
const pages = 'https://github.com/coracle-k8s/coracle/blob/main/docs/why/';

/**
 * `coracle why`: names the root cause of what fails. Exit 0: healthy; 1: there are findings; 2: could not look.
 */
export const whyCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('why'))
    .description('say why pods fail: the cause, the evidence, the fix')
    .argument('[target...]', 'TYPE/NAME or TYPE NAME; nothing: all of the namespace')
    .option('-A, --all-namespaces', 'look at the whole cluster')
    .option('-f, --filename <files...>', 'manifests, to name file and line of the cause')
    .option('-o, --output <format>', formats.join(', '), 'text')
    .action(async (args: readonly string[], flags: WhyFlags) => {
      exit(await why(args, flags, streams));
    });
};

async function why(args: readonly string[], flags: WhyFlags, streams: Streams): Promise<number> {
  if (!formats.includes(flags.output)) throw new UsageError(`unknown output "${flags.output}": ${formats.join(', ')}`);
  const files = (flags.filename ?? []).map((file) => ({ file, text: readFileSync(file, 'utf8') }));
  let connection: Connection;
  try {
    connection = await connect(flags, streams);
  } catch (error) {
    return cannotLook(error, streams);
  }
  try {
    const target = scope(args, flags, connection.namespace);
    const seen = await look({
      client: connection.client,
      clock: systemClock,
      namespace: connection.namespace,
      ...(target && { target }),
    });
    missing(seen, target);
    streams.stdout.write(render(seen, flags.output, files, streams));
    return healthy(seen.diagnosis) ? 0 : 1;
  } catch (error) {
    return cannotLook(error, streams);
  } finally {
    connection.client.close();
  }
}

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
  throw new TargetError(
    blind
      ? `cannot see ${target.kind} ${target.name}: ${blind.message}`
      : `there is no ${target.kind} "${target.name}"${target.namespace ? ` in namespace ${target.namespace}` : ''}`,
  );
}

function render({ diagnosis, snapshot }: Look, output: string, files: readonly SourceFile[], streams: Streams): string {
  if (output === 'json') return `${JSON.stringify(jsonReport(diagnosis, snapshot.serverVersion), null, 2)}\n`;
  const terminal = streams.stdout.isTTY === true;
  return textReport(diagnosis, {
    color: terminal && !streams.env['NO_COLOR'] && streams.env['TERM'] !== 'dumb',
    width: Math.min(120, terminal ? (streams.stdout.columns ?? 100) : 100),
    pages,
    locate: (it: Finding) => {
      const place = it.field && locate(files, it.field);
      return place && `${place.file}:${place.line}:${place.column}`;
    },
  });
}

function cannotLook(error: unknown, streams: Streams): number {
  if (error instanceof UsageError) throw error;
  const message =
    error instanceof StatusError ||
    error instanceof KubeconfigError ||
    error instanceof TargetError ||
    error instanceof Error
      ? error.message
      : String(error);
  complain(streams, `coracle why: cannot look: ${message}`);
  return 2;
}
