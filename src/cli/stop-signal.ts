/** SIGINT, SIGTERM and `coracle down` ask for a clean stop; a second signal ends the process at once. */
export function stopSignal(): { readonly asked: Promise<void>; now(): void } {
  let now = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    now = resolve;
  });
  let times = 0;
  const onSignal = (): void => {
    times += 1;
    if (times > 1) process.exit(130);
    now();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { asked, now };
}
