/** Does nothing: this runtime has no way to keep a buffer from being transferred. */
export function keepFromTransfer(_buffer: ArrayBuffer): void {}
