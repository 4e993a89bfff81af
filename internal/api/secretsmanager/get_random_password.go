package secretsmanager

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// The types of characters of a password.
const (
	letters     = "abcdefghijklmnopqrstuvwxyz"
	capitals    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numerals    = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

	usualPassword = 32
	mostPassword  = 4096
)

// getRandomPassword makes a password, which nobody keeps.
func (a *API) getRandomPassword(_ context.Context, _ *frontdoor.Request, in *awssm.GetRandomPasswordInput) (*awssm.GetRandomPasswordOutput, error) {
	var c constraint.Check
	constraint.Number(&c, "passwordLength", in.PasswordLength, 1, mostPassword)
	c.Text("excludeCharacters", in.ExcludeCharacters, 0, mostPassword)
	if err := c.Err(); err != nil {
		return nil, err
	}
	length := usualPassword
	if in.PasswordLength != nil {
		length = int(*in.PasswordLength)
	}
	kinds := includedTypes(in)
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	switch {
	case len(kinds) == 0:
		return nil, invalidParameter("Your password exclusions leave no character: ExcludeCharacters and the excluded types exclude them all.")
	case each && length < len(kinds):
		return nil, invalidParameter("Password length %d is too short based on the required types.", length)
	}
	made := password(kinds, length, each)
	return &awssm.GetRandomPasswordOutput{RandomPassword: &made}, nil
}

// includedTypes are the characters of each type that a request includes, without types of which nothing is left.
func includedTypes(in *awssm.GetRandomPasswordInput) (kinds []string) {
	for _, kind := range []struct {
		characters string
		left       bool
	}{
		{letters, aws.ToBool(in.ExcludeLowercase)}, {capitals, aws.ToBool(in.ExcludeUppercase)}, {numerals, aws.ToBool(in.ExcludeNumbers)},
		{punctuation, aws.ToBool(in.ExcludePunctuation)}, {" ", !aws.ToBool(in.IncludeSpace)},
	} {
		characters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, kind.characters)
		if !kind.left && characters != "" {
			kinds = append(kinds, characters)
		}
	}
	return kinds
}

// password has so many characters, one at least of each type where that is wanted.
func password(kinds []string, length int, each bool) string {
	all := strings.Join(kinds, "")
	b := []byte(randomText(all, length))
	if !each {
		return string(b)
	}
	for i, kind := range kinds {
		b[i] = kind[randomNumber(len(kind))]
	}
	for i := len(b) - 1; i > 0; i-- {
		j := randomNumber(i + 1)
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
