/** An answer made up by the proxy. */
export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** What happens to one request instead of going to the server and back. */
export interface HttpFault {
  /** Whether the server gets it: never, once, twice one after the other, or once but later. */
  delivery: 'never' | 'once' | 'twice' | { afterMs: number }
  /**
   * What the client gets: the server's (last) reply, a connection that breaks, nothing at all, half
   * of the reply and then a connection that breaks, or an answer made up. What isn't the server's
   * reply comes without waiting for a delivery that is later.
   */
  reply: 'real' | 'reset' | 'hang' | 'cut' | HttpAnswer
}

/** The server did it; the connection breaks before its reply. */
export const LOST_REPLY: HttpFault = { delivery: 'once', reply: 'reset' }
/** The server did it; its reply breaks off in the middle. */
export const CUT_REPLY: HttpFault = { delivery: 'once', reply: 'cut' }
/** The server did it; nobody ever says so. */
export const SILENT_SUCCESS: HttpFault = { delivery: 'once', reply: 'hang' }
/** The connection breaks before the server heard of it. */
export const LOST_REQUEST: HttpFault = { delivery: 'never', reply: 'reset' }
/** The server never hears of it, and nobody says so. */
export const HANG: HttpFault = { delivery: 'never', reply: 'hang' }
/** The server does it twice; the reply is that to the second time. */
export const TWICE: HttpFault = { delivery: 'twice', reply: 'real' }

/** The connection breaks, and the server does it after that. */
export function late(afterMs: number): HttpFault {
  return { delivery: { afterMs }, reply: 'reset' }
}

/** The server never hears of it. */
export function refused(answer: HttpAnswer): HttpFault {
  return { delivery: 'never', reply: answer }
}

/** The server did it; what the client hears is something else. */
export function denied(answer: HttpAnswer): HttpFault {
  return { delivery: 'once', reply: answer }
}

/** One of these for a share of the times it is asked, as `random` (in [0, 1)) has it. */
export function randomFault(
  random: () => number,
  share: number,
  faults: readonly HttpFault[],
): HttpFault | undefined {
  return random() < share ? faults[Math.floor(random() * faults.length)] : undefined
}
