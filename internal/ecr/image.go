package ecr

import (
	"regexp"
	"strings"

	"berth/internal/arn"
)

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,12}){1,4}$`)
)

// Image is where an image of a registry of Berth's is: HOST:PORT/ACCOUNT/REGION/NAME, with a tag or a digest.
type Image struct {
	Host  string // with its port
	Scope arn.Scope
	Name  string // the repository's
}

// ParseImage reads the name of an image; false where it has not that form. Whether the host is one of Berth's, the name does not say.
func ParseImage(text string) (i Image, ok bool) {
	parts := strings.SplitN(text, "/", 4)
	if len(parts) != 4 {
		return i, false
	}
	name, _, _ := strings.Cut(parts[3], "@")
	name, _, _ = strings.Cut(name, ":")
	i = Image{Host: parts[0], Scope: arn.Scope{Partition: "aws", Account: parts[1], Region: parts[2]}, Name: name}
	isHost := strings.ContainsAny(i.Host, ".:") || i.Host == "localhost" // others are names of Docker's own registry
	return i, isHost && accountForm.MatchString(i.Scope.Account) && regionForm.MatchString(i.Scope.Region) && ValidName(name)
}
