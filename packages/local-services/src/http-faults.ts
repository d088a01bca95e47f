/** An answer that the proxy makes up. */
export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** The treatment of one request, instead of the usual way to the server and back. */
export interface HttpFault {
  /** Whether the server gets it: never, once, twice in a row, or once but later. */
  delivery: 'never' | 'once' | 'twice' | { afterMs: number }
  /**
   * What the client gets: the server's (last) reply, a broken connection, nothing at all, half of
   * the reply and then a broken connection, or an answer that the proxy makes up. Anything but the
   * server's reply doesn't wait for a late delivery.
   */
  reply: 'real' | 'reset' | 'hang' | 'cut' | HttpAnswer
}

/** The server did it; the connection breaks before its reply. */
export const LOST_REPLY: HttpFault = { delivery: 'once', reply: 'reset' }
/** The server did it; its reply breaks off in the middle. */
export const CUT_REPLY: HttpFault = { delivery: 'once', reply: 'cut' }
/** The server did it; the client never gets an answer. */
export const SILENT_SUCCESS: HttpFault = { delivery: 'once', reply: 'hang' }
/** The connection breaks before the server gets the request. */
export const LOST_REQUEST: HttpFault = { delivery: 'never', reply: 'reset' }
/** The server never gets the request, and the client never gets an answer. */
export const HANG: HttpFault = { delivery: 'never', reply: 'hang' }
/** The server does it twice; the client gets the second reply. */
export const TWICE: HttpFault = { delivery: 'twice', reply: 'real' }

/** The connection breaks, and the server does it afterwards. */
export function late(afterMs: number): HttpFault {
  return { delivery: { afterMs }, reply: 'reset' }
}

/** The server never gets the request; the client gets this answer. */
export function refused(answer: HttpAnswer): HttpFault {
  return { delivery: 'never', reply: answer }
}

/** The server did it; the client gets this answer instead of the real one. */
export function denied(answer: HttpAnswer): HttpFault {
  return { delivery: 'once', reply: answer }
}

/** Returns one of these faults in a share of the calls. `random` returns a number in [0, 1). */
export function randomFault(
  random: () => number,
  share: number,
  faults: readonly HttpFault[],
): HttpFault | undefined {
  return random() < share ? faults[Math.floor(random() * faults.length)] : undefined
}
