import type { AppConnection } from "../vending/mint.ts";

/** A connection whose tokens end with it. */
export interface BorrowedTokens extends AsyncDisposable {
  readonly connection: AppConnection;
}

/** Disposing takes back every token that was made through `connection`, as far as GitHub can be reached: nothing that works is left behind. */
export function borrowTokens(connection: AppConnection): BorrowedTokens {
  const made: string[] = [];
  return {
    connection: {
      ...connection,
      createToken: async (request) => {
        const grant = await connection.createToken(request);
        made.push(grant.token);
        return grant;
      },
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled(made.map((token) => connection.revokeToken(token)));
    },
  };
}
