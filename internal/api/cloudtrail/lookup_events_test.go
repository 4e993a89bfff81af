package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscloudtrail "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// lines are records, the oldest first; the place of one is its index.
type lines []string

var errPlace = errors.New("no place")

func (l lines) Backward(_ context.Context, before string, yield func([]byte, string) bool) error {
	n := len(l)
	if before != "" {
		if _, err := fmt.Sscan(before, &n); err != nil {
			return errPlace
		}
	}
	for i := n - 1; i >= 0; i-- {
		if !yield([]byte(l[i]), fmt.Sprint(i)) {
			break
		}
	}
	return nil
}

func (lines) BadPlace(err error) bool { return errors.Is(err, errPlace) }

// record is one; its event id is its number.
func record(n int, name, source, region, account, identity string) string {
	return fmt.Sprintf(`{"eventID":"%d","eventName":%q,"eventSource":%q,"awsRegion":%q,"recipientAccountId":%q,"eventCategory":"Management","eventTime":"2026-11-30T00:00:%02dZ",`+
		`"readOnly":%v,"userIdentity":%s,"resources":[{"ARN":"arn:aws:ecs:r:a:cluster/c%d","type":"AWS::ECS::Cluster"}]}`, n, name, source, region, account, n, name == "ListClusters", identity, n)
}

const (
	user    = `{"type":"IAMUser","userName":"ada","accessKeyId":"AKIA1"}`
	session = `{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/ci","accessKeyId":"ASIA1"}`
)

func history() lines {
	return lines{
		record(0, "CreateCluster", "ecs.amazonaws.com", "eu-west-1", "1", user),
		record(1, "ListClusters", "ecs.amazonaws.com", "eu-west-1", "1", session),
		record(2, "CreateUser", "iam.amazonaws.com", "us-east-1", "1", user),
		record(3, "CreateCluster", "ecs.amazonaws.com", "us-east-1", "1", user),
		record(4, "CreateCluster", "ecs.amazonaws.com", "eu-west-1", "2", user),
		`{"eventID":"5","userId`,
		strings.Replace(record(6, "Poll", "ecs.amazonaws.com", "eu-west-1", "1", session), "Management", "Data", 1),
		record(7, "CreateCluster", "ecs.amazonaws.com", "eu-west-1", "1", session),
	}
}

func look(t *testing.T, trail Trail, in *awscloudtrail.LookupEventsInput) (ids []string, next *string, err error) {
	t.Helper()
	out, err := New(trail).lookupEvents(t.Context(), &frontdoor.Request{Scope: arn.Scope{Region: "eu-west-1", Account: "1"}}, in)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range out.Events {
		ids = append(ids, *e.EventId)
	}
	return ids, out.NextToken, nil
}

func TestLookupEvents(t *testing.T) {
	by := func(key types.LookupAttributeKey, value string) *awscloudtrail.LookupEventsInput {
		return &awscloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: key, AttributeValue: &value}}}
	}
	at := func(s int) *time.Time { return aws.Time(time.Date(2026, 11, 30, 0, 0, s, 0, time.UTC)) }
	for name, c := range map[string]struct {
		in   *awscloudtrail.LookupEventsInput
		want []string
	}{
		"all":          {&awscloudtrail.LookupEventsInput{}, []string{"7", "2", "1", "0"}},
		"EventName":    {by(types.LookupAttributeKeyEventName, "CreateCluster"), []string{"7", "0"}},
		"EventId":      {by(types.LookupAttributeKeyEventId, "1"), []string{"1"}},
		"ReadOnly":     {by(types.LookupAttributeKeyReadOnly, "true"), []string{"1"}},
		"Username":     {by(types.LookupAttributeKeyUsername, "ci"), []string{"7", "1"}},
		"AccessKeyId":  {by(types.LookupAttributeKeyAccessKeyId, "AKIA1"), []string{"2", "0"}},
		"EventSource":  {by(types.LookupAttributeKeyEventSource, "iam.amazonaws.com"), []string{"2"}},
		"ResourceName": {by(types.LookupAttributeKeyResourceName, "c7"), []string{"7"}},
		"an ARN":       {by(types.LookupAttributeKeyResourceName, "arn:aws:ecs:r:a:cluster/c1"), []string{"1"}},
		"ResourceType": {by(types.LookupAttributeKeyResourceType, "AWS::ECS::Service"), nil},
		"times":        {&awscloudtrail.LookupEventsInput{StartTime: at(1), EndTime: at(2)}, []string{"2", "1"}},
	} {
		if got, next, err := look(t, history(), c.in); err != nil || next != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q %v %v, want %q", name, got, next, err, c.want)
		}
	}
}

func TestLookupPages(t *testing.T) {
	in := &awscloudtrail.LookupEventsInput{MaxResults: aws.Int32(2)}
	var got []string
	for pages := 1; ; pages++ {
		ids, next, err := look(t, history(), in)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids...)
		if next == nil {
			if pages != 2 || !slices.Equal(got, []string{"7", "2", "1", "0"}) {
				t.Errorf("%q in %d pages", got, pages)
			}
			return
		}
		in.NextToken = next
	}
}

func TestWrongLookups(t *testing.T) {
	token := aws.String("bm9uc2Vuc2U")
	attribute := types.LookupAttribute{AttributeKey: "EventName", AttributeValue: aws.String("x")}
	for code, in := range map[string]*awscloudtrail.LookupEventsInput{
		"InvalidMaxResultsException":        {MaxResults: aws.Int32(51)},
		"InvalidMaxResultsException ":       {MaxResults: aws.Int32(0)},
		"InvalidLookupAttributesException":  {LookupAttributes: []types.LookupAttribute{attribute, attribute}},
		"InvalidLookupAttributesException ": {LookupAttributes: []types.LookupAttribute{{AttributeKey: "Colour", AttributeValue: aws.String("x")}}},
		"InvalidTimeRangeException":         {StartTime: aws.Time(time.Unix(9, 0)), EndTime: aws.Time(time.Unix(8, 0))},
		"InvalidNextTokenException":         {NextToken: token},
		"InvalidEventCategoryException":     {EventCategory: "insight"},
		"InvalidEventCategoryException ":    {EventCategory: "other"},
	} {
		_, _, err := look(t, history(), in)
		if e := new(apierr.Error); !errors.As(err, &e) || e.Code != strings.TrimSpace(code) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, _, err := look(t, lines{}, &awscloudtrail.LookupEventsInput{}); err != nil {
		t.Error(err)
	}
	if _, err := New(nil).lookupEvents(t.Context(), &frontdoor.Request{}, &awscloudtrail.LookupEventsInput{}); err == nil {
		t.Error("no audit log, and no error")
	}
}
