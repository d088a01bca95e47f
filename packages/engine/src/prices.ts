/** Prices of requests, in US dollars. Storage and traffic out of the region are not included. */
export interface Prices {
  /** Where and when these prices applied, for people to read. */
  readonly source: string
  readonly s3: {
    /** For 1,000 PUT, POST and LIST requests, including uploads and their parts. */
    readonly thousandWrites: number
    /** For 1,000 GET and HEAD requests. DELETE is free. */
    readonly thousandReads: number
  }
  readonly dynamodb: {
    /** For a million write units (1 KiB each), on demand. */
    readonly millionWriteUnits: number
    /** For a million read units (4 KiB each, strongly consistent), on demand. */
    readonly millionReadUnits: number
  }
}

/** Published prices of S3 Standard and DynamoDB on demand, standard table class. */
export const AWS_PRICES: Prices = {
  source: 'AWS, us-east-1, since 2024-11-01',
  s3: { thousandWrites: 0.005, thousandReads: 0.0004 },
  dynamodb: { millionWriteUnits: 0.625, millionReadUnits: 0.125 },
}
