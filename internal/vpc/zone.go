package vpc

// ZoneLetters are the letters of a region's availability zones: us-east-1a, us-east-1b and us-east-1c.
func ZoneLetters() []string { return []string{"a", "b", "c"} }

// Zones are a region's availability zones, in their order.
func Zones(region string) (zones []string) {
	for _, letter := range ZoneLetters() {
		zones = append(zones, region+letter)
	}
	return zones
}
