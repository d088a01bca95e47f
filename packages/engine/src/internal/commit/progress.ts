/**
 * Passes on that the view, or what waits to be flushed, may have changed: from the committer and
 * the log's follower to what starts maintenance.
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
