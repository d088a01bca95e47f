/** A value that knows its weight. */
export interface Sized {
  /**
   * Bytes of memory that the value keeps alive, its objects included if they matter. Read once,
   * when the value is admitted; finite and not negative.
   */
  readonly memoryBytes: number
}
