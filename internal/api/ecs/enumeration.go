package ecs

import (
	"slices"
	"strings"

	"berth/internal/apierr"
)

// enumeration is one of the SDK's closed sets of words.
type enumeration[E any] interface {
	~string
	Values() []E
}

// validateEnum checks that a member's value is one of its words; an absent one is right. An error is an InvalidParameterException.
func validateEnum[E enumeration[E]](member string, v E) error {
	known := v.Values()
	if v == "" || slices.ContainsFunc(known, func(k E) bool { return k == v }) {
		return nil
	}
	return apierr.InvalidParameter("%s should be one of [%s]", member, strings.Join(texts(known, func(k E) string { return string(k) }), ","))
}

// validateEnums checks each of a list.
func validateEnums[E enumeration[E]](member string, vs []E) error {
	for _, v := range vs {
		if v == "" {
			return apierr.InvalidParameter("%s should not contain an empty value.", member)
		}
		if err := validateEnum(member, v); err != nil {
			return err
		}
	}
	return nil
}
