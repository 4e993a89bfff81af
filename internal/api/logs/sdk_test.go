package logs

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/access"
	"berth/internal/frontdoor"
	"berth/internal/sdkhttp"
)

// sdk is the SDK's client of an account, through a front door. Whatever host it asks for is the server: it puts "stream-" before the name for live tails.
func (a *account) sdk(t testing.TB) *cwl.Client {
	t.Helper()
	door := frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{a.api.Service()}, Auth: frontdoor.AuthDev, DevPrincipal: access.Admin(testScope.Account), Account: testScope.Account,
	})
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return cwl.New(cwl.Options{
		Region: testScope.Region, BaseEndpoint: aws.String("http://berth"), Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
		HTTPClient: sdkhttp.Client(transport),
	})
}

// TestLiveTailOfSDK: the SDK reads a live tail as it is written.
func TestLiveTailOfSDK(t *testing.T) {
	a := busy(t)
	client := a.sdk(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := client.StartLiveTail(ctx, &cwl.StartLiveTailInput{
		LogGroupIdentifiers: []string{"arn:aws:logs:us-east-1:123456789012:log-group:g"}, LogEventFilterPattern: aws.String("wanted"),
	})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	events := stream.Events()
	if start, is := (<-events).(*types.StartLiveTailResponseStreamMemberSessionStart); !is || aws.ToString(start.Value.LogEventFilterPattern) != "wanted" {
		t.Fatalf("it begins with %v (%v)", start, stream.Err())
	}
	at := time.Now().UnixMilli()
	for _, message := range []string{"another", "wanted"} {
		if _, err := client.PutLogEvents(ctx, &cwl.PutLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: []types.InputLogEvent{{Timestamp: &at, Message: &message}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for event := range events {
		update, is := event.(*types.StartLiveTailResponseStreamMemberSessionUpdate)
		if !is {
			t.Fatalf("%T came", event)
		}
		if len(update.Value.SessionResults) == 0 {
			continue
		}
		got := update.Value.SessionResults[0]
		if *got.Message != "wanted" || *got.LogStreamName != "s" || *got.Timestamp != at || *got.LogGroupIdentifier != "arn:aws:logs:us-east-1:123456789012:log-group:g" {
			t.Errorf("%v came", got)
		}
		return
	}
	t.Fatalf("it ended: %v", stream.Err())
}

// TestPaginatorsOfSDK: the SDK's pages end, and have every event once.
func TestPaginatorsOfSDK(t *testing.T) {
	a := busy(t)
	client, at := a.sdk(t), time.Now().UnixMilli()
	const count = 25
	var events []types.InputLogEvent
	for range count - 1 { // one is there
		events = append(events, types.InputLogEvent{Timestamp: &at, Message: aws.String("here")})
	}
	if _, err := client.PutLogEvents(t.Context(), &cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: events}); err != nil {
		t.Fatal(err)
	}
	got, found := 0, 0
	get := cwl.NewGetLogEventsPaginator(client, &cwl.GetLogEventsInput{
		LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), StartFromHead: aws.Bool(true), Limit: aws.Int32(10),
	}, func(o *cwl.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
	for get.HasMorePages() {
		page, err := get.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got += len(page.Events)
	}
	filter := cwl.NewFilterLogEventsPaginator(client, &cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String("here"), Limit: aws.Int32(10)})
	for filter.HasMorePages() {
		page, err := filter.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.Events)
	}
	if got != count || found != count {
		t.Errorf("got %d, found %d, of %d", got, found, count)
	}
}
