import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * Returns a port of the loopback interface that was free a moment ago. Another process may take it
 * before you do: if a service doesn't come up on it, try again with another port.
 */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
