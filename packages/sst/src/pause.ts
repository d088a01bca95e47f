/**
 * Asked before each of many blocks is checked and decoded, which take some 20 µs each: what it
 * returns is waited for. For callers that give other work of their thread a turn.
 */
export type Pause = () => Promise<void> | undefined
