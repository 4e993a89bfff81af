package logs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/internal/logs"
)

const (
	parameter = "InvalidParameterException"
	missing   = "ResourceNotFoundException"
	exists    = "ResourceAlreadyExistsException"
	noGroupIs = "The specified log group does not exist."
	badStart  = "1 validation error detected: Value "
)

// wrong is a request that must be refused, and how.
type wrong struct{ operation, body, code, message string }

func one(value, member, must string) string {
	return badStart + value + " at '" + member + "' failed to satisfy constraint: Member must " + must
}

// busy is an account with a group g that has a stream s with one event.
func busy(t *testing.T) *account {
	t.Helper()
	a := newAccount(t)
	a.must(t, "CreateLogGroup", `{"logGroupName":"g"}`)
	a.must(t, "CreateLogStream", `{"logGroupName":"g","logStreamName":"s"}`)
	a.must(t, "PutLogEvents", fmt.Sprintf(`{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":%d,"message":"here"}]}`, ms(0)))
	return a
}

// ms is a time as the API writes it, so much from now.
func ms(d time.Duration) int64 { return time.Now().Add(d).UnixMilli() }

// refuses checks that each wrong request gets its error and that nothing has changed, neither the state nor the store of streams.
func (a *account) refuses(t *testing.T, tests []wrong) {
	t.Helper()
	before, kept := a.store.View().N, a.everything(t)
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %.80s", test.operation, test.body), func(t *testing.T) {
			out, err := a.ask(t, test.operation, test.body)
			if err == nil {
				t.Fatalf("accepted: %s", out)
			}
			if err.Code != test.code || err.Message != test.message {
				t.Errorf("got  %s: %s\nwant %s: %s", err.Code, err.Message, test.code, test.message)
			}
			if n := a.store.View().N; n != before {
				t.Errorf("the state has changed: commit %d after %d", n, before)
			}
			if now := a.everything(t); !slices.Equal(kept, now) {
				t.Errorf("the store of streams has changed: %q after %q", now, kept)
			}
		})
	}
}

// everything is what the store of streams has.
func (a *account) everything(t *testing.T) (all []string) {
	t.Helper()
	groups, err := a.kept.Groups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		for s, err := range a.kept.Streams(t.Context(), g, "") {
			all = append(all, fmt.Sprint(g, s, err))
		}
		for e, err := range a.kept.Events(t.Context(), logs.Query{Group: g}) {
			all = append(all, fmt.Sprint(e, err))
		}
	}
	return all
}

func quote(text string) string {
	b, _ := json.Marshal(text) //nolint:errcheck // texts always marshal
	return string(b)
}

// Every operation that names a group by its name says so when it is missing, has the wrong form, or is not there.
func TestWrongGroups(t *testing.T) {
	rest := map[string]string{
		"CreateLogStream": `,"logStreamName":"s"`, "DeleteLogStream": `,"logStreamName":"s"`, "GetLogEvents": `,"logStreamName":"s"`,
		"PutLogEvents": `,"logStreamName":"s","logEvents":[{"timestamp":1,"message":"x"}]`, "PutRetentionPolicy": `,"retentionInDays":1`,
		"TagLogGroup": `,"tags":{"a":"b"}`, "UntagLogGroup": `,"tags":["a"]`,
	}
	long := strings.Repeat("g", 513)
	a := busy(t)
	var tests []wrong
	for _, o := range a.api.Service().Operations {
		if _, names := o.Input.FieldByName("LogGroupName"); !names {
			continue
		}
		with := func(name string) string { return `{"logGroupName":` + quote(name) + rest[o.Name] + `}` }
		tests = append(tests,
			wrong{o.Name, with("a b"), parameter, one("'a b'", "logGroupName", `satisfy regular expression pattern: ^[\.\-_/#A-Za-z0-9]+$`)},
			wrong{o.Name, with(long), parameter, one("'"+long[:256]+"'", "logGroupName", "have length less than or equal to 512")})
		if o.Name != "CreateLogGroup" {
			tests = append(tests, wrong{o.Name, with("nobody"), missing, noGroupIs})
		}
		null := one("null", "logGroupName", "not be null")
		if _, either := o.Input.FieldByName("LogGroupIdentifier"); either {
			null = "Either LogGroupName or LogGroupIdentifier must be specified."
			id := func(id string) string { return `{"logGroupIdentifier":` + quote(id) + rest[o.Name] + `}` }
			tests = append(tests,
				wrong{o.Name, `{"logGroupName":"g","logGroupIdentifier":"g"` + rest[o.Name] + `}`, parameter, "LogGroupName and LogGroupIdentifier are mutually exclusive parameters."},
				wrong{o.Name, id("nobody"), missing, noGroupIs},
				wrong{o.Name, id("arn:aws:logs:us-east-1:210987654321:log-group:g"), missing, noGroupIs},
				wrong{o.Name, id("arn:aws:logs:us-east-2:123456789012:log-group:g"), missing, noGroupIs},
				wrong{o.Name, id("arn:aws:ecs:us-east-1:123456789012:cluster/g"), parameter,
					"The specified logGroupIdentifier is not the ARN of a log group: arn:aws:ecs:us-east-1:123456789012:cluster/g"})
		}
		tests = append(tests, wrong{o.Name, `{` + strings.TrimPrefix(rest[o.Name], ",") + `}`, parameter, null})
	}
	a.refuses(t, tests)
}

