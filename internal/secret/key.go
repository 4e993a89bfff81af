package secret

import "fmt"

// VersionKey is the key of a parameter's version. A colon is not part of a parameter's name.
func VersionKey(parameter string, version int64) string {
	return fmt.Sprintf("%s:%010d", parameter, version)
}
