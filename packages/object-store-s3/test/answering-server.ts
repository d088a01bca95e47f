import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3ObjectStore, type S3ObjectStoreOptions } from '../src/index.js'

export interface AnsweringServer {
  endpoint: string
  /** Number of connections so far. */
  readonly connections: number
  close(): Promise<void>
}

export type Answering = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => void | Promise<void>

/** A server on loopback that sends the answers it is given. */
export async function startAnswering(answer: Answering): Promise<AnsweringServer> {
  let connections = 0
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await answer(request, response, Buffer.concat(chunks))
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** A store on such a server, with any credentials. */
export function storeAt(
  endpoint: string,
  options: Partial<S3ObjectStoreOptions> = {},
): S3ObjectStore {
  const { clientConfig, ...rest } = options
  return new S3ObjectStore({
    bucket: 'a-bucket',
    clientConfig: {
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'a-secret' },
      ...clientConfig,
    },
    ...rest,
  })
}

/** Resolves to the error with which a promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
