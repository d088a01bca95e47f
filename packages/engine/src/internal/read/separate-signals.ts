/**
 * A signal of its own for each of several calls that go on side by side; all abort with their
 * caller's. (Node takes more than ten listeners of one signal for a leak, and warns.) `end` is to
 * be called when the calls are over.
 */
export function separateSignals(
  signal: AbortSignal | undefined,
  count: number,
): { signals: readonly (AbortSignal | undefined)[]; end: () => void } {
  if (signal === undefined) return { signals: new Array(count).fill(undefined), end: nothing }
  const controllers = Array.from({ length: count }, () => new AbortController())
  const onAbort = (): void => {
    for (const controller of controllers) controller.abort(signal.reason)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return {
    signals: controllers.map((controller) => controller.signal),
    end: () => signal.removeEventListener('abort', onAbort),
  }
}

function nothing(): void {}
