package iam

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"berth/internal/apierr"
)

// constraint is what IAM's model says of a member: a text's length in characters, a number's value, a list's length; and a text's form.
type constraint struct {
	least, most int // 0 for none
	form        *regexp.Regexp
	says        string // instead of the expression, where IAM has other words for it: "It must ..."
}

var (
	wordForm    = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathForm    = regexp.MustCompile(`^(/|/[!-~]+/)$`)
	prefixForm  = regexp.MustCompile(`^/[!-\x7f]*$`)
	policyPath  = regexp.MustCompile(`^(/[A-Za-z0-9.,+@=_-]+)*/$`)
	documentSet = regexp.MustCompile(`^[\t\n\r -ÿ]+$`)
	roleText    = regexp.MustCompile(`^[\t\n\r -~¡-ÿ]*$`)
	versionForm = regexp.MustCompile(`^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$`)
	keyIDForm   = regexp.MustCompile(`^\w+$`)
	markerForm  = regexp.MustCompile(`^[ -ÿ]+$`)
	tagKeyForm  = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)
	tagForm     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

const (
	wordText   = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
	pathText   = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
	prefixText = "It must begin with / and contain only alphanumeric characters and/or / characters."
)

// constraints are those of IAM's model by a member's name, which says the same in all operations but for what constraintOf adds.
var constraints = map[string]constraint{
	"UserName": {1, 128, wordForm, wordText}, "NewUserName": {1, 64, wordForm, wordText}, "GroupName": {1, 128, wordForm, wordText},
	"NewGroupName": {1, 128, wordForm, wordText}, "RoleName": {1, 64, wordForm, wordText}, "PolicyName": {1, 128, wordForm, wordText},
	"InstanceProfileName": {1, 128, wordForm, wordText}, "AWSServiceName": {1, 128, wordForm, wordText}, "CustomSuffix": {1, 64, wordForm, wordText},
	"Path": {1, 512, pathForm, pathText}, "NewPath": {1, 512, pathForm, pathText}, "PathPrefix": {1, 512, prefixForm, prefixText},
	"PolicyArn": {least: 20, most: 2048}, "PermissionsBoundary": {least: 20, most: 2048}, "OpenIDConnectProviderArn": {least: 20, most: 2048},
	"PolicySourceArn": {least: 20, most: 2048}, "CallerArn": {least: 1, most: 2048}, "ResourceOwner": {least: 1, most: 2048},
	"AssumeRolePolicyDocument": {1, 131072, documentSet, ""}, "PolicyDocument": {1, 131072, documentSet, ""}, "ResourcePolicy": {1, 131072, documentSet, ""},
	"Description": {0, 1000, roleText, ""}, "MaxSessionDuration": {least: 3600, most: 43200}, "VersionId": {form: versionForm},
	"AccessKeyId": {16, 128, keyIDForm, ""}, "Marker": {1, 1200, markerForm, ""}, "MaxItems": {least: 1, most: 1000}, "Tags": {most: 50}, "TagKeys": {most: 50},
	"Url": {least: 1, most: 255}, "ClientID": {least: 1, most: 255}, "DeletionTaskId": {least: 1, most: 1000}, "ResourceHandlingOption": {least: 1, most: 64},
	"ContextKeyName": {least: 5, most: 256}, "Key": {1, 128, tagKeyForm, ""}, "Value": {0, 256, tagForm, ""},
}

// elements are the constraints of the members of lists of texts.
var elements = map[string]constraint{
	"TagKeys": {1, 128, tagKeyForm, ""}, "ClientIDList": {least: 1, most: 255}, "ThumbprintList": {least: 40, most: 40}, "ActionNames": {least: 3, most: 128},
	"ResourceArns": {least: 1, most: 2048}, "PolicyInputList": {1, 131072, documentSet, ""}, "PermissionsBoundaryPolicyInputList": {1, 131072, documentSet, ""},
}

// constraintOf is a member's constraint in the input of an operation.
func constraintOf(input reflect.Type, member string) constraint {
	of := input.Name() + "." + member
	switch {
	case of == "CreateUserInput.UserName":
		return constraint{1, 64, wordForm, wordText}
	case of == "CreatePolicyInput.Path":
		return constraint{1, 512, policyPath, pathText}
	case of == "CreatePolicyInput.Description":
		return constraint{most: 1000}
	}
	return constraints[member]
}

// checks are the constraints of an input.
type checks []check

type check struct {
	field    int
	name     string
	required bool
	constraint
}

// newChecks panics where the input has no member that is required: that is a mistake in the program.
func newChecks(input reflect.Type, required []string) checks {
	for _, name := range required {
		if _, has := input.FieldByName(name); !has {
			panic(fmt.Sprintf("iam: %s has no %s", input, name))
		}
	}
	var all checks
	for i := range input.NumField() {
		f := input.Field(i)
		if f.IsExported() {
			all = append(all, check{i, f.Name, slices.Contains(required, f.Name), constraintOf(input, f.Name)})
		}
	}
	return all
}

