package cloudtrail

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	awscloudtrail "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// mostResults is how many events an answer has at most, and where the request does not say.
const mostResults = 50

// lookupEvents finds events of the caller's account and region, the newest first.
func (a *API) lookupEvents(ctx context.Context, r *frontdoor.Request, in *awscloudtrail.LookupEventsInput) (*awscloudtrail.LookupEventsOutput, error) {
	l, err := newLookup(r, in)
	if err != nil {
		return nil, err
	}
	if a.trail == nil {
		return nil, apierr.New("OperationNotPermittedException", "This replica writes no audit log: its server runs with --audit=false.")
	}
	out := &awscloudtrail.LookupEventsOutput{Events: []types.Event{}}
	last := ""
	err = a.trail.Backward(ctx, l.before, func(line []byte, place string) bool {
		e := l.read(line)
		if e == nil {
			return true
		}
		if len(out.Events) == l.most {
			out.NextToken = new(l.token(last))
			return false
		}
		out.Events, last = append(out.Events, *e), place
		return true
	})
	if a.trail.BadPlace(err) {
		return nil, badToken()
	}
	if err != nil {
		return nil, fmt.Errorf("look up events: %w", err)
	}
	return out, nil
}

func badToken() error {
	return apierr.New("InvalidNextTokenException", "Invalid token")
}

// lookup is what a request asks for.
type lookup struct {
	account, region string
	key             types.LookupAttributeKey // "" for all
	value           string
	start, end      *time.Time
	most            int
	before          string // the place of the last event of the page before
	check           string // of all that decides which events there are
}

func newLookup(r *frontdoor.Request, in *awscloudtrail.LookupEventsInput) (*lookup, error) {
	l := &lookup{account: r.Scope.Account, region: r.Scope.Region, start: in.StartTime, end: in.EndTime, most: mostResults}
	switch {
	case in.EventCategory != "" && in.EventCategory != types.EventCategoryInsight:
		return nil, apierr.New("InvalidEventCategoryException", "Invalid EventCategory: %s. The valid value is insight.", in.EventCategory)
	case in.EventCategory != "":
		return nil, apierr.New("InvalidEventCategoryException", "EventCategory insight is not served: there are no Insights events here.")
	case len(in.LookupAttributes) > 1:
		return nil, apierr.New("InvalidLookupAttributesException", "LookupAttributes can contain only one item.")
	case in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > mostResults):
		return nil, apierr.New("InvalidMaxResultsException", "MaxResults must be between 1 and %d.", mostResults)
	case l.start != nil && l.end != nil && l.start.After(*l.end):
		return nil, apierr.New("InvalidTimeRangeException", "StartTime must be before EndTime.")
	}
	if in.MaxResults != nil {
		l.most = int(*in.MaxResults)
	}
	for _, x := range in.LookupAttributes {
		if !slices.Contains(x.AttributeKey.Values(), x.AttributeKey) || x.AttributeValue == nil || *x.AttributeValue == "" {
			return nil, apierr.New("InvalidLookupAttributesException", "LookupAttributes: AttributeKey %q is not valid, or has no AttributeValue.", x.AttributeKey)
		}
		l.key, l.value = x.AttributeKey, *x.AttributeValue
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %v %v", l.account, l.region, l.key, l.value, unix(l.start), unix(l.end)))
	l.check = base64.RawURLEncoding.EncodeToString(sum[:9])
	if in.NextToken != nil {
		text, err := base64.RawURLEncoding.DecodeString(*in.NextToken)
		place, ok := strings.CutPrefix(string(text), l.check+" ")
		if err != nil || !ok || place == "" {
			return nil, badToken()
		}
		l.before = place
	}
	return l, nil
}

func unix(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}

// token is what the next page begins with: a place in the log, for this lookup only.
func (l *lookup) token(place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(l.check + " " + place))
}

// event is what of a record a lookup needs.
type event struct {
	EventID, EventName, EventSource, AwsRegion, RecipientAccountID, EventCategory string
	EventTime                                                                     time.Time
	ReadOnly                                                                      bool
	UserIdentity                                                                  struct{ Type, UserName, ARN, AccessKeyID, InvokedBy string }
	Resources                                                                     []struct{ ARN, Type string }
}

// read is the event of a line if it is one that the lookup is for, nil if not.
func (l *lookup) read(line []byte) *types.Event {
	var e event
	if json.Unmarshal(line, &e) != nil || e.RecipientAccountID != l.account || e.EventCategory != "Management" {
		return nil
	}
	if !global(e.EventSource) && e.AwsRegion != l.region || l.start != nil && e.EventTime.Before(l.start.Truncate(time.Second)) || l.end != nil && e.EventTime.After(*l.end) {
		return nil
	}
	if !l.wants(&e) {
		return nil
	}
	out := &types.Event{
		EventId: &e.EventID, EventName: &e.EventName, EventSource: &e.EventSource, EventTime: &e.EventTime, ReadOnly: new(strconv.FormatBool(e.ReadOnly)),
		CloudTrailEvent: new(string(line)), Resources: []types.Resource{},
	}
	if e.UserIdentity.AccessKeyID != "" {
		out.AccessKeyId = &e.UserIdentity.AccessKeyID
	}
	if name := e.userName(); name != "" {
		out.Username = &name
	}
	for i := range e.Resources {
		out.Resources = append(out.Resources, types.Resource{ResourceName: &e.Resources[i].ARN, ResourceType: &e.Resources[i].Type})
	}
	return out
}

// global says whether the events of a service are in every region's history.
func global(source string) bool {
	return source == "iam.amazonaws.com" || source == "sts.amazonaws.com"
}

// userName is the user's, or that of a role's session.
func (e *event) userName() string {
	if e.UserIdentity.Type == "AssumedRole" {
		return e.UserIdentity.ARN[strings.LastIndexByte(e.UserIdentity.ARN, '/')+1:]
	}
	return e.UserIdentity.UserName
}

func (l *lookup) wants(e *event) bool {
	switch l.key {
	case types.LookupAttributeKeyEventId:
		return e.EventID == l.value
	case types.LookupAttributeKeyEventName:
		return e.EventName == l.value
	case types.LookupAttributeKeyReadOnly:
		return strconv.FormatBool(e.ReadOnly) == l.value
	case types.LookupAttributeKeyUsername:
		return e.userName() == l.value
	case types.LookupAttributeKeyEventSource:
		return e.EventSource == l.value
	case types.LookupAttributeKeyAccessKeyId:
		return e.UserIdentity.AccessKeyID == l.value
	case types.LookupAttributeKeyResourceName:
		return slices.ContainsFunc(e.Resources, func(r struct{ ARN, Type string }) bool {
			return r.ARN == l.value || r.ARN[strings.LastIndexAny(r.ARN, "/:")+1:] == l.value
		})
	case types.LookupAttributeKeyResourceType:
		return slices.ContainsFunc(e.Resources, func(r struct{ ARN, Type string }) bool { return r.Type == l.value })
	}
	return true
}
