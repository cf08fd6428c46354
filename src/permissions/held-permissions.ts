import * as v from "valibot";

/** What the installation of each App holds, by the App's name: `{"contents": "write", …}`. */
export type HeldPermissions = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The file's form: `{"apps": {"default": {"permissions": {"contents": "write"}}}}`; further members are ignored. */
const FILE = v.object({
  apps: map(v.object({ permissions: map(v.string()) })),
});

/** A record alone would take a list for one. */
function map<Value extends v.GenericSchema>(value: Value) {
  const isMap = v.check((input: unknown) => !Array.isArray(input));
  return v.pipe(v.unknown(), isMap, v.record(v.string(), value));
}

/** Reads what `formatHeldPermissions` wrote; undefined when it is anything else. */
export function parseHeldPermissions(text: string): HeldPermissions | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), FILE), text);
  if (!parsed.success) return undefined;
  return new Map(Object.entries(parsed.output.apps).map(([name, { permissions }]) => [name, permissions]));
}

/** The file that carries them from where GitHub can be asked to where policies are checked. Holds nothing secret. */
export function formatHeldPermissions(held: HeldPermissions): string {
  const apps = Object.fromEntries(Array.from(held, ([name, permissions]) => [name, { permissions }]));
  return `${JSON.stringify({ apps }, null, 2)}\n`;
}
