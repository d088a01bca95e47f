/**
 * Passes on that the view may have changed, or what waits to be flushed: from those who commit, and
 * read what others committed, to the one who starts maintenance.
 */
export class Progress {
  #listener: () => void = () => {}

  /** Has `listener` called from now on. */
  listen(listener: () => void): void {
    this.#listener = listener
  }

  report(): void {
    this.#listener()
  }
}
