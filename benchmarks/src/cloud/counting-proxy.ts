import { once } from 'node:events'
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request and its answer, seen from between the client and the service. */
export interface Exchange {
  method: string
  /** The path with the query. */
  url: string
  headers: IncomingHttpHeaders
  /** 0 where no answer came. */
  status: number
  bytesSent: number
  bytesReceived: number
  /** The bodies, where they are kept and whole; else empty. */
  request: string
  answer: string
}

export interface CountingProxy {
  readonly endpoint: string
  /** Requests that are under way. */
  readonly underWay: number
  stop(): Promise<void>
}

/** About one connection, not about what goes over it. */
const OF_THE_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect'])

/**
 * Listens on loopback in front of an HTTP service and tells `onExchange` of every request once it
 * is answered, or broken off. Lets bodies through as they come and changes nothing in them; the
 * Host header is the client's, so that signatures hold.
 */
export async function startCountingProxy(
  target: string,
  options: {
    keepsBodies: boolean
    /** How long answers are held back: what a network would take, and loopback doesn't. */
    delayMs: number
    onExchange: (exchange: Exchange) => void
  },
): Promise<CountingProxy> {
  const { hostname: host, port } = new URL(target)
  const agent = new http.Agent({ keepAlive: true, noDelay: true })
  let underWay = 0

  const server = http.createServer({ noDelay: true }, (request, response) => {
    underWay++
    const { method = '', url = '', headers } = request
    const sent = watch(request, options.keepsBodies)
    let reply: IncomingMessage | undefined
    let received = NOTHING
    let told = false
    const tell = (): void => {
      if (told) return
      told = true
      options.onExchange({
        method,
        url,
        headers,
        status: reply?.statusCode ?? 0,
        bytesSent: sent.bytes,
        bytesReceived: received.bytes,
        request: sent.text(),
        answer: reply?.complete === true ? received.text() : '',
      })
    }
    response.on('close', () => {
      tell()
      underWay--
      out.destroy()
    })
    const out = http.request({ agent, host, port, method, path: url, headers: passed(headers) })
    out.on('error', () => response.destroy())
    out.on('response', (answer) => {
      reply = answer
      answer.on('error', () => response.destroy())
      const pass = (): void => {
        received = watch(answer, options.keepsBodies)
        response.writeHead(answer.statusCode ?? 502, passed(answer.headers))
        // Before the client can know the end of the answer, and ask for the counts.
        answer.on('end', tell)
        answer.pipe(response)
      }
      if (options.delayMs === 0) pass()
      else setTimeout(pass, options.delayMs)
    })
    request.pipe(out)
  })
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get underWay() {
      return underWay
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      agent.destroy()
    },
  }
}

interface Seen {
  bytes: number
  text(): string
}

const NOTHING: Seen = { bytes: 0, text: () => '' }

function watch(message: IncomingMessage, keeps: boolean): Seen {
  const chunks: Buffer[] = []
  const seen = { bytes: 0, text: () => Buffer.concat(chunks).toString() }
  message.on('data', (chunk: Buffer) => {
    seen.bytes += chunk.length
    if (keeps) chunks.push(chunk)
  })
  return seen
}

function passed(headers: IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_HOP.has(name)))
}
