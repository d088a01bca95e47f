import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Counts, countsBetween, dollars, totalOf } from '../src/cloud/bill.js'
import { unitsOf } from '../src/cloud/capacity-units.js'
import type { CloudCell, CloudResults } from '../src/cloud/cloud-results.js'
import { type Exchange, startCountingProxy } from '../src/cloud/counting-proxy.js'
import { dynamoDbOperation, isRead, s3Operation } from '../src/cloud/operations.js'
import { cloudToMarkdown } from '../src/report/cloud-markdown.js'

const PRICES = {
  source: 'a list',
  s3: { thousandWrites: 0.005, thousandReads: 0.0004 },
  dynamodb: { millionWriteUnits: 0.625, millionReadUnits: 0.125 },
}

const many = (requests: number) => ({ requests, refused: 0, bytesSent: 10, bytesReceived: 100 })

function countsOf(counts: Partial<Counts>): Counts {
  return { s3: {}, dynamodb: {}, writeUnits: 0, readUnits: 0, ...counts }
}

describe('what a request is', () => {
  it.each([
    ['GET', '/bucket/some/key?x-id=GetObject', 'GET'],
    ['GET', '/bucket?list-type=2&prefix=a%2Fb', 'LIST'],
    ['GET', '/bucket/?list-type=2', 'LIST'],
    ['HEAD', '/bucket/key', 'HEAD'],
    ['PUT', '/bucket/key', 'PUT'],
    ['PUT', '/bucket/key?partNumber=3&uploadId=x', 'multipart part'],
    ['POST', '/bucket/key?uploads', 'multipart start'],
    ['POST', '/bucket/key?uploadId=x', 'multipart end'],
    ['DELETE', '/bucket/key?uploadId=x', 'multipart abort'],
    ['DELETE', '/bucket/key', 'DELETE'],
    ['POST', '/bucket?delete', 'DELETE'],
  ])('%s %s is %s', (method, url, operation) => {
    expect(s3Operation(method, url, false)).toBe(operation)
  })

  it('tells a copy from an upload, a read from a write, and one item from another', () => {
    expect(s3Operation('PUT', '/bucket/key', true)).toBe('COPY')
    expect(dynamoDbOperation('DynamoDB_20120810.PutItem')).toBe('PutItem')
    expect(['GET', 'LIST', 'Query'].every(isRead)).toBe(true)
    expect(['PUT', 'DELETE', 'multipart part', 'PutItem'].some(isRead)).toBe(false)
  })
})

describe('capacity units', () => {
  const binary = (bytes: number) => ({ B: Buffer.alloc(bytes).toString('base64') })
  const put = (bytes: number): string =>
    // 'id' + 'abc' + 'n' + 2 bytes of number + 'p' take 9 bytes.
    JSON.stringify({ Item: { id: { S: 'abc' }, n: { N: '42' }, p: binary(bytes) } })

  it('of a write are KiB begun of names and values', () => {
    expect(unitsOf('PutItem', put(1), '{}')).toEqual({ write: 1, read: 0 })
    expect(unitsOf('PutItem', put(1024 - 9), '{}')).toEqual({ write: 1, read: 0 })
    expect(unitsOf('PutItem', put(1024 - 8), '{}')).toEqual({ write: 2, read: 0 })
  })

  it('of a write that was refused are those of the larger item', () => {
    const refused = JSON.stringify({ __type: 'x', Item: { id: { S: 'abc' }, p: binary(3000) } })
    expect(unitsOf('PutItem', put(1), refused).write).toBe(3)
  })

  it('of a read are 4 KiB begun of all items together, half where it may be stale', () => {
    const page = JSON.stringify({ Items: [{ p: binary(3000) }, { p: binary(3000) }] })
    expect(unitsOf('Query', '{"ConsistentRead":true}', page)).toEqual({ write: 0, read: 2 })
    expect(unitsOf('Query', '{}', page).read).toBe(1)
    expect(unitsOf('GetItem', '{"ConsistentRead":true}', '{}').read).toBe(1)
  })
})

describe('the bill', () => {
  it('has two prices for S3, units for DynamoDB, and deletes for nothing', () => {
    const counts = countsOf({
      s3: { PUT: many(1000), LIST: many(1000), GET: many(1000), DELETE: many(1000) },
      dynamodb: { PutItem: many(7) },
      writeUnits: 1e6,
      readUnits: 2e6,
    })
    expect(dollars(counts, PRICES)).toBeCloseTo(0.005 + 0.005 + 0.0004 + 0.625 + 0.25, 12)
    expect(totalOf(counts, 'requests')).toBe(4007)
  })

  it('of a section is what came between its ends', () => {
    const before = countsOf({ s3: { GET: many(3), PUT: many(5) }, writeUnits: 1 })
    const after = countsOf({ s3: { GET: many(3), PUT: many(9), HEAD: many(1) }, writeUnits: 4 })
    const between = countsBetween(before, after)
    expect(Object.keys(between.s3)).toEqual(['PUT', 'HEAD'])
    expect(between.s3.PUT?.requests).toBe(4)
    expect(between.writeUnits).toBe(3)
  })
})

