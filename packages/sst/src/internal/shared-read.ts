/**
 * One read that several blocks wait for. It starts with the first `join`, and is aborted only when
 * all that joined are aborted.
 */
export class SharedRead {
  readonly #read: (signal: AbortSignal) => Promise<Uint8Array>
  readonly #controller = new AbortController()
  #bytes: Promise<Uint8Array> | undefined
  #waiting = 0

  constructor(read: (signal: AbortSignal) => Promise<Uint8Array>) {
    this.#read = read
  }

  join(signal: AbortSignal | undefined): Promise<Uint8Array> {
    this.#waiting++
    signal?.addEventListener(
      'abort',
      () => {
        if (--this.#waiting === 0) this.#controller.abort(signal.reason)
      },
      { once: true },
    )
    this.#bytes ??= this.#read(this.#controller.signal)
    return this.#bytes
  }
}
