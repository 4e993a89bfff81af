package policy

// condition is a compiled condition.
type condition struct {
	operator
	key    string // in lower case
	name   string // the key as it was written
	values []operand
}

// operand is a value of a condition, read as what its operator compares. One that cannot be read as that is like no value of a request.
type operand struct {
	readable bool
	text     *pattern
	arn      *arnPattern
	number   number
	moment   moment
	network  network
	bytes    string
	truth    bool
}

func compileCondition(from Condition, variables bool) condition {
	c := condition{operator: parseOperator(from.Operator), key: lowered(from.Key), name: from.Key}
	for _, v := range from.Values {
		c.values = append(c.values, c.compile(v, variables))
	}
	return c
}

// compile reads a value. Variables are in strings and ARNs only, as IAM has it.
func (o *operator) compile(value string, variables bool) operand {
	v := operand{readable: true}
	switch o.kind {
	case ofStrings:
		v.text = new(compilePattern(value, o.like, variables))
	case ofARNs:
		v.arn = new(compileARN(value, variables))
	case ofNumbers:
		v.number, v.readable = parseNumber(value)
	case ofDates:
		v.moment, v.readable = parseMoment(value)
	case ofAddresses:
		v.network, v.readable = parseNetwork(value)
	case ofBytes:
		v.bytes, v.readable = parseBytes(value)
	case ofBools, ofPresence:
		v.truth, v.readable = parseBool(value)
	case unknown:
		v.readable = false
	}
	return v
}

// holds reports whether the request fulfils the condition. deny is for one that cannot be understood, which a Deny takes as fulfilled.
//
// Of a key that the request does not have, negated operators, those with IfExists and ForAllValues hold, and no others.
func (c *condition) holds(e *evaluation, deny bool) bool {
	if c.kind == unknown {
		return deny
	}
	values := e.values(c.key)
	if c.kind == ofPresence {
		return c.presence(len(values) == 0)
	}
	if len(values) == 0 {
		return c.ifExists || c.set == allValues || c.negated && c.set == oneValue
	}
	switch c.set {
	case allValues:
		for _, v := range values {
			if c.resembles(e, v) == c.negated {
				return false
			}
		}
		return true
	case anyValue:
		for _, v := range values {
			if c.resembles(e, v) != c.negated {
				return true
			}
		}
		return false
	case oneValue:
	}
	for _, v := range values {
		if c.resembles(e, v) {
			return !c.negated
		}
	}
	return c.negated
}

// presence is the operator Null: true asks for a key that is not there, false for one that is.
func (c *condition) presence(absent bool) bool {
	for i := range c.values {
		if c.values[i].readable && c.values[i].truth == absent {
			return true
		}
	}
	return false
}

// resembles reports whether a value of the request is like one of the condition's, whatever a Not makes of that.
func (c *condition) resembles(e *evaluation, value string) bool {
	switch c.kind {
	case ofStrings:
		return c.likeText(e, value)
	case ofARNs:
		return c.likeARN(e, value)
	case ofNumbers:
		return c.likeNumber(value)
	case ofDates:
		return c.likeMoment(value)
	case ofAddresses:
		return c.likeAddress(value)
	case ofBytes:
		return c.likeBytes(value)
	case ofBools:
		return c.likeBool(value)
	case ofPresence, unknown:
	}
	return false
}

func (c *condition) likeText(e *evaluation, value string) bool {
	for i := range c.values {
		if c.values[i].text.matches(e, value, c.fold) {
			return true
		}
	}
	return false
}

func (c *condition) likeARN(e *evaluation, value string) bool {
	v := arnValue{whole: value}
	for i := range c.values {
		if c.values[i].arn.matches(e, &v) {
			return true
		}
	}
	return false
}

func (c *condition) likeNumber(value string) bool {
	n, ok := parseNumber(value)
	for i := range c.values {
		if ok && c.values[i].readable && c.compare.does(n.compare(c.values[i].number)) {
			return true
		}
	}
	return false
}

func (c *condition) likeMoment(value string) bool {
	m, ok := parseMoment(value)
	for i := range c.values {
		if ok && c.values[i].readable && c.compare.does(m.compare(c.values[i].moment)) {
			return true
		}
	}
	return false
}

func (c *condition) likeAddress(value string) bool {
	a, ok := parseAddress(value)
	for i := range c.values {
		if ok && c.values[i].readable && c.values[i].network.Contains(a) {
			return true
		}
	}
	return false
}

func (c *condition) likeBytes(value string) bool {
	b, ok := parseBytes(value)
	for i := range c.values {
		if ok && c.values[i].readable && c.values[i].bytes == b {
			return true
		}
	}
	return false
}

func (c *condition) likeBool(value string) bool {
	b, ok := parseBool(value)
	for i := range c.values {
		if ok && c.values[i].readable && c.values[i].truth == b {
			return true
		}
	}
	return false
}
