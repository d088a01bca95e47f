/**
 * Makes a separate signal for each of several concurrent calls; all abort with their caller's.
 * (Node takes more than ten listeners of one signal for a leak, and warns.) The caller calls `end`
 * when the calls are over.
 */
export function separateSignals(
  signal: AbortSignal | undefined,
  count: number,
): { signals: readonly (AbortSignal | undefined)[]; end: () => void } {
  if (signal === undefined) return { signals: new Array(count).fill(undefined), end: nothing }
  const controllers = Array.from({ length: count }, () => new AbortController())
  return { signals: controllers.map((each) => each.signal), end: link(controllers, signal) }
}

/**
 * A controller for work that its caller's signal aborts, and that may be aborted for other reasons.
 * The caller calls `end` when the work is over.
 */
export function linkedController(signal: AbortSignal | undefined): {
  controller: AbortController
  end: () => void
} {
  const controller = new AbortController()
  return { controller, end: signal === undefined ? nothing : link([controller], signal) }
}

function link(controllers: readonly AbortController[], signal: AbortSignal): () => void {
  const onAbort = (): void => {
    for (const controller of controllers) controller.abort(signal.reason)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return () => signal.removeEventListener('abort', onAbort)
}

function nothing(): void {}
