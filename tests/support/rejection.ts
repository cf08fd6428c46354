/** What the promise rejects with. Rejects itself when it resolves. */
export function rejection(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    () => {
      throw new Error("resolved, and should have been rejected");
    },
    (error: unknown) => error,
  );
}
