const OWN = /^AWS_/;

/**
 * Sets exactly these AWS variables in this process, where the SDK reads them, until disposed; then all are as they were. Shared
 * configuration files of the machine and its metadata service are out of sight.
 */
export function useAwsEnvironment(variables: Readonly<Record<string, string>>): Disposable {
  const before = Object.entries(process.env).filter(([name]) => OWN.test(name));
  const clear = (): void => {
    for (const name of Object.keys(process.env)) if (OWN.test(name)) delete process.env[name];
  };
  clear();
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
    ...variables,
  });
  return {
    [Symbol.dispose]: () => {
      clear();
      Object.assign(process.env, Object.fromEntries(before));
    },
  };
}