describe('the proxy', () => {
  const started: { stop(): Promise<void> }[] = []
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop()
  })

  async function behindProxy(answer: http.RequestListener) {
    const server = http.createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const seen: Exchange[] = []
    const proxy = await startCountingProxy(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      { keepsBodies: true, delayMs: 0, onExchange: (exchange) => seen.push(exchange) },
    )
    started.push(proxy, {
      stop: async () => {
        server.closeAllConnections()
        server.close()
      },
    })
    return { proxy, seen }
  }

  it('changes nothing, and has counted an answer before the client can have its end', async () => {
    const { proxy, seen } = await behindProxy((request, response) => {
      request.pipe(response.writeHead(412, { etag: '"x"', host: String(request.headers.host) }))
    })
    const body = 'z'.repeat(300_000)
    const response = await fetch(`${proxy.endpoint}/a?b=c`, { method: 'PUT', body })
    expect(await response.text()).toBe(body)
    expect(response.status).toBe(412)
    expect(response.headers.get('etag')).toBe('"x"')
    expect(response.headers.get('host')).toBe(new URL(proxy.endpoint).host)
    expect(seen).toMatchObject([
      { method: 'PUT', url: '/a?b=c', status: 412, bytesSent: 300_000, bytesReceived: 300_000 },
    ])
    expect(seen[0]?.request).toBe(body)
  })

  it('counts a request whose answer breaks off, once', async () => {
    const { proxy, seen } = await behindProxy((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    await expect(fetch(proxy.endpoint).then((r) => r.text())).rejects.toThrow()
    await expect.poll(() => seen.length).toBe(1)
    await expect.poll(() => proxy.underWay).toBe(0)
    expect(seen).toMatchObject([{ status: 200, answer: '' }])
  })
})

describe('the tables', () => {
  const cell = (requests: number, own?: CloudCell['measures'][number]['own']): CloudCell => {
    const counts = countsOf({ s3: { PUT: many(requests) } })
    const measure = { operations: 100, ms: 50, counts, dollars: dollars(counts, PRICES) }
    return { measures: [own === undefined ? measure : { ...measure, own }] }
  }
  const results = (cells: CloudResults['peers'][number]['cells']): CloudResults => ({
    format: 1,
    kind: 'cloud',
    measuredAt: '2026-01-02T03:04:05.000Z',
    machine: {
      cpu: 'cpu',
      cores: 2,
      memoryBytes: 8e9,
      system: 'Linux',
      architecture: 'x64',
      fileSystem: 'ext4',
      node: '20.20.2',
    },
    services: { s3: 'ceph', dynamodb: 'dynoxide' },
    prices: PRICES,
    delaysMs: { s3: 0, dynamodb: 0 },
    keys: 100,
    keyBytes: 16,
    valueBytes: 100,
    runs: 1,
    idleSeconds: 60,
    loadAverages: [0],
    peers: [
      { name: 'firn', version: '1.0.0', settings: '', cells },
      { name: 'slatedb', version: '2.0.0', settings: '', cells: { 'put-64': cell(50) } },
      { name: 'gone', version: '', settings: '', missing: 'not installed: why', cells: {} },
    ],
  })

  it('scale to a million operations, and idling to a month', () => {
    const text = cloudToMarkdown(results({ 'put-64': cell(10), idle: cell(2) }))
    expect(text).toContain(
      '| durable writes, 64 in flight | 100 k, **$0.50** | 500 k, **$2.50** | 0.20 |',
    )
    expect(text).toContain('| open and idle, per hour | 120, **$0.44 a month** |')
    expect(text).toContain('| durable writes, 64 in flight | 2.00 k/s | 2.00 k/s |')
    expect(text).toContain('- gone: not installed: why')
  })

  it('tell where the meter of a peer is off', () => {
    const exact = { requests: 10, dollars: 0.00005 }
    expect(cloudToMarkdown(results({ 'put-64': cell(10, exact) }))).toContain('had the same')
    const off = { requests: 9, dollars: 0.00005 }
    expect(cloudToMarkdown(results({ 'put-64': cell(10, off) }))).toContain('differed from')
  })
})
