import { once } from 'node:events'
import http, {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemEnv } from '@firn/env'
import type { HttpFault } from './http-faults.js'

/** The facts by which a fault is chosen: an operation of DynamoDB's is in `x-amz-target`. */
export interface ProxiedRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
}

/** A proxy on loopback, until `stop`. */
export interface FaultProxy {
  readonly endpoint: string
  /** Requests that arrived. */
  readonly requests: number
  /** Requests among them that got a fault. */
  readonly faults: number
  /** Resolves when no delivery is pending any more. */
  settled(): Promise<void>
  /** Waits for pending deliveries, breaks all connections and ends. Idempotent. */
  stop(): Promise<void>
}

/**
 * Listens in front of an HTTP service (`http://host:port`) and calls `choose` for every request to
 * get its fault; `undefined` lets the request through. The proxy doesn't look into requests, and
 * passes the Host header on, so that signatures stay valid.
 */
export async function startFaultProxy(
  target: string,
  choose: (request: ProxiedRequest) => HttpFault | undefined,
): Promise<FaultProxy> {
  const upstream = new Upstream(new URL(target))
  const due = new Set<Promise<unknown>>()
  let requests = 0
  let faults = 0

  const server = http.createServer((request, response) => {
    requests++
    const fault = choose({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
    })
    if (fault !== undefined) faults++
    const work =
      fault === undefined ? upstream.pass(request, response) : spoil(request, response, fault)
    // A failure on the way to the server looks like a broken connection to the client.
    work.catch(() => response.destroy())
  })

  async function spoil(request: IncomingMessage, response: ServerResponse, fault: HttpFault) {
    const body = await bodyOf(request)
    const { delivery, reply } = fault
    const delivered = deliver(request, body, delivery)
    due.add(delivered)
    const forget = () => due.delete(delivered)
    delivered.then(forget, forget)
    // Unless the delivery is late, the client's answer must not come before it.
    const real = typeof delivery === 'object' && reply !== 'real' ? undefined : await delivered
    if (reply === 'hang') return
    if (reply === 'reset' || (real === undefined && typeof reply === 'string')) {
      response.destroy()
    } else if (typeof reply === 'object') {
      response.writeHead(reply.status, reply.headers).end(reply.body)
    } else if (real !== undefined) {
      response.writeHead(real.status, real.headers)
      if (reply === 'real') response.end(real.body)
      else response.write(real.body.subarray(0, real.body.length >> 1), () => response.destroy())
    }
  }

  async function deliver(
    request: IncomingMessage,
    body: Buffer,
    delivery: HttpFault['delivery'],
  ): Promise<Reply | undefined> {
    if (delivery === 'never') return undefined
    if (typeof delivery === 'object') await systemEnv.sleep(delivery.afterMs)
    if (delivery === 'twice') await upstream.send(request, body)
    return upstream.send(request, body)
  }

  const settled = async () => {
    while (due.size > 0) await Promise.allSettled(due)
  }
  let stopping: Promise<void> | undefined
  const stop = async () => {
    await settled()
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
    upstream.close()
  }

  // The client and the server decide how long they wait.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    get faults() {
      return faults
    },
    settled,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

interface Reply {
  status: number
  headers: http.OutgoingHttpHeaders
  body: Buffer
}

/** Headers that are about one connection, and one that asks the proxy to wait. */
const OF_THE_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect'])

class Upstream {
  readonly #target: URL
  readonly #agent = new http.Agent({ keepAlive: true })

  constructor(target: URL) {
    this.#target = target
  }

  /** Passes a request and its reply through as they come. */
  async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const out = this.#request(request)
    request.pipe(out)
    response.on('close', () => out.destroy())
    const [reply] = (await once(out, 'response')) as [IncomingMessage]
    response.writeHead(reply.statusCode ?? 502, headersOf(reply))
    reply.on('error', () => response.destroy())
    reply.pipe(response)
  }

  /** Sends a request with this body, and reads the whole reply. */
  async send(request: IncomingMessage, body: Buffer): Promise<Reply> {
    const out = this.#request(request)
    out.end(body)
    const [reply] = (await once(out, 'response')) as [IncomingMessage]
    return { status: reply.statusCode ?? 502, headers: headersOf(reply), body: await bodyOf(reply) }
  }

  close(): void {
    this.#agent.destroy()
  }

  #request(request: IncomingMessage): http.ClientRequest {
    const { hostname: host, port } = this.#target
    const { method, url: path } = request
    const headers = headersOf(request)
    const out = http.request({ agent: this.#agent, host, port, method, path, headers })
    // Before there is a reply, the caller that waits for it gets the error; after that, the reply
    // does.
    out.on('error', () => {})
    return out
  }
}

function headersOf({ headers }: { headers: IncomingHttpHeaders }): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_HOP.has(name)))
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
