import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ObjectServer {
  url: string
  objects: Map<string, Uint8Array>
  /** What came, as 'GET /key bytes=0-1'. */
  requests: string[]
  /** Answers instead of the server where it returns true. */
  intercept: ((request: http.IncomingMessage, response: http.ServerResponse) => boolean) | undefined
  close(): Promise<void>
}

/** A static file server on a free port of the loopback interface, over a map. */
export async function startObjectServer(
  how: { ranges?: boolean; etags?: boolean; head?: boolean; lengths?: boolean } = {},
): Promise<ObjectServer> {
  const { ranges = true, etags = true, head = true, lengths = true } = how
  const objects = new Map<string, Uint8Array>()
  const requests: string[] = []
  const server = http.createServer((request, response) => {
    const { method = '', url = '', headers } = request
    requests.push(`${method} ${url} ${headers.range ?? ''}`.trim())
    if (made.intercept?.(request, response) === true) return
    const path = new URL(url, 'http://localhost').pathname
    const key = decodeURIComponent(path).replace(/^\/base\//, '')
    const bytes = objects.get(key)
    if (bytes === undefined) return void response.writeHead(404).end()
    if (method === 'HEAD' && !head) return void response.writeHead(405).end()
    const etag = `"${bytes.length}-${bytes.reduce((sum, byte) => (sum * 31 + byte) | 0, 7)}"`
    const ifMatch = headers['if-match']
    if (ifMatch !== undefined && ifMatch !== etag) return void response.writeHead(412).end()
    const common: Record<string, string> = etags
      ? { etag }
      : { 'last-modified': 'Tue, 15 Nov 1994 12:45:26 GMT' }
    let status = 200
    let [start, end] = [0, bytes.length]
    const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? []
    if (ranges && first !== undefined && last !== undefined) {
      if (first === '') start = Math.max(0, end - Number(last))
      else [start, end] = [Number(first), last === '' ? end : Math.min(end, Number(last) + 1)]
      if (start >= end) {
        response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
        return
      }
      common['content-range'] = `bytes ${start}-${end - 1}/${bytes.length}`
      status = 206
    }
    if (lengths) common['content-length'] = `${end - start}`
    response.writeHead(status, common)
    response.end(method === 'HEAD' ? undefined : bytes.subarray(start, end))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const made: ObjectServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`,
    objects,
    requests,
    intercept: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return made
}
