/**
 * Called before each of many blocks is decoded, which takes some 20 µs a block. If it returns a
 * promise, decoding waits for it, so that other work of the thread gets a turn.
 */
export type Pause = () => Promise<void> | undefined
