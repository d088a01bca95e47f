/**
 * Tells maintenance that the view, or what waits to be flushed, may have changed. The committer and
 * the log's follower report it.
 */
export class Progress {
  #listener: () => void = () => {}

  /** Calls `listener` at each change from now on. */
  listen(listener: () => void): void {
    this.#listener = listener
  }

  report(): void {
    this.#listener()
  }
}
