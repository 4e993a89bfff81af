package logs

import "reflect"

// text is a member of a request by its Go name, "" where it has none.
func text(in any, member string) string {
	f := reflect.ValueOf(in).Elem().FieldByName(member)
	if !f.IsValid() {
		return ""
	}
	s, ok := f.Interface().(*string)
	if !ok || s == nil {
		return ""
	}
	return *s
}

// list is a member of a request that is a list of texts.
func list(in any, member string) []string {
	f := reflect.ValueOf(in).Elem().FieldByName(member)
	if !f.IsValid() {
		return nil
	}
	l, _ := f.Interface().([]string) //nolint:errcheck // nil where it is of another type
	return l
}
