/** Lets writes wait for the drops on their way, as those decide which table a name means. */
export class DropGate {
  #dropping: Promise<unknown> | undefined

  /** What a write has to wait for. */
  get wait(): Promise<unknown> | undefined {
    return this.#dropping
  }

  /** Writes wait until this settles. */
  close(drop: Promise<unknown>): void {
    const dropping = drop
      .catch(() => {})
      .then(() => {
        if (this.#dropping === dropping) this.#dropping = undefined
      })
    this.#dropping = dropping
  }
}
