/** A value that knows what it weighs. */
export interface Sized {
  /**
   * Bytes of memory that the value holds on to, its objects included as far as they matter. Read
   * once, when the value is admitted; finite and not negative.
   */
  readonly memoryBytes: number
}
