/**
 * How many times longer than on a quiet machine something takes now: the time on the wall over the processor's, of work that does nothing but
 * compute. For promises in seconds that are tested beside other work; 1 where nothing else runs.
 */
export function measureBusyness(): number {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  let sum = 0;
  while (performance.now() - startedMs < 60) for (let index = 0; index < 10_000; index++) sum += Math.sqrt(index);
  const { user, system } = process.cpuUsage(before);
  const computedMs = (user + system) / 1000;
  return sum > 0 ? Math.max(1, (performance.now() - startedMs) / Math.max(1, computedMs)) : 1;
}
