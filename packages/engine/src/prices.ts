/** What requests cost, in US dollars. Storage and traffic out of the region are not in it. */
export interface Prices {
  /** Where and when these prices held, for people. */
  readonly source: string
  readonly s3: {
    /** Of 1,000 PUT, POST and LIST requests: uploads and their parts, too. */
    readonly thousandWrites: number
    /** Of 1,000 GET and HEAD requests. DELETE is free. */
    readonly thousandReads: number
  }
  readonly dynamodb: {
    /** Of a million write units (1 KiB each), on demand. */
    readonly millionWriteUnits: number
    /** Of a million read units (4 KiB each, strongly consistent), on demand. */
    readonly millionReadUnits: number
  }
}

/** S3 Standard and DynamoDB on demand, standard table class; the published prices. */
export const AWS_PRICES: Prices = {
  source: 'AWS, us-east-1, since 2024-11-01',
  s3: { thousandWrites: 0.005, thousandReads: 0.0004 },
  dynamodb: { millionWriteUnits: 0.625, millionReadUnits: 0.125 },
}
