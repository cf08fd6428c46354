/** A value that is often there already. On the cached path of a request nothing waits, so nothing there is a promise. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** `next(value)`, at once when the value is there. Throws or rejects as `next` does. */
export function chain<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
