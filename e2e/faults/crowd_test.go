package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// crowd is clients that never rest, through every replica, and write down what they are answered.
type crowd struct {
	history
	t     testing.TB
	s     *site.Site
	apis  []*awsecs.Client // by replica
	began time.Time
	stop  context.CancelFunc
	all   sync.WaitGroup

	acked, failed atomic.Int64 // calls
	last          atomic.Value // the last error
	keys          shelf        // clusters
	tasks         shelf        // those of RunTask
}

// shelf is keys to read, in the order in which they came.
type shelf struct {
	mu   sync.Mutex
	keys []string
}

func (s *shelf) add(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, key)
}

// some are up to n of the keys: the newest, and others at random.
func (s *shelf) some(n int) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range min(n, len(s.keys)) {
		if i < n/2 {
			out = append(out, s.keys[len(s.keys)-1-i])
		} else {
			out = append(out, s.keys[rand.IntN(len(s.keys))])
		}
	}
	return out
}

func (s *shelf) every() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.keys...)
}

// gone is the value of a cluster that was deleted; before, it is 1 and then the number in its tag.
const gone = 1 << 20

// startCrowd opens the history and the clients.
func startCrowd(s *site.Site) *crowd {
	c := &crowd{t: s.T, s: s, began: time.Now(), stop: func() {}}
	for _, r := range s.Members {
		c.apis = append(c.apis, r.Client())
	}
	s.T.Cleanup(c.end)
	return c
}

// work lets the clients begin, some of each kind at every replica.
func (c *crowd) work(definition string, readers int) {
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	for i := range c.apis {
		c.all.Go(func() { c.write(ctx, i) })
		c.all.Go(func() { c.runTasks(ctx, i, definition) })
		for range readers { // while one waits for a replica that stands still, the others go on
			c.all.Go(func() { c.read(ctx, i) })
			c.all.Go(func() { c.audit(ctx, i) })
		}
	}
}

func (c *crowd) end() {
	c.stop()
	c.all.Wait()
}

// do makes a call, and returns when it began and ended, and whether it succeeded. Only the clients' own patience ends it.
func (c *crowd) do(kind string, through int, call func(context.Context, *awsecs.Client) error) (span, error) {
	s := span{who: fmt.Sprintf("%s through %v", kind, c.s.Members[through]), began: time.Since(c.began)}
	err := call(context.Background(), c.apis[through])
	s.ended = time.Since(c.began)
	if err == nil {
		c.acked.Add(1)
	} else {
		c.failed.Add(1)
		c.last.Store(fmt.Sprintf("%s: %v", s.who, err))
	}
	return s, err
}

// refused says whether the installation's answer is a word about the request, after which it has certainly not been done.
func refused(err error) bool {
	var answer *awshttp.ResponseError
	var throttled *types.LimitExceededException
	return errors.As(err, &answer) && answer.HTTPStatusCode() == 400 && !errors.As(err, &throttled) && !isThrottling(err)
}

func isThrottling(err error) bool {
	var coded interface{ ErrorCode() string }
	return errors.As(err, &coded) && coded.ErrorCode() == "ThrottlingException"
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d/2 + rand.N(d)):
	}
}

// write gives clusters one value after another, and reads each back through another replica.
func (c *crowd) write(ctx context.Context, home int) {
	for n := 0; ctx.Err() == nil; n++ {
		key := fmt.Sprintf("k-%d-%d", home, n)
		c.keys.add(key)
		last := 10
		for v := 1; v <= last && ctx.Err() == nil; v++ {
			value := v
			if v == last && n%2 == 0 {
				value = gone
			}
			through := (home + v%2) % len(c.apis)
			at, err := c.do("writer", through, func(ctx context.Context, api *awsecs.Client) error { return put(ctx, api, key, value) })
			c.wrote(write{at, key, value, err == nil})
			if err != nil {
				if v > 1 && refused(err) { // "not found" is a read that does not see the last write
					c.saw(read{at, key, 0, true})
				}
				break
			}
			c.look((through+1)%len(c.apis), []string{key})
			pause(ctx, 20*time.Millisecond)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// put gives a cluster a value.
func put(ctx context.Context, api *awsecs.Client, key string, value int) (err error) {
	switch value {
	case 1:
		_, err = api.CreateCluster(ctx, &awsecs.CreateClusterInput{ClusterName: &key})
	case gone:
		_, err = api.DeleteCluster(ctx, &awsecs.DeleteClusterInput{Cluster: &key})
	default:
		_, err = api.TagResource(ctx, &awsecs.TagResourceInput{
			ResourceArn: aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/" + key),
			Tags:        []types.Tag{{Key: aws.String("v"), Value: aws.String(strconv.Itoa(value))}},
		})
	}
	return err
}

// read reads clusters.
func (c *crowd) read(ctx context.Context, through int) {
	for ; ctx.Err() == nil; pause(ctx, 100*time.Millisecond) {
		if keys := c.keys.some(20); len(keys) > 0 {
			c.look(through, keys)
		}
	}
}

// look reads clusters through one replica.
func (c *crowd) look(through int, keys []string) bool {
	var out *awsecs.DescribeClustersOutput
	at, err := c.do("reader", through, func(ctx context.Context, api *awsecs.Client) (err error) {
		out, err = api.DescribeClusters(ctx, &awsecs.DescribeClustersInput{Clusters: keys, Include: []types.ClusterField{types.ClusterFieldTags}})
		return err
	})
	if err != nil {
		return false
	}
	values := map[string]int{}
	for _, x := range out.Clusters {
		values[*x.ClusterName] = 1
		for _, tag := range x.Tags {
			values[*x.ClusterName], _ = strconv.Atoi(*tag.Value)
		}
		if *x.Status != "ACTIVE" {
			values[*x.ClusterName] = gone
		}
	}
	reads := make([]read, 0, len(keys))
	for _, key := range keys {
		reads = append(reads, read{at, key, values[key], true})
	}
	c.saw(reads...)
	return true
}

// report makes counters of a run.
func (c *crowd) report() string {
	return fmt.Sprintf("%d calls answered, %d not (the last: %.300v)", c.acked.Load(), c.failed.Load(), c.last.Load())
}