func TestWrongRequests(t *testing.T) {
	a := busy(t)
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	group := func(members string) string { return `{"logGroupName":"new",` + members + `}` }
	read := func(operation, members, message string) wrong {
		return wrong{operation, `{"logGroupName":"g","logStreamName":"s",` + members + `}`, parameter, message}
	}
	filter := func(members, message string) wrong {
		return wrong{"FilterLogEvents", `{"logGroupName":"g",` + members + `}`, parameter, message}
	}
	a.refuses(t, []wrong{
		{"CreateLogGroup", `{"logGroupName":"g"}`, exists, "The specified log group already exists"},
		{"CreateLogGroup", `{"logGroupName":"aws/x"}`, parameter, "Log groups starting with AWS/ are reserved for AWS."},
		{"CreateLogGroup", `{"logGroupName":""}`, parameter, "2 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
			`Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\.\-_/#A-Za-z0-9]+$`},
		{"CreateLogGroup", group(`"kmsKeyId":"k"`), parameter, "Berth does not act on kmsKeyId yet; leave it out. docs/coverage.md lists what it acts on."},
		{"CreateLogGroup", group(`"logGroupClass":"DELIVERY"`), parameter, "Berth does not act on logGroupClass DELIVERY yet; leave it out. docs/coverage.md lists what it acts on."},
		{"CreateLogGroup", group(`"logGroupClass":"X"`), parameter, one("'X'", "logGroupClass", "satisfy enum value set: [DELIVERY, ESSENTIALS, INFREQUENT_ACCESS, STANDARD]")},
		{"CreateLogGroup", group(`"tags":{"aws:x":"y"}`), parameter, "tags: the key aws:x is not allowed: aws: prefixed tag key names are not allowed for external use."},
		{"CreateLogGroup", group(`"tags":{"a!":"y"}`), parameter, one("'a!'", "tags", `satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`)},
		{"CreateLogGroup", group(`"tags":{` + strings.Join(many, ",") + `}`), "TooManyTagsException", "A resource can have no more than 50 tags: "},
		{"TagLogGroup", `{"logGroupName":"g"}`, parameter, one("null", "tags", "not be null")},
		{"UntagLogGroup", `{"logGroupName":"g"}`, parameter, one("null", "tags", "not be null")},
		{"TagResource", `{"tags":{"a":"b"}}`, parameter, one("null", "resourceArn", "not be null")},
		{"TagResource", `{"resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:x","tags":{"a":"b"}}`, missing, noGroupIs},
		{"TagResource", `{"resourceArn":"arn:aws:logs:us-east-2:123456789012:log-group:g","tags":{"a":"b"}}`, missing, noGroupIs},
		{"UntagResource", `{"resourceArn":"g","tagKeys":["a"]}`, parameter, "resourceArn is not the ARN of a log group: g"},
		{"UntagResource", `{"resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:g"}`, parameter, one("null", "tagKeys", "not be null")},
		{"ListTagsForResource", `{"resourceArn":"a b"}`, parameter, one("'a b'", "resourceArn", `satisfy regular expression pattern: ^[\w+=/:,.@#-]*$`)},
		{"PutRetentionPolicy", `{"logGroupName":"g"}`, parameter, one("null", "retentionInDays", "not be null")},
		{"PutRetentionPolicy", `{"logGroupName":"g","retentionInDays":2}`, parameter,
			"Invalid retention value. Valid values are: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]"},
		{"PutLogGroupDeletionProtection", `{"logGroupIdentifier":"g"}`, parameter, one("null", "deletionProtectionEnabled", "not be null")},
		{"PutLogGroupDeletionProtection", `{"deletionProtectionEnabled":true}`, parameter, one("null", "logGroupIdentifier", "not be null")},
		{"DescribeLogGroups", `{"limit":51}`, parameter, one("'51'", "limit", "have value less than or equal to 50")},
		{"DescribeLogGroups", `{"logGroupNamePrefix":"a","logGroupNamePattern":"b"}`, parameter, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."},
		{"DescribeLogGroups", `{"nextToken":"x"}`, parameter, "The specified nextToken is invalid."},
		{"ListLogGroups", `{"logGroupNamePattern":"ab"}`, parameter, "2 validation errors detected: Value 'ab' at 'logGroupNamePattern' failed to satisfy constraint: Member must have length greater than or equal to 3; " +
			`Value 'ab' at 'logGroupNamePattern' failed to satisfy constraint: Member must satisfy regular expression pattern: ` + listPattern.String()},
		{"ListLogGroups", `{"fieldIndexNames":["a"]}`, parameter, "Berth does not act on fieldIndexNames yet; leave it out. docs/coverage.md lists what it acts on."},
		{"ListLogGroups", `{"logGroupTags":[{"key":"a"}]}`, parameter, "Berth does not act on logGroupTags yet; leave it out. docs/coverage.md lists what it acts on."},
		{"ListLogGroups", `{"dataSources":[{"name":"a"}]}`, parameter, "Berth does not act on dataSources yet; leave it out. docs/coverage.md lists what it acts on."},
		{"ListLogGroups", `{"nextToken":"x"}`, parameter, "The specified nextToken is invalid."},

		{"CreateLogStream", `{"logGroupName":"g"}`, parameter, one("null", "logStreamName", "not be null")},
		{"CreateLogStream", `{"logGroupName":"g","logStreamName":"a:b"}`, parameter, one("'a:b'", "logStreamName", `satisfy regular expression pattern: ^[^:*]*$`)},
		{"CreateLogStream", `{"logGroupName":"g","logStreamName":"s"}`, exists, "The specified log stream already exists"},
		{"DeleteLogStream", `{"logGroupName":"g","logStreamName":"nobody"}`, missing, "The specified log stream does not exist."},
		{"DescribeLogStreams", `{"logGroupName":"g","orderBy":"LastEventTime","logStreamNamePrefix":"s"}`, parameter, "Cannot order by LastEventTime with a logStreamNamePrefix."},
		{"DescribeLogStreams", `{"logGroupName":"g","orderBy":"X"}`, parameter, one("'X'", "orderBy", "satisfy enum value set: [LastEventTime, LogStreamName]")},
		{"DescribeLogStreams", `{"logGroupName":"g","limit":0}`, parameter, one("'0'", "limit", "have value greater than or equal to 1")},
		{"DescribeLogStreams", `{"logGroupName":"g","nextToken":"x"}`, parameter, "The specified nextToken is invalid."},

		{"GetLogEvents", `{"logGroupName":"g","logStreamName":"nobody"}`, missing, "The specified log stream does not exist."},
		read("GetLogEvents", `"limit":10001`, one("'10001'", "limit", "have value less than or equal to 10000")),
		read("GetLogEvents", `"startTime":-1`, one("'-1'", "startTime", "have value greater than or equal to 0")),
		read("GetLogEvents", `"nextToken":"x"`, "The specified nextToken is invalid."),
		read("GetLogEvents", `"nextToken":"f/1/s"`, "The specified nextToken is invalid."),
		read("GetLogEvents", `"nextToken":"f/`+strings.Repeat("9", 56)+`/s"`, "The specified nextToken is invalid."),
		read("GetLogEvents", `"nextToken":"f/`+strings.Repeat("+", 56)+`/s"`, "The specified nextToken is invalid."),
		filter(`"logStreamNames":[]`, one("'[]'", "logStreamNames", "have length greater than or equal to 1")),
		filter(`"logStreamNames":["s"],"logStreamNamePrefix":"s"`, "LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters."),
		filter(`"filterPattern":"{ $.a"`, "Invalid filter pattern: want an operator, found the end."),
		filter(`"startFromHead":false`, "Berth does not act on startFromHead false yet; leave it out. docs/coverage.md lists what it acts on."),
		filter(`"nextToken":"x"`, "The specified nextToken is invalid."),
		filter(`"endTime":-1`, one("'-1'", "endTime", "have value greater than or equal to 0")),

		{"StartLiveTail", `{}`, parameter, one("null", "logGroupIdentifiers", "not be null")},
		{"StartLiveTail", `{"logGroupIdentifiers":["nobody"]}`, missing, noGroupIs},
		{"StartLiveTail", `{"logGroupIdentifiers":["g"],"logEventFilterPattern":"["}`, parameter, "Invalid filter pattern: want a field's name, found the end."},
		{"StartLiveTail", `{"logGroupIdentifiers":["g","h"],"logStreamNames":["s"]}`, parameter,
			"LogStreamNames and LogStreamNamePrefixes can be used with one log group in logGroupIdentifiers only."},
		{"StartLiveTail", `{"logGroupIdentifiers":["g"],"logStreamNames":["s"],"logStreamNamePrefixes":["s"]}`, parameter,
			"LogStreamNames and LogStreamNamePrefixes are mutually exclusive parameters."},
	})
}

func TestWrongEvents(t *testing.T) {
	a := busy(t)
	put := func(stream string, events ...string) string {
		return `{"logGroupName":"g","logStreamName":"` + stream + `","logEvents":[` + strings.Join(events, ",") + `]}`
	}
	event := func(d time.Duration, message string) string {
		return fmt.Sprintf(`{"timestamp":%d,"message":"%s"}`, ms(d), message)
	}
	part := strings.Repeat("x", 1<<19)
	a.refuses(t, []wrong{
		{"PutLogEvents", put("nobody", event(0, "x")), missing, "The specified log stream does not exist."},
		{"PutLogEvents", put("nobody", event(-1000*time.Hour, "x")), missing, "The specified log stream does not exist."},
		{"PutLogEvents", `{"logGroupName":"g","logStreamName":"s"}`, parameter, one("null", "logEvents", "not be null")},
		{"PutLogEvents", put("s"), parameter, badStart + "at 'logEvents' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"PutLogEvents", put("s", slices.Repeat([]string{event(0, "x")}, 10001)...), parameter,
			badStart + "at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to 10000"},
		{"PutLogEvents", put("s", event(0, "")), parameter, badStart + "at 'logEvents.1.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"PutLogEvents", put("s", event(0, "x"), `{"timestamp":1}`), parameter, one("null", "logEvents.2.member.message", "not be null")},
		{"PutLogEvents", put("s", `{"message":"x"}`), parameter, one("null", "logEvents.1.member.timestamp", "not be null")},
		{"PutLogEvents", put("s", `{"timestamp":-1,"message":"x"}`), parameter, one("'-1'", "logEvents.1.member.timestamp", "have value greater than or equal to 0")},
		{"PutLogEvents", put("s", event(0, part), event(0, part)), parameter, "Upload too large: 1048628 bytes exceeds limit of 1048576"},
		{"PutLogEvents", put("s", event(0, "x"), event(-time.Minute, "y")), parameter, "Log events in a single PutLogEvents request must be in chronological order."},
		{"PutLogEvents", put("s", event(-25*time.Hour, "x"), event(0, "y")), parameter,
			"The batch of log events in a single PutLogEvents request cannot span more than 24 hours."},
	})
	a.must(t, "PutLogEvents", put("s", event(-400*time.Hour, "too old, so that it does not count"), event(0, "y")))
}

// A store that is full refuses events and streams, and says so; what makes room is done.
func TestFullStore(t *testing.T) {
	a := busy(t)
	a.api.streams = full{a.kept}
	body := fmt.Sprintf(`{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":%d,"message":"x"}]}`, ms(0))
	for operation, body := range map[string]string{"PutLogEvents": body, "CreateLogStream": `{"logGroupName":"g","logStreamName":"t"}`} {
		_, err := a.ask(t, operation, body)
		if err == nil || err.Code != "ServiceUnavailableException" || err.Status != 503 || !strings.Contains(err.Message, "The log store is full") {
			t.Errorf("%s: %v", operation, err)
		}
	}
	a.must(t, "DeleteLogGroup", `{"logGroupName":"g"}`)
}

// TestMostGroups: there is a bound on log groups.
func TestMostGroups(t *testing.T) {
	a := newAccount(t)
	for i := range 100 {
		a.must(t, "CreateLogGroup", fmt.Sprintf(`{"logGroupName":"g%d"}`, i))
	}
	if _, err := a.ask(t, "CreateLogGroup", `{"logGroupName":"more"}`); err == nil || err.Code != "LimitExceededException" || err.Message != "Resource limit exceeded." {
		t.Errorf("one more: %v", err)
	}
}
