package policy

import "strings"

// operator is a condition operator, taken apart.
type operator struct {
	kind     kind
	compare  comparison // of numbers and dates
	negated  bool
	fold     bool // strings are compared without case
	like     bool // strings have wildcards
	ifExists bool
	set      setOf
}

// kind is what an operator compares.
type kind int

const (
	unknown kind = iota // no operator that exists
	ofStrings
	ofNumbers
	ofDates
	ofBools
	ofBytes
	ofAddresses
	ofARNs
	ofPresence
)

// comparison is which order of two numbers or dates does.
type comparison int

const (
	equal comparison = iota
	less
	lessEqual
	greater
	greaterEqual
)

// setOf is how the values of a key are taken together.
type setOf int

const (
	oneValue setOf = iota // no ForAllValues or ForAnyValue
	allValues
	anyValue
)

// parseOperator takes an operator's name apart; kind is unknown if there is none of that name. Names count with case.
func parseOperator(name string) operator {
	o := operator{}
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, o.set = rest, allValues
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, o.set = rest, anyValue
	}
	if name == "Null" {
		o.kind = ofPresence
		return o
	}
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	for _, family := range []struct {
		prefix string
		read   func(*operator, string) kind
	}{
		{"String", (*operator).ofStrings}, {"Numeric", (*operator).ofNumbers}, {"Date", (*operator).ofDates}, {"Arn", (*operator).ofARNs},
	} {
		if rest, ok := strings.CutPrefix(name, family.prefix); ok {
			o.kind = family.read(&o, rest)
			return o
		}
	}
	switch name {
	case "Bool":
		o.kind = ofBools
	case "BinaryEquals":
		o.kind = ofBytes
	case "IpAddress":
		o.kind = ofAddresses
	case "NotIpAddress":
		o.kind, o.negated = ofAddresses, true
	}
	return o
}

// cutNot takes the Not from the beginning of a name.
func (o *operator) cutNot(name string) string {
	name, o.negated = strings.CutPrefix(name, "Not")
	return name
}

func (o *operator) ofStrings(name string) kind {
	switch o.cutNot(name) {
	case "Equals":
	case "EqualsIgnoreCase":
		o.fold = true
	case "Like":
		o.like = true
	default:
		return unknown
	}
	return ofStrings
}

func (o *operator) ofARNs(name string) kind {
	if rest := o.cutNot(name); rest != "Equals" && rest != "Like" {
		return unknown
	}
	return ofARNs
}

func (o *operator) ofNumbers(name string) kind {
	if !o.ordered(name) {
		return unknown
	}
	return ofNumbers
}

func (o *operator) ofDates(name string) kind {
	if !o.ordered(name) {
		return unknown
	}
	return ofDates
}

// ordered reads the comparisons that numbers and dates share.
func (o *operator) ordered(name string) bool {
	switch name {
	case "Equals":
	case "NotEquals":
		o.negated = true
	case "LessThan":
		o.compare = less
	case "LessThanEquals":
		o.compare = lessEqual
	case "GreaterThan":
		o.compare = greater
	case "GreaterThanEquals":
		o.compare = greaterEqual
	default:
		return false
	}
	return true
}

// does reports whether an order, as cmp.Compare has it, is the one that is asked for.
func (c comparison) does(order int) bool {
	switch c {
	case equal:
		return order == 0
	case less:
		return order < 0
	case lessEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterEqual:
		return order >= 0
	}
	return false
}