// failures are what is wrong with a request, each in IAM's words.
type failures []string

// add names the member as the wire does, in lower camel case.
func (f *failures) add(member, format string, args ...any) {
	*f = append(*f, fmt.Sprintf("Value at '%s' failed to satisfy constraint: Member must "+format, append([]any{member}, args...)...))
}

// of checks an input. A text without its form is refused in words of its own, after all other constraints, as IAM does.
func (c checks) of(in any) error {
	v := reflect.ValueOf(in).Elem()
	var wrong failures
	var form error
	for i := range c {
		member := v.Field(c[i].field)
		if member.Kind() == reflect.Pointer || member.Kind() == reflect.Slice {
			if member.IsNil() {
				if c[i].required {
					wrong.add(lowered(c[i].name), "not be null")
				}
				continue
			}
		}
		if err := wrong.value(lowered(c[i].name), c[i].name, c[i].constraint, reflect.Indirect(member), c[i].required); err != nil && form == nil {
			form = err
		}
	}
	switch len(wrong) {
	case 0:
		return form
	case 1:
		return apierr.New("ValidationError", "1 validation error detected: %s", wrong[0])
	}
	return apierr.New("ValidationError", "%d validation errors detected: %s", len(wrong), strings.Join(wrong, "; "))
}

// value checks one value. The error is that of a form that has IAM's own words.
func (f *failures) value(path, name string, c constraint, v reflect.Value, required bool) error {
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 && v.Type() != reflect.TypeFor[string]() { // an enumeration that is not given
			if required {
				f.add(path, "not be null")
			}
			return nil
		}
		if f.enumeration(path, v) {
			return nil
		}
		return f.text(path, c, v.String())
	case reflect.Int32:
		f.bounds(path, c, int(v.Int()), "value")
	case reflect.Slice:
		f.bounds(path, constraint{most: c.most}, v.Len(), "length")
		for i := range v.Len() {
			at := path + "." + strconv.Itoa(i+1) + ".member"
			if e := v.Index(i); e.Kind() == reflect.Struct {
				if err := f.structure(at, e); err != nil {
					return err
				}
			} else if err := f.value(at, name, elements[name], e, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// structure checks the members of an element of a list, a tag or a context entry. Both members of a tag must be there.
func (f *failures) structure(path string, v reflect.Value) error {
	for i := range v.NumField() {
		t := v.Type().Field(i)
		if !t.IsExported() {
			continue
		}
		at, member := path+"."+lowered(t.Name), v.Field(i)
		if member.Kind() == reflect.Pointer && member.IsNil() {
			if t.Name == "Key" || t.Name == "Value" {
				f.add(at, "not be null")
			}
			continue
		}
		if err := f.value(at, t.Name, constraints[t.Name], reflect.Indirect(member), false); err != nil {
			return err
		}
	}
	return nil
}

func (f *failures) text(path string, c constraint, s string) error {
	if f.bounds(path, c, utf8.RuneCountInString(s), "length"); c.form == nil || c.form.MatchString(s) || s == "" && c.least > 0 {
		return nil
	}
	if c.says != "" {
		return apierr.New("ValidationError", "The specified value for %s is invalid. %s", path, c.says)
	}
	f.add(path, "satisfy regular expression pattern: %s", spelt(c.form))
	return nil
}

func (f *failures) bounds(path string, c constraint, n int, of string) {
	switch {
	case n < c.least:
		f.add(path, "have %s greater than or equal to %d", of, c.least)
	case c.most > 0 && n > c.most:
		f.add(path, "have %s less than or equal to %d", of, c.most)
	}
}

// enumeration refuses a value that its type, one of the SDK's, does not have. true says that the type is an enumeration.
func (f *failures) enumeration(path string, v reflect.Value) bool {
	values := v.MethodByName("Values")
	if !values.IsValid() {
		return false
	}
	all := values.Call(nil)[0]
	var names []string
	for i := range all.Len() {
		if names = append(names, all.Index(i).String()); all.Index(i).String() == v.String() {
			return true
		}
	}
	f.add(path, "satisfy enum value set: [%s]", strings.Join(names, ", "))
	return true
}

// spelt is an expression as IAM's model has it.
func spelt(form *regexp.Regexp) string {
	switch form {
	case documentSet:
		return `[\u0009\u000A\u000D\u0020-\u00FF]+`
	case roleText:
		return `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`
	case markerForm:
		return `[\u0020-\u00FF]+`
	case keyIDForm:
		return `[\w]+`
	}
	return strings.TrimSuffix(strings.TrimPrefix(form.String(), "^"), "$")
}

// lowered is a member's name in lower camel case: "policyArn", and "awsServiceName".
func lowered(name string) string {
	if rest, is := strings.CutPrefix(name, "AWS"); is {
		return "aws" + rest
	}
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[size:]
}
