/**
 * The region as the SDK finds it: environment, then the shared configuration file. Undefined: there is none.
 *
 * A client is asked because only clients know where the SDK looks; it is made for that and sends nothing.
 */
export async function loadDefaultRegion(): Promise<string | undefined> {
  const { KMS } = await import("@aws-sdk/client-kms");
  const client = new KMS({});
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}
