/**
 * Does some work for each item, all at once, and gives each a signal of its own that aborts with
 * the caller's: requests listen to theirs, and Node warns of more than ten listeners on one.
 */
export async function fanOut<T, R>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal | undefined) => Promise<R>,
): Promise<R[]> {
  if (signal === undefined) return Promise.all(items.map((item) => work(item, undefined)))
  const own: AbortController[] = []
  const onAbort = (): void => {
    for (const each of own) each.abort(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.all(
      items.map((item) => {
        const controller = new AbortController()
        if (signal.aborted) controller.abort(signal.reason)
        own.push(controller)
        return work(item, controller.signal)
      }),
    )
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
