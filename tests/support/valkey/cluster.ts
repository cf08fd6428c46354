import { SLOT_COUNT } from "../../../src/valkey/hash-slot.ts";
import {
  freeClusterPort,
  type RealServer,
  type RealServerOptions,
  runCli,
  runCliMeanwhile,
  startRealServer,
} from "./real-server.ts";

export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly RealServer[];
  /** Moves slots, with the keys in them, from one node to another. */
  readonly reshard: (from: number, to: number, slots: number) => Promise<void>;
  /** Starts the migration of one slot, so that keys that are not there yet get `ASK`; the result ends it. */
  readonly beginMigration: (slot: number, from: number, to: number) => () => void;
  readonly ownerOf: (slot: number) => number;
}

/** Three primaries that answer redirects with the host name `localhost`. */
export async function startCluster(options: RealServerOptions): Promise<Cluster> {
  const nodes = await Promise.all([1, 2, 3].map(() => startNode(options)));
  const [first] = nodes as [RealServer, RealServer, RealServer];
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  runCli(options.authority, first.port, ["--cluster", "create", ...addresses, "--cluster-yes"]);
  await settled(nodes);
  const ids = nodes.map((node) => node.admin("cluster", "myid"));
  return {
    nodes,
    reshard: async (from, to, slots) => {
      const [source, target] = [ids[from] ?? "", ids[to] ?? ""];
      const plan = [
        "--cluster-from",
        source,
        "--cluster-to",
        target,
        "--cluster-slots",
        String(slots),
        "--cluster-yes",
      ];
      await runCliMeanwhile(options.authority, first.port, [
        "--cluster",
        "reshard",
        `127.0.0.1:${first.port}`,
        ...plan,
      ]);
    },
    beginMigration: (slot, from, to) => {
      const setSlot = (node: number, ...how: readonly string[]): void =>
        void nodes[node]?.admin("cluster", "setslot", String(slot), ...how);
      setSlot(to, "importing", ids[from] ?? "");
      setSlot(from, "migrating", ids[to] ?? "");
      return () => [from, to].forEach((node) => setSlot(node, "stable"));
    },
    ownerOf: (slot) =>
      nodes.findIndex((node) => {
        const own =
          node
            .admin("cluster", "nodes")
            .split("\n")
            .find((line) => line.includes("myself")) ?? "";
        return own
          .split(" ")
          .slice(8)
          .some((range) => {
            const [low = -1, high = low] = range.split("-").map(Number);
            return low <= slot && slot <= high;
          });
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}

async function startNode(options: RealServerOptions): Promise<RealServer> {
  const replication = ["--tls-cluster", "yes", "--tls-replication", "yes", "--cluster-enabled", "yes"];
  const names = ["--cluster-announce-hostname", "localhost", "--cluster-preferred-endpoint-type", "hostname"];
  const extraArguments = [...replication, ...names, "--cluster-node-timeout", "2000"];
  return startRealServer({ ...options, port: await freeClusterPort(), extraArguments });
}

async function settled(nodes: readonly RealServer[]): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const infos = nodes.map((node) => node.admin("cluster", "info"));
    if (infos.every((info) => info.includes("cluster_state:ok") && info.includes(`slots_ok:${SLOT_COUNT}`))) return;
    await Bun.sleep(100);
  }
  throw new Error("the cluster does not get ready");
}
